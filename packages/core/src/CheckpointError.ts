/**
 * The reasons why a checkpoint can't be used. Each reason is a class with a
 * message, a remedy, and flags for whether you can retry or resume the upload.
 * `CheckpointStore` exports all of them.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * Another upload holds the checkpoint.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Busy extends Schema.TaggedError<Busy>()("Busy", {
  /** The holder of the checkpoint, for example `process 4711 on host web-1`. */
  holder: Schema.String
}) {
  readonly isRetryable = true
  readonly isResumable = true
  readonly remedy = "wait until that upload has ended, or end it"
  override get message(): string {
    return `in use by ${this.holder}`
  }
}

/**
 * Another upload took the lease while this one was suspended or disconnected.
 *
 * @category reasons
 * @since 0.1.0
 */
export class LeaseLost extends Schema.TaggedError<LeaseLost>()("LeaseLost", {}) {
  readonly isRetryable = false
  readonly isResumable = true
  readonly remedy =
    "make sure that no other upload of the same source to the same object is running"
  override get message(): string {
    return "another upload has taken this checkpoint over"
  }
}

/**
 * The stored data is not a valid checkpoint.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Damaged extends Schema.TaggedError<Damaged>()("Damaged", {
  description: Schema.String
}) {
  readonly isRetryable = false
  readonly isResumable = false
  readonly remedy =
    'move it away or delete it, or give onDamagedCheckpoint: "restart", to start afresh'
  override get message(): string {
    return `not a usable checkpoint: ${this.description}`
  }
}

/**
 * The checkpoint was written by a newer version of this library.
 *
 * @category reasons
 * @since 0.1.0
 */
export class UnknownVersion extends Schema.TaggedError<UnknownVersion>()("UnknownVersion", {
  version: Schema.String
}) {
  readonly isRetryable = false
  readonly isResumable = false
  readonly remedy = "use a newer version, or move it away or delete it to start afresh"
  override get message(): string {
    return `written in format ${this.version}, which this version does not know`
  }
}

/**
 * The store can't be read or written, for example without permission, space or a connection.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", {
  description: Schema.String
}) {
  readonly isRetryable = false
  readonly isResumable = true
  readonly remedy = "check that it exists, is writable and has space left"
  override get message(): string {
    return `cannot be used: ${this.description}`
  }
}

/**
 * The checkpoint or its directory is not safe to use: it belongs to another user,
 * other users may write to it, or it is not a regular file.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Untrusted extends Schema.TaggedError<Untrusted>()("Untrusted", {
  description: Schema.String
}) {
  readonly isRetryable = false
  readonly isResumable = false
  readonly remedy =
    "remove it if you don't know it; keep checkpoints where only you can write (chmod go-w), or allow others to with `allowShared`"
  override get message(): string {
    return `not trusted: ${this.description}`
  }
}

/**
 * The checkpoint can't be used.
 *
 * @category errors
 * @since 0.1.0
 */
export class CheckpointError extends Schema.TaggedError<CheckpointError>(
  "@effect-oss/core/CheckpointError"
)("CheckpointError", {
  /** The place of the checkpoint, such as a file's path. */
  location: Schema.String,
  /** Why the checkpoint can't be used. */
  reason: Schema.Union([Busy, LeaseLost, Damaged, UnknownVersion, Unavailable, Untrusted])
}) {
  /** What happened, and to which checkpoint. */
  get problem(): string {
    return `${this.location}: ${this.reason.message}`
  }

  /** What to do about it. */
  get remedy(): string {
    return this.isResumable
      ? `${this.reason.remedy}, then upload again to carry on`
      : this.reason.remedy
  }

  /** True if the error may go away when the checkpoint is opened again. */
  get isRetryable(): boolean {
    return this.reason.isRetryable
  }

  /** True if the same upload, started again, resumes where this one stopped. */
  get isResumable(): boolean {
    return this.reason.isResumable
  }

  /** True if the checkpoint exists but this version can't read it; a retry doesn't help. */
  get isUnreadable(): boolean {
    return this.reason._tag === "Damaged" || this.reason._tag === "UnknownVersion"
  }

  override get message(): string {
    return `${this.problem}; ${this.remedy}`
  }
}
