/**
 * The record of an unfinished upload. It decides whether a run can resume, and
 * which parts the run still has to send. This module is pure: a store reads and
 * writes checkpoints, and `Upload` asks OSS.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { bytesOf } from "./internal/parts.ts"
import type { UploadedPart } from "./Part.ts"
import { InvalidRequest } from "./UploadError.ts"

const Size = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/**
 * The facts that are fixed when an upload begins.
 *
 * @category models
 * @since 0.1.0
 */
export const Header = Schema.Struct({
  endpoint: Schema.String,
  bucket: Schema.String,
  key: Schema.String,
  /** `Opened.id` of the source. */
  sourceId: Schema.String,
  /** `Opened.fingerprint` of the source. */
  fingerprint: Schema.String,
  /** The size of the source in bytes; null if it isn't known when the upload begins. */
  size: Schema.NullOr(Size),
  /** The part size in bytes. If the size isn't known, the size of the first part. */
  partSize: Size,
  /** The version of the rule by which parts grow. Only if the size isn't known. */
  growth: Schema.optionalKey(Schema.Finite),
  /** A digest of the options that Initiate fixed. */
  options: Schema.String,
  /** By this machine's clock, in milliseconds since 1970. */
  createdAt: Schema.Finite,
  /** The id that OSS returned to Initiate. */
  uploadId: Schema.NonEmptyString
})

/**
 * The facts that are fixed when an upload begins.
 *
 * @category models
 * @since 0.1.0
 */
export type Header = typeof Header.Type

/**
 * A part as a store keeps it: `Part.UploadedPart`, with the CRC64 as decimal text.
 *
 * @category models
 * @since 0.1.0
 */
export const PartRecord = Schema.Struct({
  number: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 })),
  offset: Size,
  size: Size,
  etag: Schema.NonEmptyString,
  crc64: Schema.BigIntFromString
})

/**
 * A header, and the parts that OSS has acknowledged since then.
 *
 * @category models
 * @since 0.1.0
 */
export interface Checkpoint {
  readonly header: Header
  readonly parts: ReadonlyArray<UploadedPart>
}

/**
 * The summary of a checkpoint, for lists.
 *
 * @category models
 * @since 0.1.0
 */
export interface Summary {
  /** The argument of `CheckpointStore.open`. */
  readonly checkpointKey: string
  readonly header: Header
  /** The size of the recorded parts, in bytes. */
  readonly durable: number
  readonly parts: number
}

/**
 * Where an object is.
 *
 * @category models
 * @since 0.1.0
 */
export type ObjectPlace = Pick<Header, "endpoint" | "bucket" | "key">

/**
 * The facts about a complete object. A receipt replaces the checkpoint until the
 * upload has been reported. If the process is killed in between, the next run
 * finds the receipt and sends nothing again.
 *
 * @category models
 * @since 0.1.0
 */
export const Receipt = Schema.Struct({
  /** The size of the object in bytes. */
  size: Size,
  /** Quotes included. */
  etag: Schema.String,
  /** CRC-64/XZ of the whole source. */
  crc64: Schema.BigIntFromString,
  /** True if OSS returned the same CRC64 for the whole object. */
  verified: Schema.Boolean,
  /** The version of the object, in a bucket with versioning. */
  versionId: Schema.optionalKey(Schema.String),
  /** By this machine's clock, in milliseconds since 1970. */
  completedAt: Schema.Finite
})

/**
 * The facts about a complete object.
 *
 * @category models
 * @since 0.1.0
 */
export type Receipt = typeof Receipt.Type

/**
 * An upload that is complete and has not been reported yet.
 *
 * @category models
 * @since 0.1.0
 */
export interface Finished {
  readonly header: Header
  readonly receipt: Receipt
}

/**
 * Names the checkpoint of one source and one object.
 *
 * @category constructors
 * @since 0.1.0
 */
export const keyOf = (place: Pick<Header, "endpoint" | "bucket" | "key" | "sourceId">): string =>
  JSON.stringify([place.endpoint, place.bucket, place.key, place.sourceId])

/**
 * Names the object that an upload goes to. All checkpoints of one object have the
 * same name. A store that groups checkpoints by this name finds those of one object
 * without reading any other.
 *
 * @category constructors
 * @since 0.1.0
 */
export const objectOf = ({ endpoint, bucket, key }: ObjectPlace): string =>
  JSON.stringify([endpoint, bucket, key])

/**
 * The object in the name of a checkpoint: `objectOf(header)` for
 * `keyOf(header)`. Returns the name itself if `keyOf` did not make it.
 *
 * @category combinators
 * @since 0.1.0
 */
export const objectOfKey = (checkpointKey: string): string =>
  Option.match(decodeKey(checkpointKey), {
    onNone: () => checkpointKey,
    onSome: ([endpoint, bucket, key]) => objectOf({ endpoint, bucket, key })
  })

const decodeKey = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Tuple([Schema.String, Schema.String, Schema.String, Schema.String]))
)

/**
 * Makes a checkpoint from a header and the parts recorded after it. If a part was
 * recorded twice, the last record counts.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (header: Header, records: Iterable<UploadedPart>): Checkpoint => ({
  header,
  parts: Array.from(new Map(Array.from(records, (part) => [part.number, part])).values())
})

/**
 * The summary of a checkpoint.
 *
 * @category combinators
 * @since 0.1.0
 */
export const summarize = (checkpointKey: string, { header, parts }: Checkpoint): Summary => ({
  checkpointKey,
  header,
  durable: bytesOf(parts),
  parts: parts.length
})

const AliOssSchema = /*#__PURE__*/ Schema.Struct({
  file: Schema.optionalKey(Schema.Unknown),
  name: Schema.NonEmptyString,
  fileSize: Size,
  partSize: /*#__PURE__*/ Size.check(/*#__PURE__*/ Schema.isGreaterThan(0)),
  uploadId: Schema.NonEmptyString,
  // Checkpoints of some versions lack the ETags. No part is taken over by its ETag.
  doneParts: Schema.Array(
    Schema.Struct({ number: Size, etag: Schema.optional(Schema.NullOr(Schema.String)) })
  )
})
const decodeAliOss = /*#__PURE__*/ Schema.decodeUnknownResult(AliOssSchema)
const decodeAliOssText = /*#__PURE__*/ Schema.decodeResult(
  /*#__PURE__*/ Schema.fromJsonString(AliOssSchema)
)

/**
 * A checkpoint of the package ali-oss: the value that its `progress` callback gets,
 * and that its documentation saves to `checkpoint.json`.
 *
 * @category ali-oss
 * @since 0.1.0
 */
export interface AliOss {
  /** The source that ali-oss reads: a path, or an object with the bytes. */
  readonly file: unknown
  /** The object's key. */
  readonly name: string
  /** In bytes. */
  readonly fileSize: number
  /** In bytes. */
  readonly partSize: number
  readonly uploadId: string
  /** ali-oss adds parts to this array. */
  readonly doneParts: Array<{ number: number; etag: string }>
}

/**
 * Reads a checkpoint of ali-oss, for `from` of an upload request. Give it the value
 * that ali-oss passes to `progress`, or the text of the `checkpoint.json` that you
 * saved. The checkpoint holds no CRC64s, so the upload compares OSS's CRC64 of each
 * part with the source before it takes the part over.
 *
 * **Example** (resume an upload that ali-oss began)
 *
 * ```ts
 * import { Checkpoint, Source, Upload } from "@effect-oss/core"
 *
 * const upload = (json: string) =>
 *   Upload.upload({
 *     key: "backups/db.tar",
 *     source: Source.file("db.tar"),
 *     from: Checkpoint.fromAliOss(json),
 *     // If the process died while it wrote the checkpoint, OSS is asked.
 *     discover: true
 *   })
 * ```
 *
 * @category ali-oss
 * @since 0.1.0
 */
export const fromAliOss = (checkpoint: unknown): Result.Result<AliOss, InvalidRequest> =>
  Result.mapBoth(
    typeof checkpoint === "string" ? decodeAliOssText(checkpoint) : decodeAliOss(checkpoint),
    {
      onSuccess: ({ file, ...known }) => ({
        ...known,
        file,
        // ali-oss leaves out slashes at the start when it sends the key.
        name: known.name.replace(/^\/+/, ""),
        doneParts: known.doneParts.map(({ number, etag }) => ({ number, etag: etag ?? "" }))
      }),
      onFailure: ({ message }) =>
        new InvalidRequest({
          field: "from",
          problem: `it is not a checkpoint of ali-oss: ${message}`,
          remedy: "give what ali-oss passed to the progress callback, or discover: true to ask OSS"
        })
    }
  )

/**
 * Converts a checkpoint for ali-oss 4.8 and later. To resume the upload there, call
 * `multipartUpload(key, file, { checkpoint })`. `file` is the source that ali-oss
 * reads. Returns none if the source has no known size, because ali-oss can't resume
 * such an upload.
 *
 * @category ali-oss
 * @since 0.1.0
 */
export const toAliOss = ({ header, parts }: Checkpoint, file: unknown): Option.Option<AliOss> => {
  if (header.size === null) return Option.none()
  return Option.some({
    file,
    name: header.key,
    fileSize: header.size,
    partSize: header.partSize,
    uploadId: header.uploadId,
    doneParts: parts.map(({ number, etag }) => ({ number, etag }))
  })
}
