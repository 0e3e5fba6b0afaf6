/**
 * The errors of a search for credentials. Every message names the file, the
 * variables or the service, and contains no secret.
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
    /** The sources that were tried, in order, each with the reason why it has no credentials. */
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
 * A file, a variable or a response exists but is not valid.
 *
 * @category reasons
 * @since 0.1.0
 */
export class CredentialsInvalid extends Schema.TaggedError<CredentialsInvalid>()(
  "CredentialsInvalid",
  {
    /** The file and its profile, the variables, or the service. */
    source: Schema.String,
    /** The invalid field or variable, if there is one. */
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
 * The credentials service refuses the request.
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
 * The credentials service is unreachable or fails. A later attempt may succeed.
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
 * There are no credentials. The `_tag` of `reason` says why. `isRetryable` is
 * true if a later attempt may succeed.
 *
 * @category errors
 * @since 0.1.0
 */
export class CredentialsError extends Schema.TaggedError<CredentialsError>(
  "@effect-oss/node-http/CredentialsError"
)("CredentialsError", {
  /** The reason why there are no credentials. */
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
