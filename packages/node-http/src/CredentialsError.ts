/**
 * Why there are no credentials. Every message names the file, the variables or
 * the service, and shows no secret.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * No source has credentials.
 *
 * @category reasons
 * @since 0.1.0
 */
export class CredentialsNotFound extends Schema.TaggedError<CredentialsNotFound>()(
  "CredentialsNotFound",
  {
    /** What was tried, in order, and why it has none. */
    tried: Schema.Array(Schema.String)
  }
) {
  readonly isRetryable = false
  readonly remedy = "set OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET, or give any other of them"
  override get message(): string {
    return [
      "no credentials were found; set OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET, or one of these:",
      ...this.tried.map((line) => `  - ${line}`)
    ].join("\n")
  }
}

/**
 * A file, a variable or a response is there, but it is not as it has to be.
 *
 * @category reasons
 * @since 0.1.0
 */
export class CredentialsInvalid extends Schema.TaggedError<CredentialsInvalid>()(
  "CredentialsInvalid",
  {
    /** The file with its profile, the variables, or the service. */
    source: Schema.String,
    /** The field or variable that is wrong, if it is one. */
    field: Schema.optionalKey(Schema.String),
    problem: Schema.String
  }
) {
  readonly isRetryable = false
  readonly remedy = "mend that, or name another profile"
  override get message(): string {
    const field = this.field === undefined ? "" : `${this.field} `
    return `${this.source}: ${field}${this.problem}`
  }
}

/**
 * The service that gives credentials refuses to.
 *
 * @category reasons
 * @since 0.1.0
 */
export class CredentialsRefused extends Schema.TaggedError<CredentialsRefused>()(
  "CredentialsRefused",
  { source: Schema.String, problem: Schema.String, remedy: Schema.String }
) {
  readonly isRetryable = false
  override get message(): string {
    return `${this.source}: ${this.problem}`
  }
}

/**
 * The service that gives credentials can't be reached, or fails. This may go away.
 *
 * @category reasons
 * @since 0.1.0
 */
export class CredentialsUnavailable extends Schema.TaggedError<CredentialsUnavailable>()(
  "CredentialsUnavailable",
  { source: Schema.String, problem: Schema.String }
) {
  readonly isRetryable = true
  readonly remedy = "check the network, and the service that gives the credentials"
  override get message(): string {
    return `${this.source}: ${this.problem}`
  }
}

/**
 * There are no credentials. The `_tag` of `reason` says why, `isRetryable` whether it
 * may go away by itself.
 *
 * @category errors
 * @since 0.1.0
 */
export class CredentialsError extends Schema.TaggedError<CredentialsError>(
  "@effect-oss/node-http/CredentialsError"
)("CredentialsError", {
  /** Why there are no keys. */
  reason: Schema.Union([
    CredentialsNotFound,
    CredentialsInvalid,
    CredentialsRefused,
    CredentialsUnavailable
  ])
}) {
  get isRetryable(): boolean {
    return this.reason.isRetryable
  }
  get remedy(): string {
    return this.reason.remedy
  }
  override get message(): string {
    return this.reason.message
  }
}
