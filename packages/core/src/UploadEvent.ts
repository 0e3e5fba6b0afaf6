/**
 * What a running upload reports, in order: `Started`, then `Resumed` or
 * `Restarted` if an earlier run left something, then `PartUploaded`, `Retrying`,
 * `Waiting` and `Progress` mixed, then `Completing`, and `Completed` last. An
 * object that goes up with one request has no `Completing`.
 *
 * A CRC64 is a bigint, which `JSON.stringify` refuses. The results of an upload
 * print it as a text of digits; for events, `UploadEventJson` is the codec.
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
  /** Quotes included. The ETag of an object made of parts is not a check sum. */
  etag: Schema.String,
  /** CRC-64/XZ of the source's bytes. */
  crc64: Schema.BigIntFromString,
  /** True if OSS answered the same CRC64 for the whole object; false on endpoints that answer none. */
  verified: Schema.Boolean,
  /** In buckets with versioning. */
  versionId: Schema.optionalKey(Schema.String),
  /** Of the source that were there from an earlier run, in bytes. */
  resumed: Schema.Finite,
  /** Given to the network in this run, in bytes; parts that were sent again count again. */
  sent: Schema.Finite,
  /** Present if the object was there already, identical, and nothing had to be sent: see `skipIdentical`. */
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
 * Results as JSON, and back: the CRC64 is a text of decimal digits.
 *
 * **Details**
 *
 * `JSON.stringify(result)` writes the same for what `Upload.upload` yields. A
 * copy such as `{ ...result }` needs this codec.
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
  /** Acknowledged by OSS and recorded in the checkpoint, in bytes; never less than before, unless `Restarted` came in between, and all of `total` only once the object is there. */
  durable: Schema.Finite,
  /** `durable` and what is on its way, in bytes; never less than before either. */
  sent: Schema.Finite,
  /** Of the source, in bytes; null while that isn't known. */
  total: Schema.NullOr(Schema.Finite),
  /** In bytes a second, over the last seconds. */
  rate: Schema.Finite,
  /** Time left at this rate, in milliseconds; null while the rate is 0 or the total isn't known. */
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
 * Why parts needn't be sent:
 *
 * - `Recorded`: an earlier run recorded them in its checkpoint;
 * - `Completed`: an earlier run made the object of them, and ended before it could say so;
 * - `PartsLost`: OSS lost others on the way, and still has these.
 */
const ResumeReason = Schema.Literals(["Recorded", "Completed", "PartsLost"])

/** Why parts needn't be sent. */
type ResumeReason = typeof ResumeReason.Type

/**
 * What a running upload reports.
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
  /** Parts of an earlier run are used. */
  Resumed: {
    /** Why these parts needn't be sent. */
    reason: ResumeReason,
    /** How many bytes needn't be sent. */
    bytes: Schema.Finite,
    /** How many parts needn't be sent. */
    parts: Schema.Finite
  },
  /** What an earlier run, or this one, has sent is given up. */
  Restarted: {
    /** Why the earlier parts can't be used. */
    reason: RestartReason
  },
  /** A part is durable. */
  PartUploaded: {
    /** The part's number; the first is 1. */
    number: Schema.Finite,
    /** The part's size in bytes. */
    size: Schema.Finite,
    /** The part's ETag, quotes included. */
    etag: Schema.String,
    /** True if OSS had it from an earlier run and its CRC64 equals the source's: it wasn't sent. */
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
  /** Nothing has succeeded for a while: the network or OSS is away, and the upload waits for it. Reported from 10 seconds on, at most every 10 seconds. */
  Waiting: {
    /** How long nothing has succeeded, in milliseconds. */
    elapsed: Schema.Finite,
    /** Why the last attempt failed. */
    reason: OssError.Reason
  },
  /** How far the upload has come. Sampled five times a second. */
  Progress: Progress.fields,
  /** All parts are durable and the source is unchanged; OSS is asked to make them an object. */
  Completing: {},
  /** The object is there, and is what the source held. */
  Completed: {
    /** The finished upload. */
    result: UploadResult
  }
})

/** The source is open and the checkpoint is held. */
interface Started extends Case<"Started"> {}

/** Parts of an earlier run are used. */
interface Resumed extends Case<"Resumed"> {}

/** What an earlier run, or this one, has sent is given up. */
interface Restarted extends Case<"Restarted"> {}

/** A part is durable. */
interface PartUploaded extends Case<"PartUploaded"> {}

/** A request failed and will be sent again. */
interface Retrying extends Case<"Retrying"> {}

/** Nothing has succeeded for a while. */
interface Waiting extends Case<"Waiting"> {}

/** How far it has come, sampled. */
interface Progressed extends Case<"Progress"> {}

/** OSS is asked to make the parts an object. */
interface Completing extends Case<"Completing"> {}

/** The object is there, and is what the source held. */
interface Completed extends Case<"Completed"> {}

type Case<Tag extends keyof typeof UploadEvent.cases> = (typeof UploadEvent.cases)[Tag]["Type"]

/**
 * What a running upload reports.
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
 * Events as JSON, and back, for a log, a socket or a page: what `--json` of the
 * command writes.
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
