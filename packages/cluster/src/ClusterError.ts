/**
 * The errors that an upload of a cluster can end with.
 *
 * @since 0.1.0
 */
import { OssError } from "@effect-oss/core/OssError"
import { SourceError } from "@effect-oss/core/Source"
import { InvalidRequest } from "@effect-oss/core/UploadError"
import * as Schema from "effect/Schema"

/**
 * The upload was cancelled, and its parts were aborted.
 *
 * @category errors
 * @since 0.1.0
 */
export class Cancelled extends Schema.TaggedError<Cancelled>("@effect-oss/cluster/Cancelled")(
  "Cancelled",
  {
    /** The key of the object that the upload would have made. */
    key: Schema.String
  }
) {
  override get message(): string {
    return `${this.key}: the upload was cancelled`
  }
}

/**
 * No upload with this id was submitted to this cluster, or it ended long ago
 * and was cleaned up.
 *
 * @category errors
 * @since 0.1.0
 */
export class UnknownUpload extends Schema.TaggedError<UnknownUpload>(
  "@effect-oss/cluster/UnknownUpload"
)("UnknownUpload", {
  /** The id that you gave. */
  id: Schema.String
}) {
  override get message(): string {
    return `there is no upload ${this.id} in this database`
  }
}

/**
 * Every error that an upload can end with.
 *
 * @category errors
 * @since 0.1.0
 */
export const Failure = Schema.Union([OssError, SourceError, InvalidRequest, Cancelled])

/**
 * Every error that an upload can end with.
 *
 * @category errors
 * @since 0.1.0
 */
export type Failure = typeof Failure.Type
