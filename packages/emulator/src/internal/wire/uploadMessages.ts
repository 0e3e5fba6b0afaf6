/** Answers about uploads, and the list of parts that Complete sends. */
import * as Effect from "effect/Effect"
import type * as Xml from "effect/encoding/Xml"
import * as Schema from "effect/Schema"
import type { Page, UploadEntry } from "../state/listing.ts"
import { type OpenUpload, quote, type StoredPart } from "../state/model.ts"
import type { Refusal } from "../../EmulatorError.ts"
import { refuse } from "./errors.ts"
import {
  childText,
  document,
  type Element,
  elementsAt,
  encoder,
  type Encoding,
  encodingType,
  listDocument,
  timestamp
} from "./xml.ts"

/** The answer to Initiate. */
export const initiated = (fields: {
  readonly bucket: string
  readonly key: string
  readonly uploadId: string
  readonly encoding: Encoding
}): string =>
  document([
    "InitiateMultipartUploadResult",
    [
      ...encodingType(fields.encoding),
      ["Bucket", fields.bucket],
      ["Key", encoder(fields.encoding)(fields.key)],
      ["UploadId", fields.uploadId]
    ]
  ])

/** The answer to Complete. */
export const completed = (fields: {
  readonly location: string
  readonly bucket: string
  readonly key: string
  readonly etag: string
  readonly encoding: Encoding
}): string =>
  document([
    "CompleteMultipartUploadResult",
    [
      ...encodingType(fields.encoding),
      ["Location", fields.location],
      ["Bucket", fields.bucket],
      ["Key", encoder(fields.encoding)(fields.key)],
      ["ETag", fields.etag]
    ]
  ])

/** The answer to ListParts. The root has no namespace, because some clients insist on that. */
export const parts = (fields: {
  readonly bucket: string
  readonly upload: OpenUpload
  readonly after: number
  readonly max: number
  readonly page: Page<StoredPart>
  readonly encoding: Encoding
}): string =>
  document([
    "ListPartsResult",
    [
      ...encodingType(fields.encoding),
      ["Bucket", fields.bucket],
      ["Key", encoder(fields.encoding)(fields.upload.key)],
      ["UploadId", fields.upload.uploadId],
      ["StorageClass", fields.upload.headers["x-oss-storage-class"] ?? "Standard"],
      ["PartNumberMarker", fields.after],
      ["NextPartNumberMarker", fields.page.items.at(-1)?.number ?? 0],
      ["MaxParts", fields.max],
      ["IsTruncated", fields.page.truncated],
      ...fields.page.items.map(({ number, blob, modified }): Element => [
        "Part",
        [
          ["PartNumber", number],
          ["LastModified", timestamp(modified)],
          ["ETag", quote(blob.md5)],
          ["HashCrc64ecma", String(blob.crc64)],
          ["Size", blob.size]
        ]
      ])
    ]
  ])

/** The answer to ListMultipartUploads. OSS sends the markers of the next page even if there is none. */
export const uploads = (fields: {
  readonly bucket: string
  readonly prefix: string
  readonly delimiter: string
  readonly keyMarker: string
  readonly uploadIdMarker: string
  readonly max: number
  readonly page: Page<UploadEntry>
  readonly encoding: Encoding
}): string => {
  const encode = encoder(fields.encoding)
  const last = fields.page.items.at(-1)
  const lastName = last === undefined ? "" : "prefix" in last ? last.prefix : last.key
  return listDocument([
    "ListMultipartUploadsResult",
    [
      ...encodingType(fields.encoding),
      ["Bucket", fields.bucket],
      ["KeyMarker", encode(fields.keyMarker)],
      ["UploadIdMarker", fields.uploadIdMarker],
      ["NextKeyMarker", encode(lastName)],
      ["NextUploadIdMarker", last !== undefined && "uploadId" in last ? last.uploadId : ""],
      ["Delimiter", encode(fields.delimiter)],
      ["Prefix", encode(fields.prefix)],
      ["MaxUploads", fields.max],
      ["IsTruncated", fields.page.truncated],
      ...fields.page.items.map((entry): Element =>
        "prefix" in entry
          ? ["CommonPrefixes", [["Prefix", encode(entry.prefix)]]]
          : ["Upload", uploadFields(entry, encode)]
      )
    ]
  ])
}

const uploadFields = (
  { key, uploadId, headers, initiated }: OpenUpload,
  encode: (key: string) => string
): ReadonlyArray<Element> => [
  ["Key", encode(key)],
  ["UploadId", uploadId],
  ["StorageClass", headers["x-oss-storage-class"] ?? "Standard"],
  ["Initiated", timestamp(initiated)]
]

const PartElement = Schema.Struct({
  PartNumber: Schema.FiniteFromString.check(Schema.isInt()),
  ETag: Schema.NonEmptyString
})

/** Reads the list of parts that Complete sends, or fails with `MalformedXML`. */
export const readParts = (
  body: Uint8Array
): Effect.Effect<ReadonlyArray<{ readonly number: number; readonly etag: string }>, Refusal> =>
  Effect.flatMap(elementsAt(body, ["CompleteMultipartUpload", "Part"]), Effect.forEach(partOf))

const partOf = (part: Xml.Element) =>
  Schema.decodeUnknownEffect(PartElement)({
    PartNumber: childText(part, "PartNumber"),
    ETag: childText(part, "ETag")
  }).pipe(
    Effect.map(({ PartNumber, ETag }) => ({ number: PartNumber, etag: ETag })),
    Effect.mapError(({ message }) => refuse("MalformedXML", message))
  )
