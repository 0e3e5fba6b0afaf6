/**
 * Why a source can't be uploaded. Each reason is one class. It has a `message`
 * and a `remedy`, and tells whether the upload can be retried or resumed.
 * `Source` exports all reasons.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * There is nothing at that place.
 *
 * @category reasons
 * @since 0.1.0
 */
export class SourceNotFound extends Schema.TaggedError<SourceNotFound>()("SourceNotFound", {
  /** Of a URL: the HTTP status of the response, such as 404. */
  status: Schema.optionalKey(Schema.Finite)
}) {
  readonly isRetryable = false
  readonly isResumable = false
  get remedy(): string {
    return this.status === undefined
      ? "give the path of a file that exists"
      : "give a URL that exists"
  }
  override get message(): string {
    return this.status === undefined ? "no such file" : `not found: status ${this.status}`
  }
}

/**
 * It is a directory, a pipe, a socket or a device: its size is not fixed.
 *
 * @category reasons
 * @since 0.1.0
 */
export class SourceNotAFile extends Schema.TaggedError<SourceNotAFile>()("SourceNotAFile", {
  /** What it is instead, such as `Directory`. */
  type: Schema.String
}) {
  readonly isRetryable = false
  readonly isResumable = false
  readonly remedy = "give a regular file, or a stream of its bytes"
  override get message(): string {
    return `not a regular file but a ${this.type}`
  }
}

/**
 * It exists but can't be read.
 *
 * @category reasons
 * @since 0.1.0
 */
export class SourceUnreadable extends Schema.TaggedError<SourceUnreadable>()("SourceUnreadable", {
  description: Schema.String,
  /** The system's code for the error, such as `EIO`, `ENOTCONN`, `ESTALE` or `EMFILE`. */
  code: Schema.optionalKey(Schema.String),
  /** What to do about it. Without it, the remedy follows from `code`. */
  advice: Schema.optionalKey(Schema.String)
}) {
  readonly isRetryable = false
  readonly isResumable = true
  get remedy(): string {
    return this.advice ?? remedyFor(this.code)
  }
  override get message(): string {
    return `cannot be read: ${this.description}`
  }
}

const remedyFor = (code: string | undefined): string => {
  switch (code) {
    case "EMFILE":
    case "ENFILE":
      return "raise the limit of open files (see `ulimit -n`), or upload fewer files at once"
    case "EACCES":
    case "EPERM":
      return "let this process read it"
    case "EIO":
    case "ENODEV":
    case "ENOTCONN":
    case "ENXIO":
    case "ESTALE":
    case "ETIMEDOUT":
      return "check the disk or the network share it is on, and mount it again if need be"
    default:
      return "see that this process may read it and that it is there"
  }
}

/**
 * It is no longer what it was when the upload began.
 *
 * @category reasons
 * @since 0.1.0
 */
export class SourceChanged extends Schema.TaggedError<SourceChanged>()("SourceChanged", {
  description: Schema.String
}) {
  readonly isRetryable = false
  readonly isResumable = false
  readonly remedy = "stop what writes to it, or upload a copy of it, then upload again"
  override get message(): string {
    return `changed while it was being uploaded: ${this.description}`
  }
}

/**
 * The source can't be uploaded as it is.
 *
 * @category errors
 * @since 0.1.0
 */
export class SourceError extends Schema.TaggedError<SourceError>("@effect-oss/core/SourceError")(
  "SourceError",
  {
    /** The source's name, as it was given. */
    source: Schema.String,
    /** Why the source can't be uploaded. */
    reason: Schema.Union([SourceNotFound, SourceNotAFile, SourceUnreadable, SourceChanged])
  }
) {
  /** What happened, and to which source. */
  get problem(): string {
    return `${this.source}: ${this.reason.message}`
  }

  /** What to do about it. */
  get remedy(): string {
    return this.isResumable
      ? `${this.reason.remedy}, then upload again to carry on`
      : this.reason.remedy
  }

  /** True if the error may go away when the source is read again. */
  get isRetryable(): boolean {
    return this.reason.isRetryable
  }

  /** True if the same upload, started again, carries on where this one stopped. */
  get isResumable(): boolean {
    return this.reason.isResumable
  }

  override get message(): string {
    return `${this.problem}; ${this.remedy}`
  }
}
