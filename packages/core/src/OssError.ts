/**
 * The error of a request to OSS: `OssError`, whose `reason` says what happened. Each
 * response is classified once, where it is read. All other code uses the reason.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import {
  AccessDenied,
  AlreadyExists,
  CallbackFailed,
  ClockSkew,
  CredentialsExpired,
  InvalidPart,
  NoSuchBucket,
  NoSuchKey,
  NoSuchUpload,
  NotOss,
  PublicEndpointForbidden,
  Reason,
  Rejected,
  ServerError,
  Throttled,
  UnreadableResponse,
  Transport
} from "./OssErrorReason.ts"

export * from "./OssErrorReason.ts"

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
  "put",
  "listObjects",
  "delete"
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
 * **Example** (an object that may not exist)
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
    /** What the request does, such as `uploadPart`. */
    operation: Operation,
    /** The bucket that the request was sent to. */
    bucket: Schema.String,
    /** The object's key; absent for requests about the bucket. */
    key: Schema.optionalKey(Schema.String),
    /** The part's number, if the request sends a part. */
    partNumber: Schema.optionalKey(Schema.Finite),
    /** The HTTP status; absent if there was no response. */
    status: Schema.optionalKey(Schema.Finite),
    /** OSS's own error code, such as `SignatureDoesNotMatch`. */
    code: Schema.optionalKey(Schema.String),
    /** The id of the request at OSS. Alibaba's support asks for it. */
    requestId: Schema.optionalKey(Schema.String),
    /** The number of the attempt, from 2; absent for the first. */
    attempt: Schema.optionalKey(Schema.Finite),
    /** Why the request failed. */
    reason: Reason
  }
) {
  /** What happened and where. */
  get problem(): string {
    const where = this.key === undefined ? this.bucket : `${this.bucket}/${this.key}`
    const part = this.partNumber === undefined ? "" : ` part ${this.partNumber}`
    const facts = [
      this.code,
      // The message of `NotOss` has the status already.
      this.reason._tag === "NotOss" ? undefined : this.status,
      this.requestId && `request id ${this.requestId}`,
      this.attempt && `attempt ${this.attempt}`
    ]
    const known = facts.filter((fact) => fact !== undefined && fact !== "")
    return `${this.operation} ${where}${part}: ${this.reason.message}${known.length > 0 ? ` (${known.join(", ")})` : ""}`
  }

  /** What to do about it. */
  get remedy(): string {
    return this.isResumable
      ? `${this.reason.remedy}, then upload again to carry on`
      : this.reason.remedy
  }

  override get message(): string {
    return `${this.problem}; ${this.remedy}`
  }

  /** True if the error may go away when the same request is sent again. */
  get isRetryable(): boolean {
    return this.reason.isRetryable
  }

  /** True if OSS may have carried out the request although it failed here. */
  get isAmbiguous(): boolean {
    return this.reason.isAmbiguous
  }

  /** True if the same upload, started again, carries on where this one stopped. */
  get isResumable(): boolean {
    return this.reason.isResumable
  }

  /** The wait that OSS asks for, in milliseconds; 0 if it asks for none. */
  get retryAfter(): number {
    const { reason } = this
    switch (reason._tag) {
      case "Throttled":
      case "ServerError":
      case "NotOss":
        return reason.retryAfter ?? 0
      default:
        return 0
    }
  }
}

/** The RAM permission that each request needs. */
const permissions: Readonly<Record<Operation, string>> = {
  initiate: "oss:PutObject",
  uploadPart: "oss:PutObject",
  complete: "oss:PutObject",
  put: "oss:PutObject",
  listParts: "oss:ListParts",
  abort: "oss:AbortMultipartUpload",
  listUploads: "oss:ListMultipartUploads",
  head: "oss:GetObject",
  listObjects: "oss:ListObjects",
  delete: "oss:DeleteObject"
}

/**
 * The facts of an error response that `reasonOf` uses.
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
  /** From the headers `Retry-After` or `x-oss-qos-delay-time`, in milliseconds. */
  readonly retryAfter?: number | undefined
  /** False: the response has neither a request id nor an error code of OSS. Default: true. */
  readonly fromOss?: boolean | undefined
  /** The `Server` header. */
  readonly server?: string | undefined
  /** The server's time less this machine's, in milliseconds. */
  readonly offset?: number | undefined
}

/**
 * Classifies an error response. OSS's error code decides. If there is no code, or the
 * code is not a known one, the HTTP status decides.
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
    case "RequestTimeTooSkewed":
      return new ClockSkew({ offset: refusal.offset ?? 0 })
    case "PublicEndpointForbidden":
      return new PublicEndpointForbidden({ description })
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
  // Only presigned URLs get this message: the signer is asked for another one.
  if (status === 403 && /request has expired/i.test(description)) {
    return new CredentialsExpired({ description })
  }
  if (status === 403) {
    const permission = permissions[refusal.operation]
    return new AccessDenied({ description, permission, ...(code === "" ? {} : { code }) })
  }
  if (status === 203) return new CallbackFailed({ description })
  // OSS never refuses with such a status: something in between has changed the response.
  if (status < 300) return new UnreadableResponse({ description: `it has HTTP status ${status}` })
  if (status === 404 && refusal.operation === "head") return new NoSuchKey()
  return new Rejected({ description, code: code || `HTTP status ${status}` })
}
