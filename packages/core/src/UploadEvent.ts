/**
 * The events of a running upload. They come in this order:
 *
 * 1. `Started`.
 * 2. `Resumed` or `Restarted`, if an earlier run left something.
 * 3. `PartUploaded`, `Retrying`, `Waiting` and `Progress`, mixed.
 * 4. `Completing`, unless the object is sent in one request.
 * 5. `Completed`.
 *
 * A CRC64 is a bigint, which `JSON.stringify` can't write. A result of an upload
 * writes it as a text of digits. For events, use the codec `UploadEventJson`.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { RestartReason } from "./internal/checkpoint.ts"
import * as OssError from "./OssError.ts"

/**
 * A finished upload.
 *
 * @category models
 * @since 0.1.0
 */
export const UploadResult = Schema.Struct({
  /** The bucket that holds the object. */
  bucket: Schema.String,
  /** The object's key. */
  key: Schema.String,
  /** The object's size in bytes. */
  size: Schema.Finite,
  /** The object's ETag, quotes included. The ETag of an object made of parts is not a check sum. */
  etag: Schema.String,
  /** The CRC-64/XZ of the source's bytes. */
  crc64: Schema.BigIntFromString,
  /** True if OSS returned the same CRC64 for the whole object. False if the endpoint returns none. */
  verified: Schema.Boolean,
  /** The version of the object, in a bucket with versioning. */
  versionId: Schema.optionalKey(Schema.String),
  /** How many bytes of the source an earlier run had sent. */
  resumed: Schema.Finite,
  /** How many bytes this run gave to the network. Parts that were sent again count again. */
  sent: Schema.Finite,
  /** True if the object was already stored and nothing was sent: see `skipIdentical`. Otherwise absent. */
  skipped: Schema.optionalKey(Schema.Literal(true))
})

/**
 * A finished upload.
 *
 * @category models
 * @since 0.1.0
 */
export interface UploadResult extends Schema.Schema.Type<typeof UploadResult> {}

/**
 * A codec for results as JSON. The CRC64 becomes a text of decimal digits.
 *
 * **Details**
 *
 * `JSON.stringify` writes a result of `Upload.upload` in the same way. A copy such
 * as `{ ...result }` needs this codec.
 *
 * @category JSON
 * @since 0.1.0
 */
export const UploadResultJson: Schema.Codec<UploadResult, Schema.Json> =
  /*#__PURE__*/ Schema.toCodecJson(UploadResult)

/**
 * How far an upload has come.
 *
 * @category models
 * @since 0.1.0
 */
export const Progress = Schema.Struct({
  /** How many bytes OSS has acknowledged and the checkpoint has recorded. It never decreases, except after `Restarted`. It reaches `total` only when the object is stored. */
  durable: Schema.Finite,
  /** `durable` plus the bytes in flight. It never decreases either. */
  sent: Schema.Finite,
  /** The size of the source in bytes; null while it isn't known. */
  total: Schema.NullOr(Schema.Finite),
  /** Bytes a second, over the last seconds. */
  rate: Schema.Finite,
  /** The time left at this rate, in milliseconds; null while the rate is 0 or the total isn't known. */
  eta: Schema.NullOr(Schema.Finite)
})

/**
 * How far an upload has come.
 *
 * @category models
 * @since 0.1.0
 */
export interface Progress extends Schema.Schema.Type<typeof Progress> {}

/**
 * Why parts don't have to be sent:
 *
 * - `Recorded`: an earlier run recorded them in its checkpoint.
 * - `Completed`: an earlier run completed the object from them, and ended before it could report that.
 * - `PartsLost`: OSS lost other parts, and still has these.
 */
const ResumeReason = Schema.Literals(["Recorded", "Completed", "PartsLost"])

/** Why parts needn't be sent. */
type ResumeReason = typeof ResumeReason.Type

/**
 * An event of a running upload.
 *
 * **Example** (one line an event)
 *
 * ```ts
 * import { UploadEvent } from "@effect-oss/core"
 *
 * const line = UploadEvent.UploadEvent.match({
 *   Started: (event) => `${event.source}: ${event.size ?? "?"} bytes`,
 *   Resumed: (event) => `${event.bytes} bytes are there already`,
 *   Restarted: (event) => `starting afresh: ${event.reason}`,
 *   PartUploaded: (event) => `part ${event.number}`,
 *   Retrying: (event) => `${event.operation} again in ${event.delay} ms`,
 *   Waiting: (event) => `waiting, ${event.elapsed} ms: ${event.reason.message}`,
 *   Progress: (event) => `${event.durable} of ${event.total ?? "?"}`,
 *   Completing: () => "completing",
 *   Completed: (event) => `done: ${event.result.etag}`
 * })
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export const UploadEvent = Schema.TaggedUnion({
  /** The source is open and the checkpoint is held. */
  Started: {
    /** The bucket that the object goes to. */
    bucket: Schema.String,
    /** The object's key. */
    key: Schema.String,
    /** The source's name. */
    source: Schema.String,
    /** The source's size in bytes; null if it isn't known. */
    size: Schema.NullOr(Schema.Finite)
  },
  /** The upload uses parts of an earlier run. */
  Resumed: {
    /** Why these parts needn't be sent. */
    reason: ResumeReason,
    /** How many bytes needn't be sent. */
    bytes: Schema.Finite,
    /** How many parts needn't be sent. */
    parts: Schema.Finite
  },
  /** The upload gives up the parts sent so far, and starts from the beginning. */
  Restarted: {
    /** Why the earlier parts can't be used. */
    reason: RestartReason
  },
  /** OSS has acknowledged a part, and the checkpoint has recorded it. */
  PartUploaded: {
    /** The part's number; the first is 1. */
    number: Schema.Finite,
    /** The part's size in bytes. */
    size: Schema.Finite,
    /** The part's ETag, quotes included. */
    etag: Schema.String,
    /** True if OSS had the part from an earlier run and its CRC64 matches the source, so it wasn't sent again. */
    adopted: Schema.Boolean,
    /** How many bytes of the upload are durable now. */
    durable: Schema.Finite
  },
  /** A request failed and will be sent again. */
  Retrying: {
    /** What the request does, such as `uploadPart`. */
    operation: OssError.Operation,
    /** The part's number, if the request sends a part. */
    partNumber: Schema.optionalKey(Schema.Finite),
    /** The number of the attempt that failed; the first is 1. */
    attempt: Schema.Finite,
    /** How long the upload waits before it sends the request again, in milliseconds. */
    delay: Schema.Finite,
    /** Why the attempt failed. */
    reason: OssError.Reason
  },
  /** The network or OSS is away, and the upload waits for it. Reported after 10 seconds without a success, then at most every 10 seconds. */
  Waiting: {
    /** How long nothing has succeeded, in milliseconds. */
    elapsed: Schema.Finite,
    /** Why the last attempt failed. */
    reason: OssError.Reason
  },
  /** How far the upload has come. Sampled five times a second. */
  Progress: Progress.fields,
  /** All parts are durable and the source is unchanged. OSS is asked to complete the object. */
  Completing: {},
  /** The object is stored. `verified` of the result says whether OSS confirmed its CRC64. */
  Completed: {
    /** The finished upload. */
    result: UploadResult
  }
})

/** The source is open and the checkpoint is held. */
interface Started extends Case<"Started"> {}

/** The upload uses parts of an earlier run. */
interface Resumed extends Case<"Resumed"> {}

/** The upload gives up the parts sent so far. */
interface Restarted extends Case<"Restarted"> {}

/** A part is durable. */
interface PartUploaded extends Case<"PartUploaded"> {}

/** A request failed and will be sent again. */
interface Retrying extends Case<"Retrying"> {}

/** Nothing has succeeded for a while. */
interface Waiting extends Case<"Waiting"> {}

/** A sample of the progress. */
interface Progressed extends Case<"Progress"> {}

/** OSS is asked to complete the object. */
interface Completing extends Case<"Completing"> {}

/** The object is stored and has the content of the source. */
interface Completed extends Case<"Completed"> {}

type Case<Tag extends keyof typeof UploadEvent.cases> = (typeof UploadEvent.cases)[Tag]["Type"]

/**
 * An event of a running upload.
 *
 * @category models
 * @since 0.1.0
 */
export type UploadEvent =
  | Started
  | Resumed
  | Restarted
  | PartUploaded
  | Retrying
  | Waiting
  | Progressed
  | Completing
  | Completed

/**
 * A codec for events as JSON, for a log, a socket or a page. The command writes
 * the same with `--json`.
 *
 * **Example** (one line an event)
 *
 * ```ts
 * import { Source, Upload, UploadEvent } from "@effect-oss/core"
 * import { Console, Schema, Stream } from "effect"
 *
 * const encode = Schema.encodeEffect(Schema.fromJsonString(UploadEvent.UploadEventJson))
 *
 * const lines = Upload.events({ key: "backups/db.tar", source: Source.file("db.tar") }).pipe(
 *   Stream.mapEffect((event) => encode(event)),
 *   Stream.runForEach(Console.log)
 * )
 * ```
 *
 * @category JSON
 * @since 0.1.0
 */
export const UploadEventJson: Schema.Codec<UploadEvent, Schema.Json> =
  /*#__PURE__*/ Schema.toCodecJson(UploadEvent)
