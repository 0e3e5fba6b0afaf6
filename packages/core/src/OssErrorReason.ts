/**
 * Why a request to OSS failed. Each reason is one class. It has a `message` and a
 * `remedy`, and tells whether the error may go away (`isRetryable`), whether OSS may
 * have carried out the request (`isAmbiguous`) and whether the upload can be resumed
 * (`isResumable`). `OssError` exports all reasons. To add one, add its class and list
 * it in `Reason`. A test then requires its line in docs/errors.md.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * The connection failed: DNS, refused, reset, cut off. Or a body arrived damaged.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Transport extends Schema.TaggedError<Transport>()("Transport", {
  /** The HTTP client's message. */
  description: Schema.String
}) {
  readonly isRetryable = true
  readonly isAmbiguous = true
  readonly isResumable = true
  readonly remedy = "check the network and the endpoint"
  override get message(): string {
    return `the connection failed: ${this.description}`
  }
}

/**
 * No complete response arrived in time.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Timeout extends Schema.TaggedError<Timeout>()("Timeout", {
  /** The time allowed, in milliseconds. */
  millis: Schema.Finite
}) {
  readonly isRetryable = true
  readonly isAmbiguous = true
  readonly isResumable = true
  readonly remedy = "check the network, or send fewer parts at once"
  override get message(): string {
    return `no response within ${this.millis} ms`
  }
}

/**
 * A transfer made no progress for the stall timeout.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Stalled extends Schema.TaggedError<Stalled>()("Stalled", {
  /** The time without progress, in milliseconds. */
  millis: Schema.Finite
}) {
  readonly isRetryable = true
  readonly isAmbiguous = true
  readonly isResumable = true
  readonly remedy = "check the network, or send fewer parts at once"
  override get message(): string {
    return `no progress for ${this.millis} ms`
  }
}

/**
 * OSS asks for fewer requests: 429, 503, or a throttling code such as `SlowDown`.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Throttled extends Schema.TaggedError<Throttled>()("Throttled", {
  /** The wait that OSS asks for, in milliseconds: `Retry-After` or `x-oss-qos-delay-time`. */
  retryAfter: Schema.optionalKey(Schema.Finite)
}) {
  readonly isRetryable = true
  readonly isAmbiguous = false
  readonly isResumable = true
  readonly remedy = "wait a while, or send fewer parts at once"
  override get message(): string {
    return "OSS asks for fewer requests"
  }
}

/**
 * OSS answered with 401, 408 or 5xx other than 503, or gave up waiting for the body.
 *
 * @category reasons
 * @since 0.1.0
 */
export class ServerError extends Schema.TaggedError<ServerError>()("ServerError", {
  description: Schema.String,
  /** The wait that OSS asks for, in milliseconds: `Retry-After` or `x-oss-qos-delay-time`. */
  retryAfter: Schema.optionalKey(Schema.Finite)
}) {
  readonly isRetryable = true
  readonly isAmbiguous = true
  readonly isResumable = true
  readonly remedy = "wait a while"
  override get message(): string {
    return `OSS failed: ${this.description}`
  }
}

/**
 * OSS's response could not be read: cut-off XML, an empty 200, an unexpected
 * status of success, a list that doesn't continue, or a missing CRC64 that
 * earlier responses had.
 *
 * @category reasons
 * @since 0.1.0
 */
export class UnreadableResponse extends Schema.TaggedError<UnreadableResponse>()(
  "UnreadableResponse",
  {
    description: Schema.String
  }
) {
  readonly isRetryable = true
  readonly isAmbiguous = true
  readonly isResumable = true
  readonly remedy = "check that the endpoint is OSS, and that no proxy changes its responses"
  override get message(): string {
    return `the response could not be read: ${this.description}`
  }
}

/**
 * The response came not from OSS but from something on the way: a proxy, a
 * firewall, a captive portal. It has neither `x-oss-request-id` nor OSS's XML. The
 * error may go away, unless the proxy wants a password or refuses large bodies.
 *
 * @category reasons
 * @since 0.1.0
 */
export class NotOss extends Schema.TaggedError<NotOss>()("NotOss", {
  /** The HTTP status. */
  status: Schema.Finite,
  /** From the response's `Server` header. */
  server: Schema.optionalKey(Schema.String),
  /** From the response's `Retry-After`, in milliseconds. */
  retryAfter: Schema.optionalKey(Schema.Finite)
}) {
  get isRetryable(): boolean {
    return this.status !== 407 && this.status !== 413
  }
  readonly isAmbiguous = true
  readonly isResumable = true
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
  override get message(): string {
    const from = this.server === undefined ? "" : `, from ${this.server}`
    return `the response is not OSS's (${this.status}${from})`
  }
}

/**
 * No connection to this endpoint can work: its certificate is not trusted, has
 * expired or is another host's, only one side speaks TLS, or the proxy's
 * settings are wrong. The same request fails again until the endpoint or this
 * machine is set up differently.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Misconnected extends Schema.TaggedError<Misconnected>()("Misconnected", {
  /** The HTTP client's message. */
  description: Schema.String,
  remedy: Schema.String
}) {
  readonly isRetryable = false
  readonly isAmbiguous = false
  readonly isResumable = false
  override get message(): string {
    return `the connection can't be made: ${this.description}`
  }
}

/**
 * This machine's clock is more than 15 minutes off. The client has learnt the
 * difference and signs later requests with the right time.
 *
 * @category reasons
 * @since 0.1.0
 */
export class ClockSkew extends Schema.TaggedError<ClockSkew>()("ClockSkew", {
  /** The server's time less this machine's, in milliseconds. */
  offset: Schema.Finite
}) {
  readonly isRetryable = true
  readonly isAmbiguous = false
  readonly isResumable = true
  readonly remedy = "set this machine's clock"
  override get message(): string {
    const seconds = Math.round(Math.abs(this.offset) / 1000)
    return `this machine's clock differs from the server's by ${seconds} s`
  }
}

/**
 * The security token or the presigned URL has expired, or new credentials could not be
 * fetched.
 *
 * @category reasons
 * @since 0.1.0
 */
export class CredentialsExpired extends Schema.TaggedError<CredentialsExpired>()(
  "CredentialsExpired",
  {
    description: Schema.String,
    /** True: an outage, such as a network failure, prevented fetching new credentials. */
    isOutage: Schema.optionalKey(Schema.Boolean)
  }
) {
  readonly isRetryable = true
  readonly isAmbiguous = false
  readonly isResumable = true
  get remedy(): string {
    return this.isOutage === true
      ? "check the network, and the service that gives the credentials"
      : "provide new credentials"
  }
  override get message(): string {
    return `the credentials have expired: ${this.description}`
  }
}

/**
 * There are no credentials to sign with, and asking again does not help: the service
 * that issues them refuses, or a file or variable is wrong.
 *
 * @category reasons
 * @since 0.1.0
 */
export class NoCredentials extends Schema.TaggedError<NoCredentials>()("NoCredentials", {
  /** The source and its response. */
  description: Schema.String,
  /** The source's own remedy. */
  advice: Schema.optionalKey(Schema.String)
}) {
  readonly isRetryable = false
  readonly isAmbiguous = false
  readonly isResumable = true
  get remedy(): string {
    return this.advice ?? "check the source of the credentials"
  }
  override get message(): string {
    return `there are no credentials: ${this.description}`
  }
}

/**
 * OSS or the signer of URLs refuses the request, or OSS does not know the credentials.
 *
 * @category reasons
 * @since 0.1.0
 */
export class AccessDenied extends Schema.TaggedError<AccessDenied>()("AccessDenied", {
  description: Schema.String,
  /** OSS's error code, such as `SignatureDoesNotMatch`. */
  code: Schema.optionalKey(Schema.String),
  /** The RAM permission that the request needs, such as `oss:PutObject`. */
  permission: Schema.optionalKey(Schema.String)
}) {
  readonly isRetryable = false
  readonly isAmbiguous = false
  readonly isResumable = false
  get remedy(): string {
    switch (this.code) {
      case "SignatureDoesNotMatch":
        return "check the access key's secret and the region"
      case "InvalidAccessKeyId":
        return "use an access key that exists and is enabled; temporary keys need their security token too"
      case "InvalidSecurityToken":
        return "use the security token that came with the keys, or none"
      default:
        if (/not sign/.test(this.description)) return "make the signer sign this request"
        return /endpoint/i.test(this.description)
          ? "use the bucket's own endpoint or region"
          : `let a RAM or bucket policy grant ${this.permission ?? "this"} to these keys`
    }
  }
  override get message(): string {
    return `access denied: ${this.description}`
  }
}

/**
 * OSS refuses this user's requests for data over the default public endpoints
 * of mainland China (code `PublicEndpointForbidden`, EC 0048-00000401). It has done
 * so since 20 March 2025 for new users.
 *
 * @category reasons
 * @since 0.1.0
 */
export class PublicEndpointForbidden extends Schema.TaggedError<PublicEndpointForbidden>()(
  "PublicEndpointForbidden",
  { description: Schema.String }
) {
  readonly isRetryable = false
  readonly isAmbiguous = false
  readonly isResumable = false
  readonly remedy =
    "bind a domain of your own to the bucket and use it as endpoint with cname, or the region's internal endpoint"
  override get message(): string {
    return `OSS refuses this public endpoint: ${this.description}`
  }
}

/**
 * The bucket does not exist.
 *
 * @category reasons
 * @since 0.1.0
 */
export class NoSuchBucket extends Schema.TaggedError<NoSuchBucket>()("NoSuchBucket", {}) {
  readonly isRetryable = false
  readonly isAmbiguous = false
  readonly isResumable = false
  readonly remedy = "check the bucket's name and the region, or create the bucket"
  override get message(): string {
    return "the bucket does not exist"
  }
}

/**
 * The object does not exist.
 *
 * @category reasons
 * @since 0.1.0
 */
export class NoSuchKey extends Schema.TaggedError<NoSuchKey>()("NoSuchKey", {}) {
  readonly isRetryable = false
  readonly isAmbiguous = false
  readonly isResumable = false
  readonly remedy = "check the key and the endpoint"
  override get message(): string {
    return "the object does not exist"
  }
}

/**
 * The upload id is unknown: completed, aborted, or expired by a lifecycle rule.
 *
 * @category reasons
 * @since 0.1.0
 */
export class NoSuchUpload extends Schema.TaggedError<NoSuchUpload>()("NoSuchUpload", {}) {
  readonly isRetryable = false
  readonly isAmbiguous = false
  readonly isResumable = true
  readonly remedy = "see that nothing else aborts this upload"
  override get message(): string {
    return "the upload id is unknown: completed, aborted or expired"
  }
}

/**
 * Complete named a part that OSS does not have or has with another ETag, or the
 * parts were out of order.
 *
 * @category reasons
 * @since 0.1.0
 */
export class InvalidPart extends Schema.TaggedError<InvalidPart>()("InvalidPart", {
  description: Schema.String
}) {
  readonly isRetryable = false
  readonly isAmbiguous = false
  readonly isResumable = true
  readonly remedy = "see that nothing else aborts this upload"
  override get message(): string {
    return `OSS does not have a part that it acknowledged: ${this.description}`
  }
}

/**
 * The object exists, and the request has `forbidOverwrite`.
 *
 * @category reasons
 * @since 0.1.0
 */
export class AlreadyExists extends Schema.TaggedError<AlreadyExists>()("AlreadyExists", {}) {
  readonly isRetryable = false
  readonly isAmbiguous = false
  readonly isResumable = false
  readonly remedy = "choose another key, or delete the object first"
  override get message(): string {
    return "the object exists and must not be overwritten"
  }
}

/**
 * The object is stored, but its callback failed.
 *
 * @category reasons
 * @since 0.1.0
 */
export class CallbackFailed extends Schema.TaggedError<CallbackFailed>()("CallbackFailed", {
  description: Schema.String
}) {
  readonly isRetryable = false
  readonly isAmbiguous = false
  readonly isResumable = false
  readonly remedy =
    "see that the callback's server responds, and call it yourself: the object is stored"
  override get message(): string {
    return `the object is stored, but its callback failed: ${this.description}`
  }
}

/**
 * OSS received other bytes than were sent: a CRC64 differs. An upload that fails with
 * this reason keeps its checkpoint.
 *
 * @category reasons
 * @since 0.1.0
 */
export class ChecksumMismatch extends Schema.TaggedError<ChecksumMismatch>()("ChecksumMismatch", {
  /** What arrived damaged: a part, or the whole object, which OSS has stored nevertheless. */
  of: Schema.Literals(["part", "object"]),
  /** CRC-64/XZ of the source's bytes. */
  expected: Schema.BigInt,
  /** CRC-64/XZ of the bytes that OSS received. */
  actual: Schema.BigInt
}) {
  readonly isRetryable = true
  readonly isAmbiguous = false
  readonly isResumable = false
  get remedy(): string {
    return this.of === "part"
      ? "check this machine's memory and the proxies on the way, then abort the upload and start it again"
      : "the object is not what the source holds: delete it, then upload again to replace it"
  }
  override get message(): string {
    return `the ${this.of} arrived damaged: CRC64 ${this.expected} was sent, OSS has ${this.actual}`
  }
  /** Writes the CRC64s as text: JSON has no bigint. */
  override toJSON(): object {
    const { _tag, of, expected, actual } = this
    return { _tag, of, expected: String(expected), actual: String(actual) }
  }
}

/**
 * OSS refused the request for another reason, or the request can't be signed or sent.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Rejected extends Schema.TaggedError<Rejected>()("Rejected", {
  description: Schema.String,
  /** OSS's error code, or else `HTTP status <status>`. Absent if nothing was sent. */
  code: Schema.optionalKey(Schema.String)
}) {
  readonly isRetryable = false
  readonly isAmbiguous = false
  readonly isResumable = false
  get remedy(): string {
    return this.code === undefined
      ? "change the request"
      : `see OSS's documentation on ${this.code}`
  }
  override get message(): string {
    return `refused: ${this.description}`
  }
}

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
  UnreadableResponse,
  NotOss,
  Misconnected,
  ClockSkew,
  CredentialsExpired,
  NoCredentials,
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
