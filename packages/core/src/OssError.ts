/**
 * What can go wrong between this machine and OSS. One error, `OssError`, whose
 * `reason` says what happened; it is classified once, where the answer is
 * read, and everything above decides by `reason._tag`.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * The connection could not be made or broke: DNS, refused, reset, cut off.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Transport extends Schema.TaggedError<Transport>()("Transport", {
  /** What the HTTP client said. */
  description: Schema.String
}) {}

/**
 * No complete answer arrived within the time allowed.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Timeout extends Schema.TaggedError<Timeout>()("Timeout", {
  /** How long was waited, in milliseconds. */
  millis: Schema.Finite
}) {}

/**
 * A transfer made no progress for the stall timeout.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Stalled extends Schema.TaggedError<Stalled>()("Stalled", {
  /** How long nothing moved, in milliseconds. */
  millis: Schema.Finite
}) {}

/**
 * OSS asks for fewer requests: 429, or 503 with a throttling code.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Throttled extends Schema.TaggedError<Throttled>()("Throttled", {
  /** From the answer's `Retry-After`, in milliseconds. */
  retryAfter: Schema.optionalKey(Schema.Finite)
}) {}

/**
 * OSS answered with a 5xx, or with 408, or gave up waiting for the body.
 *
 * @category reasons
 * @since 0.1.0
 */
export class ServerError extends Schema.TaggedError<ServerError>()("ServerError", {
  description: Schema.String,
  /** From the answer's `Retry-After`, in milliseconds. */
  retryAfter: Schema.optionalKey(Schema.Finite)
}) {}

/**
 * The answer could not be read: cut-off XML, an empty 200, a proxy's HTML page.
 *
 * @category reasons
 * @since 0.1.0
 */
export class UnreadableAnswer extends Schema.TaggedError<UnreadableAnswer>()("UnreadableAnswer", {
  description: Schema.String
}) {}

/**
 * Something other than OSS answered: a proxy, a firewall, a captive portal. The
 * answer has neither `x-oss-request-id` nor OSS's XML. It may go away.
 *
 * @category reasons
 * @since 0.1.0
 */
export class NotOss extends Schema.TaggedError<NotOss>()("NotOss", {
  /** The HTTP status. */
  status: Schema.Finite,
  /** What the `Server` header says. */
  server: Schema.optionalKey(Schema.String),
  /** From the answer's `Retry-After`, in milliseconds. */
  retryAfter: Schema.optionalKey(Schema.Finite)
}) {
  /** One line. */
  get problem(): string {
    const from = this.server === undefined ? "" : `, from ${this.server}`
    return `not OSS's answer (${this.status}${from})`
  }

  /** What to do about it. */
  get remedy(): string {
    switch (this.status) {
      case 407:
        return "give the proxy's user and password, as in HTTPS_PROXY=http://user:password@proxy:3128"
      case 413:
        return "use a smaller part size than the proxy's limit for a request's body"
      default:
        return "check the network, the endpoint and the proxies on the way"
    }
  }
}

/**
 * No connection to this endpoint can work: its certificate is not trusted or is
 * another host's, or one side speaks TLS and the other doesn't. The same
 * request fails again until the endpoint or this machine is set up differently.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Misconnected extends Schema.TaggedError<Misconnected>()("Misconnected", {
  /** What the HTTP client said. */
  description: Schema.String,
  /** What to do about it. */
  remedy: Schema.String
}) {}

/**
 * OSS refuses this user's requests for data over the default public endpoints
 * of mainland China (code `PublicEndpointForbidden`, EC 0048-00000401). It does
 * so for users since 20 March 2025.
 *
 * @category reasons
 * @since 0.1.0
 */
export class PublicEndpointForbidden extends Schema.TaggedError<PublicEndpointForbidden>()(
  "PublicEndpointForbidden",
  { description: Schema.String }
) {}

/**
 * This machine's clock is more than 15 minutes off. The offset has been learnt
 * from the answer, so that the next request is signed with the right time.
 *
 * @category reasons
 * @since 0.1.0
 */
export class ClockSkew extends Schema.TaggedError<ClockSkew>()("ClockSkew", {
  /** The server's time less this machine's, in milliseconds. */
  offset: Schema.Finite
}) {}

/**
 * The security token has expired.
 *
 * @category reasons
 * @since 0.1.0
 */
export class CredentialsExpired extends Schema.TaggedError<CredentialsExpired>()(
  "CredentialsExpired",
  { description: Schema.String }
) {}

/**
 * OSS does not let these credentials do this, or does not know them.
 *
 * @category reasons
 * @since 0.1.0
 */
export class AccessDenied extends Schema.TaggedError<AccessDenied>()("AccessDenied", {
  description: Schema.String
}) {}

/**
 * The bucket does not exist.
 *
 * @category reasons
 * @since 0.1.0
 */
export class NoSuchBucket extends Schema.TaggedError<NoSuchBucket>()("NoSuchBucket", {}) {}

/**
 * The object does not exist.
 *
 * @category reasons
 * @since 0.1.0
 */
export class NoSuchKey extends Schema.TaggedError<NoSuchKey>()("NoSuchKey", {}) {}

/**
 * The upload id is unknown: completed, aborted, or expired by a lifecycle rule.
 *
 * @category reasons
 * @since 0.1.0
 */
export class NoSuchUpload extends Schema.TaggedError<NoSuchUpload>()("NoSuchUpload", {}) {}

/**
 * Complete named a part that OSS does not have, or has with another ETag.
 *
 * @category reasons
 * @since 0.1.0
 */
export class InvalidPart extends Schema.TaggedError<InvalidPart>()("InvalidPart", {
  description: Schema.String
}) {}

/**
 * The object exists and `forbidOverwrite` was asked for.
 *
 * @category reasons
 * @since 0.1.0
 */
export class AlreadyExists extends Schema.TaggedError<AlreadyExists>()("AlreadyExists", {}) {}

/**
 * The object is stored, but the callback that was asked for failed.
 *
 * @category reasons
 * @since 0.1.0
 */
export class CallbackFailed extends Schema.TaggedError<CallbackFailed>()("CallbackFailed", {
  description: Schema.String
}) {}

/**
 * The CRC64 of what OSS received is not that of what was sent.
 *
 * @category reasons
 * @since 0.1.0
 */
export class ChecksumMismatch extends Schema.TaggedError<ChecksumMismatch>()("ChecksumMismatch", {
  /** CRC-64/XZ of the bytes that were sent. */
  expected: Schema.BigInt,
  /** CRC-64/XZ that OSS answered. */
  actual: Schema.BigInt
}) {}

/**
 * OSS refused the request for another reason; `code` and the description tell.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Rejected extends Schema.TaggedError<Rejected>()("Rejected", {
  description: Schema.String
}) {}

/**
 * All reasons of an `OssError`.
 *
 * @category reasons
 * @since 0.1.0
 */
export const Reason = Schema.Union([
  Transport,
  Timeout,
  Stalled,
  Throttled,
  ServerError,
  UnreadableAnswer,
  NotOss,
  Misconnected,
  ClockSkew,
  CredentialsExpired,
  AccessDenied,
  PublicEndpointForbidden,
  NoSuchBucket,
  NoSuchKey,
  NoSuchUpload,
  InvalidPart,
  AlreadyExists,
  CallbackFailed,
  ChecksumMismatch,
  Rejected
])

/**
 * All reasons of an `OssError`.
 *
 * @category reasons
 * @since 0.1.0
 */
export type Reason = typeof Reason.Type

/**
 * The requests that are made to OSS.
 *
 * @category models
 * @since 0.1.0
 */
export const Operation = Schema.Literals([
  "initiate",
  "uploadPart",
  "listParts",
  "complete",
  "abort",
  "listUploads",
  "head",
  "put"
])

/**
 * The requests that are made to OSS.
 *
 * @category models
 * @since 0.1.0
 */
export type Operation = typeof Operation.Type

/**
 * A request to OSS that failed.
 *
 * **Example** (waiting out a throttled bucket)
 *
 * ```ts
 * import { OssClient } from "@effect-oss/core"
 * import { Effect } from "effect"
 *
 * const size = OssClient.OssClient.use((client) => client.head("backups/db.tar")).pipe(
 *   Effect.map((object) => object.size),
 *   Effect.catchReason("OssError", "NoSuchKey", () => Effect.succeed(0))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class OssError extends Schema.TaggedError<OssError>("@effect-oss/core/OssError")(
  "OssError",
  {
    operation: Operation,
    bucket: Schema.String,
    /** The object's key; absent for requests about the bucket. */
    key: Schema.optionalKey(Schema.String),
    partNumber: Schema.optionalKey(Schema.Finite),
    /** The HTTP status; absent if there was no answer. */
    status: Schema.optionalKey(Schema.Finite),
    /** OSS's own error code, such as `SignatureDoesNotMatch`. */
    code: Schema.optionalKey(Schema.String),
    /** What Alibaba's support asks for. */
    requestId: Schema.optionalKey(Schema.String),
    /** Which one it was of this request's attempts, from 2; absent for the first. */
    attempt: Schema.optionalKey(Schema.Finite),
    reason: Reason
  }
) {
  /** What happened, and where. */
  get problem(): string {
    const where = this.key === undefined ? this.bucket : `${this.bucket}/${this.key}`
    const part = this.partNumber === undefined ? "" : ` part ${this.partNumber}`
    const facts = [
      this.code,
      // That reason says it itself.
      this.reason._tag === "NotOss" ? undefined : this.status,
      this.requestId && `request id ${this.requestId}`,
      this.attempt && `attempt ${this.attempt}`
    ]
    const known = facts.filter((fact) => fact !== undefined && fact !== "")
    return `${this.operation} ${where}${part}: ${describe(this.reason)}${known.length > 0 ? ` (${known.join(", ")})` : ""}`
  }

  /** What to do about it. */
  get remedy(): string {
    return remedyOf(this)
  }

  override get message(): string {
    return `${this.problem}; ${this.remedy}`
  }
}

const again = "then upload again to carry on"

const remedyOf = (error: OssError): string => {
  switch (error.reason._tag) {
    case "Transport":
      return `check the network and the endpoint, ${again}`
    case "Timeout":
    case "Stalled":
      return `check the network, or send fewer parts at once, ${again}`
    case "Throttled":
      return `wait a while, or send fewer parts at once, ${again}`
    case "ServerError":
      return `wait a while, ${again}`
    case "UnreadableAnswer":
      return `check that the endpoint is OSS and not a proxy, ${again}`
    case "NotOss":
      return `${error.reason.remedy}, ${again}`
    case "Misconnected":
      return error.reason.remedy
    case "PublicEndpointForbidden":
      return "bind a domain of your own to the bucket and use it as endpoint with cname, or the region's internal endpoint"
    case "ClockSkew":
      return `set this machine's clock, ${again}`
    case "CredentialsExpired":
      return `provide new credentials, ${again}`
    case "AccessDenied":
      return afterDenial(error, error.reason.description)
    case "NoSuchBucket":
      return `check the name "${error.bucket}" and the region, or create the bucket`
    case "NoSuchKey":
      return "check the key and the endpoint"
    case "NoSuchUpload":
    case "InvalidPart":
      return `see that nobody else aborts this upload, ${again}`
    case "AlreadyExists":
      return "choose another key, or delete the object first"
    case "CallbackFailed":
      return "see that the callback's server answers, and call it again"
    case "ChecksumMismatch":
      return `check this machine's memory and the proxies on the way, ${again}`
    case "Rejected":
      return `see OSS's documentation on ${error.code ?? `HTTP status ${error.status}`}`
  }
}

const afterDenial = ({ operation, code }: OssError, description: string): string => {
  switch (code) {
    case "SignatureDoesNotMatch":
      return "check the access key's secret and the region"
    case "InvalidAccessKeyId":
      return "use an access key that exists and is enabled; temporary keys need their security token too"
    case "InvalidSecurityToken":
      return "use the security token that came with the keys, or none"
    default:
      return /endpoint/i.test(description)
        ? "use the bucket's own endpoint or region"
        : `let a RAM or bucket policy grant ${permissionFor(operation)} to these keys`
  }
}

/**
 * The RAM permission that a request needs.
 *
 * @category classifying
 * @since 0.1.0
 */
export const permissionFor = (operation: Operation): string => permissions[operation]

const permissions: Readonly<Record<Operation, string>> = {
  initiate: "oss:PutObject",
  uploadPart: "oss:PutObject",
  complete: "oss:PutObject",
  put: "oss:PutObject",
  listParts: "oss:ListParts",
  abort: "oss:AbortMultipartUpload",
  listUploads: "oss:ListMultipartUploads",
  head: "oss:GetObject"
}

/**
 * An answer other than success, in so far as it says what happened.
 *
 * @category classifying
 * @since 0.1.0
 */
export interface Refusal {
  readonly operation: Operation
  /** The HTTP status. */
  readonly status: number
  /** OSS's error code, from the XML body or the `x-oss-err` header. */
  readonly code?: string | undefined
  /** OSS's message. */
  readonly description?: string | undefined
  /** From the `Retry-After` header, in milliseconds. */
  readonly retryAfter?: number | undefined
  /** False: the answer has no mark of OSS's. Default: true. */
  readonly fromOss?: boolean | undefined
  /** The `Server` header. */
  readonly server?: string | undefined
  /** The answer's `Date` less this machine's time, in milliseconds. */
  readonly offset?: number | undefined
}

/**
 * What an answer other than success means. The only place that knows OSS's
 * error codes: the code decides, the status where there is none or it says
 * nothing more.
 *
 * @category classifying
 * @since 0.1.0
 */
export const reasonOf = (refusal: Refusal): Reason => {
  const { status, code = "" } = refusal
  const description = refusal.description || code || `HTTP status ${status}`
  const wait = refusal.retryAfter === undefined ? {} : { retryAfter: refusal.retryAfter }
  if (refusal.fromOss === false) {
    const { server } = refusal
    return new NotOss({ status, ...(server === undefined ? {} : { server }), ...wait })
  }
  switch (code) {
    case "NoSuchUpload":
      return new NoSuchUpload()
    case "NoSuchBucket":
      return new NoSuchBucket()
    case "NoSuchKey":
      return new NoSuchKey()
    case "InvalidPart":
    case "InvalidPartOrder":
      return new InvalidPart({ description })
    case "FileAlreadyExists":
      return new AlreadyExists()
    case "CallbackFailed":
      return new CallbackFailed({ description })
    case "SecurityTokenExpired":
      return new CredentialsExpired({ description })
    case "PublicEndpointForbidden":
      return new PublicEndpointForbidden({ description })
    case "RequestTimeTooSkewed":
      return new ClockSkew({ offset: refusal.offset ?? 0 })
    case "RequestTimeout":
      return new ServerError({ description, ...wait })
    case "InvalidDigest":
    case "BadRequest":
      return new Transport({ description: `the body was damaged on the way (${description})` })
  }
  if (status === 429 || code === "SlowDown" || code.endsWith("LimitExceeded"))
    return new Throttled(wait)
  if (status === 503) return new Throttled(wait)
  if (status >= 500 || status === 408 || status === 401) {
    return new ServerError({ description, ...wait })
  }
  // Only a presigned URL expires: whoever signs is asked for another one.
  if (status === 403 && /request has expired/i.test(description)) {
    return new CredentialsExpired({ description })
  }
  if (status === 403) return new AccessDenied({ description })
  if (status === 203) return new CallbackFailed({ description })
  if (status === 404 && refusal.operation === "head") return new NoSuchKey()
  return new Rejected({ description })
}

/**
 * True for errors that may go away when the same request is sent again.
 *
 * @category guards
 * @since 0.1.0
 */
export const isRetryable = (error: OssError): boolean => retryable.has(error.reason._tag)

const retryableTags = [
  "Transport",
  "Timeout",
  "Stalled",
  "Throttled",
  "ServerError",
  "UnreadableAnswer",
  "NotOss",
  "ClockSkew",
  "CredentialsExpired",
  "ChecksumMismatch"
] as const satisfies ReadonlyArray<Reason["_tag"]>

/**
 * The tags of the reasons that may go away when the same request is sent again.
 *
 * @category guards
 * @since 0.1.0
 */
export type RetryableTag = (typeof retryableTags)[number]

const retryable: ReadonlySet<string> = new Set(retryableTags)

/**
 * True if OSS may have carried out the request although it failed here: the
 * answer was lost, late or unreadable.
 *
 * @category guards
 * @since 0.1.0
 */
export const isAmbiguous = (error: OssError): boolean => ambiguous.has(error.reason._tag)

const ambiguous: ReadonlySet<Reason["_tag"]> = new Set([
  "Transport",
  "Timeout",
  "Stalled",
  "ServerError",
  "UnreadableAnswer",
  "NotOss"
])

/**
 * The wait that the server asked for, in milliseconds; 0 if it asked for none.
 *
 * @category guards
 * @since 0.1.0
 */
export const retryAfter = (error: OssError): number =>
  error.reason._tag === "Throttled" ||
  error.reason._tag === "ServerError" ||
  error.reason._tag === "NotOss"
    ? (error.reason.retryAfter ?? 0)
    : 0

/**
 * One line about a reason, without where it happened.
 *
 * @category formatting
 * @since 0.1.0
 */
export const describe = (reason: Reason): string => {
  switch (reason._tag) {
    case "Transport":
      return `the connection failed: ${reason.description}`
    case "Timeout":
      return `no answer within ${reason.millis} ms`
    case "Stalled":
      return `nothing moved for ${reason.millis} ms`
    case "Throttled":
      return "OSS asks for fewer requests"
    case "ServerError":
      return `OSS failed: ${reason.description}`
    case "UnreadableAnswer":
      return `the answer could not be read: ${reason.description}`
    case "NotOss":
      return reason.problem
    case "Misconnected":
      return `the connection can't be made: ${reason.description}`
    case "PublicEndpointForbidden":
      return `OSS refuses this public endpoint: ${reason.description}`
    case "ClockSkew":
      return `this machine's clock differs from the server's by ${Math.round(Math.abs(reason.offset) / 1000)} s`
    case "CredentialsExpired":
      return `the credentials have expired: ${reason.description}`
    case "AccessDenied":
      return `access denied: ${reason.description}`
    case "NoSuchBucket":
      return "the bucket does not exist"
    case "NoSuchKey":
      return "the object does not exist"
    case "NoSuchUpload":
      return "the upload id is unknown: completed, aborted or expired"
    case "InvalidPart":
      return `OSS does not have a part that was acknowledged: ${reason.description}`
    case "AlreadyExists":
      return "the object exists and must not be overwritten"
    case "CallbackFailed":
      return `the object is stored, but its callback failed: ${reason.description}`
    case "ChecksumMismatch":
      return `CRC64 ${reason.expected} was sent, ${reason.actual} was received`
    case "Rejected":
      return `refused: ${reason.description}`
  }
}
