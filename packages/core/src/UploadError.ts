/**
 * Errors that an upload finds by itself, before or after asking OSS.
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
  /** The option that is wrong. */
  field: Schema.String,
  problem: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return `${this.field}: ${this.problem}; ${this.remedy}`
  }
}

/**
 * What OSS holds is not what the source holds: a CRC64 differs. The checkpoint
 * stays, and the upload is not a success.
 *
 * @category errors
 * @since 0.1.0
 */
export class IntegrityError extends Schema.TaggedError<IntegrityError>(
  "@effect-oss/core/IntegrityError"
)("IntegrityError", {
  key: Schema.String,
  /** Absent if the whole object differs. */
  partNumber: Schema.optionalKey(Schema.Finite),
  /** CRC-64/XZ of the source's bytes. */
  expected: Schema.BigInt,
  /** CRC-64/XZ of what OSS received. */
  actual: Schema.BigInt
}) {
  /** What happened, and where. */
  get problem(): string {
    const what = this.partNumber === undefined ? "the object" : `part ${this.partNumber}`
    return `${this.key}: ${what} arrived damaged: CRC64 ${this.expected} was sent, OSS has ${this.actual}`
  }

  /** What to do about it. */
  get remedy(): string {
    return this.partNumber === undefined
      ? "the object is not what the source holds: delete it, then upload again to replace it"
      : "check this machine's memory and the proxies on the way, then upload again to carry on"
  }

  override get message(): string {
    return `${this.problem}; ${this.remedy}`
  }
}
