/**
 * Why a source can't be uploaded. `Source` exports all of it.
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
export class SourceNotFound extends Schema.TaggedError<SourceNotFound>()("SourceNotFound", {}) {}

/**
 * It is a directory, a pipe, a socket or a device: its size is not fixed.
 *
 * @category reasons
 * @since 0.1.0
 */
export class SourceNotAFile extends Schema.TaggedError<SourceNotAFile>()("SourceNotAFile", {
  /** What it is instead, such as `Directory`. */
  type: Schema.String
}) {}

/**
 * It exists but can't be read.
 *
 * @category reasons
 * @since 0.1.0
 */
export class SourceUnreadable extends Schema.TaggedError<SourceUnreadable>()("SourceUnreadable", {
  description: Schema.String
}) {}

/**
 * It is no longer what it was when the upload began.
 *
 * @category reasons
 * @since 0.1.0
 */
export class SourceChanged extends Schema.TaggedError<SourceChanged>()("SourceChanged", {
  description: Schema.String
}) {}

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
    reason: Schema.Union([SourceNotFound, SourceNotAFile, SourceUnreadable, SourceChanged])
  }
) {
  /** What happened, and to which source. */
  get problem(): string {
    switch (this.reason._tag) {
      case "SourceNotFound":
        return `${this.source}: no such file`
      case "SourceNotAFile":
        return `${this.source}: not a regular file but a ${this.reason.type}`
      case "SourceUnreadable":
        return `${this.source}: cannot be read: ${this.reason.description}`
      case "SourceChanged":
        return `${this.source}: changed while it was being uploaded: ${this.reason.description}`
    }
  }

  /** What to do about it. */
  get remedy(): string {
    switch (this.reason._tag) {
      case "SourceNotFound":
        return "give the path of a file that exists"
      case "SourceNotAFile":
        return "give a regular file, or a stream of its bytes"
      case "SourceUnreadable":
        return "see that this process may read it and that it is there, then upload again"
      case "SourceChanged":
        return "stop what writes to it, or upload a copy of it, then upload again"
    }
  }

  override get message(): string {
    return `${this.problem}; ${this.remedy}`
  }
}

/**
 * The error of a source that is no longer what it was.
 *
 * @category errors
 * @since 0.1.0
 */
export const changed = (source: string, description: string): SourceError =>
  new SourceError({ source, reason: new SourceChanged({ description }) })
