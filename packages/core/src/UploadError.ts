/**
 * The error of an invalid upload request.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * The request is invalid. Nothing was sent.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>(
  "@effect-oss/core/InvalidRequest"
)("InvalidRequest", {
  /** The name of the option that is wrong. */
  field: Schema.String,
  /** What is wrong with it. */
  problem: Schema.String,
  /** What to do about it. */
  remedy: Schema.String
}) {
  readonly isRetryable = false
  readonly isResumable = false

  override get message(): string {
    return `${this.field}: ${this.problem}; ${this.remedy}`
  }
}
