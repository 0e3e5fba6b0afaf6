/**
 * Why a checkpoint can't be used. Each reason is one class that knows its
 * message, its remedy, whether it may go away and whether the upload can be
 * carried on with. `CheckpointStore` exports all of it.
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
  /** Who holds the checkpoint, for instance `process 4711 on host web-1`. */
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
 * The lease went to another holder while this one was suspended or cut off.
 *
 * @category reasons
 * @since 0.1.0
 */
export class LeaseLost extends Schema.TaggedError<LeaseLost>()("LeaseLost", {}) {
  readonly isRetryable = false
  readonly isResumable = true
  readonly remedy = "see that no other upload of the same source to the same object runs"
  override get message(): string {
    return "another upload has taken this checkpoint over"
  }
}

/**
 * The checkpoint is not one, or was damaged.
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
 * The store can't be read or written: no permission, no space, no connection.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", {
  description: Schema.String
}) {
  readonly isRetryable = false
  readonly isResumable = true
  readonly remedy = "see that it is there, may be written to and has space left"
  override get message(): string {
    return `cannot be used: ${this.description}`
  }
}

/**
 * The checkpoint, or the place where it is kept, may come from someone else: it
 * belongs to another user, others may write to it, or it is no regular file.
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
  /** Where the checkpoint is, such as a file's path. */
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

  /** True if the same upload, started again, carries on where this one stopped. */
  get isResumable(): boolean {
    return this.reason.isResumable
  }

  /** True if the checkpoint is there but can't be read, now or later. */
  get isUnreadable(): boolean {
    return this.reason._tag === "Damaged" || this.reason._tag === "UnknownVersion"
  }

  override get message(): string {
    return `${this.problem}; ${this.remedy}`
  }
}
