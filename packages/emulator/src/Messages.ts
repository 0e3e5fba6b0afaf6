/**
 * The XML that OSS speaks: answers are written, the list of parts of Complete
 * is read.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Xml from "effect/encoding/Xml"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { OpenUpload, StoredObject, StoredPart } from "./Bucket.ts"
import { quote } from "./Bucket.ts"
import { refuse, type Refusal } from "./ErrorCode.ts"
import { type Entry, nameOf, type Page } from "./Listing.ts"

/** An element: its name and its text or its children. */
type Element = readonly [name: string, content: string | number | boolean | ReadonlyArray<Element>]

const render = ([name, content]: Element): string =>
  `<${name}>${typeof content === "object" ? content.map(render).join("\n") : escape(String(content))}</${name}>`

const document = (root: Element): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n${render(root)}\n`

/** XML has no place for control characters, not even escaped: clients ask for URL encoding instead. */
const escape = (text: string): string =>
  text
    .replace(/[^\P{Cc}\t\n\r\u007f-\u009f]|[\ufffe\uffff]/gu, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("\r", "&#13;")

/**
 * Keys as a list request wants them: `url` percent-encodes them.
 *
 * @category models
 * @since 0.1.0
 */
export type Encoding = "url" | undefined

const encoder = (encoding: Encoding) => (key: string) =>
  encoding === "url" ? encodeURIComponent(key).replaceAll("%2F", "/") : key

const encodingType = (encoding: Encoding): ReadonlyArray<Element> =>
  encoding === undefined ? [] : [["EncodingType", encoding]]

const timestamp = (millis: number) => new Date(millis).toISOString()

/**
 * An error, as OSS answers it.
 *
 * @category writing
 * @since 0.1.0
 */
export const error = (fields: {
  readonly code: string
  readonly message: string
  readonly requestId: string
  readonly hostId: string
  readonly details?: Readonly<Record<string, string>> | undefined
}): string =>
  document([
    "Error",
    [
      ["Code", fields.code],
      ["Message", fields.message],
      ["RequestId", fields.requestId],
      ["HostId", fields.hostId],
      ...Object.entries(fields.details ?? {})
    ]
  ])

/**
 * The answer to Initiate.
 *
 * @category writing
 * @since 0.1.0
 */
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

/**
 * The answer to Complete.
 *
 * @category writing
 * @since 0.1.0
 */
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

/**
 * The answer to ListParts. The root has no namespace: some clients insist.
 *
 * @category writing
 * @since 0.1.0
 */
export const parts = (fields: {
  readonly bucket: string
  readonly key: string
  readonly uploadId: string
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
      ["Key", encoder(fields.encoding)(fields.key)],
      ["UploadId", fields.uploadId],
      ["StorageClass", "Standard"],
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

/**
 * The answer to ListMultipartUploads.
 *
 * @category writing
 * @since 0.1.0
 */
export const uploads = (fields: {
  readonly bucket: string
  readonly prefix: string
  readonly keyMarker: string
  readonly uploadIdMarker: string
  readonly max: number
  readonly page: Page<OpenUpload>
  readonly encoding: Encoding
}): string => {
  const encode = encoder(fields.encoding)
  const last = fields.page.truncated ? fields.page.items.at(-1) : undefined
  return document([
    "ListMultipartUploadsResult",
    [
      ...encodingType(fields.encoding),
      ["Bucket", fields.bucket],
      ["KeyMarker", encode(fields.keyMarker)],
      ["UploadIdMarker", fields.uploadIdMarker],
      ["NextKeyMarker", encode(last?.key ?? "")],
      ["NextUploadIdMarker", last?.uploadId ?? ""],
      ["Delimiter", ""],
      ["Prefix", encode(fields.prefix)],
      ["MaxUploads", fields.max],
      ["IsTruncated", fields.page.truncated],
      ...fields.page.items.map(({ key, uploadId, initiated }): Element => [
        "Upload",
        [
          ["Key", encode(key)],
          ["UploadId", uploadId],
          ["StorageClass", "Standard"],
          ["Initiated", timestamp(initiated)]
        ]
      ])
    ]
  ])
}

/**
 * The answer to ListObjects, in version 1 or 2.
 *
 * @category writing
 * @since 0.1.0
 */
export const objects = (fields: {
  readonly version: 1 | 2
  readonly bucket: string
  readonly prefix: string
  readonly delimiter: string
  /** Marker, or `start-after`. */
  readonly after: string
  readonly token: string | undefined
  readonly nextToken: (name: string) => string
  readonly max: number
  readonly page: Page<Entry>
  readonly find: (key: string) => StoredObject | undefined
  readonly encoding: Encoding
}): string => {
  const encode = encoder(fields.encoding)
  const last = fields.page.truncated ? fields.page.items.at(-1) : undefined
  const position: ReadonlyArray<Element> =
    fields.version === 1
      ? [
          ["Marker", encode(fields.after)],
          ...(last === undefined ? [] : [["NextMarker", encode(nameOf(last))] as const])
        ]
      : [
          ["StartAfter", encode(fields.after)],
          ["KeyCount", fields.page.items.length],
          ...(fields.token === undefined ? [] : [["ContinuationToken", fields.token] as const]),
          ...(last === undefined
            ? []
            : [["NextContinuationToken", fields.nextToken(nameOf(last))] as const])
        ]
  return document([
    "ListBucketResult",
    [
      ...encodingType(fields.encoding),
      ["Name", fields.bucket],
      ["Prefix", encode(fields.prefix)],
      ["MaxKeys", fields.max],
      ["Delimiter", encode(fields.delimiter)],
      ["IsTruncated", fields.page.truncated],
      ...position,
      ...fields.page.items.flatMap((entry) => entryOf(entry, fields.find, encode))
    ]
  ])
}

const entryOf = (
  entry: Entry,
  find: (key: string) => StoredObject | undefined,
  encode: (key: string) => string
): ReadonlyArray<Element> => {
  if ("prefix" in entry) return [["CommonPrefixes", [["Prefix", encode(entry.prefix)]]]]
  const object = find(entry.key)
  if (object === undefined) return []
  return [
    [
      "Contents",
      [
        ["Key", encode(object.key)],
        ["LastModified", timestamp(object.modified)],
        ["ETag", object.etag],
        ["Type", object.type],
        ["Size", object.size],
        ["StorageClass", object.headers["x-oss-storage-class"] ?? "Standard"],
        [
          "Owner",
          [
            ["ID", "emulator"],
            ["DisplayName", "emulator"]
          ]
        ]
      ]
    ]
  ]
}

const PartElement = Schema.Struct({
  PartNumber: Schema.FiniteFromString.check(Schema.isInt()),
  ETag: Schema.NonEmptyString
})

/**
 * Reads the list of parts that Complete sends, or fails with `MalformedXML`.
 *
 * @category reading
 * @since 0.1.0
 */
export const readParts = (
  body: Uint8Array
): Effect.Effect<ReadonlyArray<{ readonly number: number; readonly etag: string }>, Refusal> =>
  Stream.make(body).pipe(
    Stream.pipeThroughChannel(Xml.decode()),
    Stream.pipeThroughChannel(Xml.elements(["CompleteMultipartUpload", "Part"])),
    Stream.mapError(({ message }) => refuse("MalformedXML", message)),
    Stream.mapEffect(partOf),
    Stream.runCollect
  )

const partOf = (part: Xml.Element) => {
  const fields = Object.fromEntries(
    part.children.flatMap((child) =>
      typeof child === "string" ? [] : [[child.name, child.children.join("").trim()]]
    )
  )
  return Schema.decodeUnknownEffect(PartElement)(fields).pipe(
    Effect.map(({ PartNumber, ETag }) => ({ number: PartNumber, etag: ETag })),
    Effect.mapError(({ message }) => refuse("MalformedXML", message))
  )
}
