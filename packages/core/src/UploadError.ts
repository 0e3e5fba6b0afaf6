/**
 * The error of a request that can't be carried out.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * The request can't be carried out as it stands; nothing was sent.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>(
  "@effect-oss/core/InvalidRequest"
)("InvalidRequest", {
  /** The option that is wrong, by its name. */
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
