/**
 * What can go wrong with the emulator itself. `OssEmulator` exports both errors.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * The emulator can't start: another program uses the port, it can't use a
 * directory, or an option makes no sense.
 *
 * @category errors
 * @since 0.1.0
 */
export class StartError extends Schema.TaggedError<StartError>("@effect-oss/emulator/StartError")(
  "StartError",
  {
    /** The option that the emulator can't start with. */
    option: Schema.Literals(["port", "host", "buckets", "dataDir", "seed", "credentials", "cors"]),
    /** What went wrong, in one line. */
    problem: Schema.String,
    /** What you can do about it. */
    remedy: Schema.String
  }
) {
  override get message(): string {
    return `${this.option}: ${this.problem}; ${this.remedy}`
  }
}

/**
 * The emulator refuses a request, as OSS would, and changes nothing.
 *
 * @category errors
 * @since 0.1.0
 */
export class Refusal extends Schema.TaggedError<Refusal>("@effect-oss/emulator/Refusal")(
  "Refusal",
  {
    /** OSS's error code, such as `NoSuchUpload`. */
    code: Schema.String,
    /** The HTTP status. */
    status: Schema.Finite,
    /** What OSS says about it. */
    message: Schema.String,
    /** Further elements of the XML answer, such as `StringToSign`. */
    details: Schema.Record(Schema.String, Schema.String),
    /** Headers that go with the answer, names in lower case. */
    headers: Schema.Record(Schema.String, Schema.String)
  }
) {}
