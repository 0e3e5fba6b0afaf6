/** Answers about objects and lists of them, and the documents that such requests send. */
import * as Effect from "effect/Effect"
import { type Entry, nameOf, type Page, type VersionEntry } from "../state/listing.ts"
import type { StoredObject } from "../state/model.ts"
import type { Refusal } from "../../EmulatorError.ts"
import { refuse } from "./errors.ts"
import {
  childrenOf,
  childText,
  document,
  type Element,
  encoder,
  type Encoding,
  encodingType,
  listDocument,
  rootOf,
  textOf,
  timestamp
} from "./xml.ts"

/** The one account of the emulator. */
export const owner: Element = [
  "Owner",
  [
    ["ID", "1000000000000000"],
    ["DisplayName", "1000000000000000"]
  ]
]

/** The answer to ListObjects, in version 1 or 2. */
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
  readonly withOwner: boolean
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
  return listDocument([
    "ListBucketResult",
    [
      ...encodingType(fields.encoding),
      ["Name", fields.bucket],
      ["Prefix", encode(fields.prefix)],
      ["MaxKeys", fields.max],
      ["Delimiter", encode(fields.delimiter)],
      ["IsTruncated", fields.page.truncated],
      ...position,
      ...fields.page.items.flatMap((entry) => entryOf(entry, fields, encode))
    ]
  ])
}

const entryOf = (
  entry: Entry,
  fields: {
    readonly find: (key: string) => StoredObject | undefined
    readonly withOwner: boolean
  },
  encode: (key: string) => string
): ReadonlyArray<Element> => {
  if ("prefix" in entry) return [["CommonPrefixes", [["Prefix", encode(entry.prefix)]]]]
  const object = fields.find(entry.key)
  if (object === undefined) return []
  return [
    [
      "Contents",
      [
        ["Key", encode(object.key)],
        ["LastModified", timestamp(object.modified)],
        ...summaryOf(object),
        ...(fields.withOwner ? [owner] : [])
      ]
    ]
  ]
}

/** The answer to ListObjectVersions. */
export const versions = (fields: {
  readonly bucket: string
  readonly prefix: string
  readonly delimiter: string
  readonly keyMarker: string
  readonly versionIdMarker: string
  readonly max: number
  readonly page: Page<VersionEntry>
  readonly encoding: Encoding
}): string => {
  const encode = encoder(fields.encoding)
  const last = fields.page.truncated ? fields.page.items.at(-1) : undefined
  return listDocument([
    "ListVersionsResult",
    [
      ...encodingType(fields.encoding),
      ["Name", fields.bucket],
      ["Prefix", encode(fields.prefix)],
      ["KeyMarker", encode(fields.keyMarker)],
      ["VersionIdMarker", fields.versionIdMarker],
      ["MaxKeys", fields.max],
      ["Delimiter", encode(fields.delimiter)],
      ["IsTruncated", fields.page.truncated],
      ...(last === undefined ? [] : nextOf(last, encode)),
      ...fields.page.items.map((entry) => versionOf(entry, encode))
    ]
  ])
}

const nextOf = (
  last: VersionEntry,
  encode: (key: string) => string
): readonly [Element, Element] => [
  ["NextKeyMarker", encode("prefix" in last ? last.prefix : last.version.key)],
  ["NextVersionIdMarker", "prefix" in last ? "" : last.version.versionId]
]

const versionOf = (entry: VersionEntry, encode: (key: string) => string): Element => {
  if ("prefix" in entry) return ["CommonPrefixes", [["Prefix", encode(entry.prefix)]]]
  const { version, isLatest } = entry
  const named: ReadonlyArray<Element> = [
    ["Key", encode(version.key)],
    ["VersionId", version.versionId],
    ["IsLatest", isLatest],
    ["LastModified", timestamp(version.modified)]
  ]
  return version.type === "DeleteMarker"
    ? ["DeleteMarker", [...named, owner]]
    : ["Version", [...named, ...summaryOf(version), owner]]
}

const summaryOf = (object: StoredObject): ReadonlyArray<Element> => [
  ["ETag", object.etag],
  ["Type", object.type],
  ["Size", object.size],
  ["StorageClass", object.headers["x-oss-storage-class"] ?? "Standard"]
]

/** The answer to CopyObject and UploadPartCopy. */
export const copied = (
  root: "CopyObjectResult" | "CopyPartResult",
  { etag, modified }: { readonly etag: string; readonly modified: number }
): string =>
  document([
    root,
    [
      ["ETag", etag],
      ["LastModified", timestamp(modified)]
    ]
  ])

/** The answer to a DeleteMultipleObjects that isn't quiet. */
export const deleted = (
  removed: ReadonlyArray<{
    readonly key: string
    /** The version that the request named. */
    readonly asked: string | undefined
    /** The deleted version, or the marker's version. */
    readonly versionId: string | undefined
    readonly isMarker: boolean
  }>,
  encoding: Encoding
): string =>
  listDocument([
    "DeleteResult",
    [
      ...encodingType(encoding),
      ...removed.map(({ key, asked, versionId, isMarker }): Element => [
        "Deleted",
        [
          ["Key", encoder(encoding)(key)],
          ...(asked === undefined ? [] : [["VersionId", asked] as const]),
          ...(isMarker && versionId !== undefined
            ? [["DeleteMarker", true] as const, ["DeleteMarkerVersionId", versionId] as const]
            : [])
        ]
      ])
    ]
  ])

export const acl = (grant: string): string =>
  document(["AccessControlPolicy", [owner, ["AccessControlList", [["Grant", grant]]]]])

export const tagging = (tags: URLSearchParams): string =>
  document([
    "Tagging",
    [
      [
        "TagSet",
        Array.from(tags, ([key, value]): Element => [
          "Tag",
          [
            ["Key", key],
            ["Value", value]
          ]
        ])
      ]
    ]
  ])

/** The answer of PostObject to `success_action_status` 201. */
export const posted = (fields: {
  readonly bucket: string
  readonly key: string
  readonly etag: string
  readonly location: string
}): string =>
  document([
    "PostResponse",
    [
      ["Bucket", fields.bucket],
      ["ETag", fields.etag],
      ["Location", fields.location],
      ["Key", fields.key]
    ]
  ])

/** OSS: at most 1,000 keys a request, and at least one. */
const maxDeleted = 1000

/** Reads the document of DeleteMultipleObjects. */
export const readDelete = Effect.fnUntraced(function* (body: Uint8Array) {
  const root = yield* rootOf(body, "Delete")
  const objects = childrenOf(root, "Object")
  if (objects.length === 0 || objects.length > maxDeleted) return yield* refuse("MalformedXML")
  const named = yield* Effect.forEach(objects, (object) => {
    const [key] = childrenOf(object, "Key")
    const text = key === undefined ? "" : textOf(key)
    const versionId = childText(object, "VersionId")
    return text === "" || versionId === ""
      ? Effect.fail(refuse("MalformedXML"))
      : Effect.succeed({ key: text, versionId })
  })
  return { objects: named, quiet: childText(root, "Quiet")?.toLowerCase() === "true" }
})

/** Reads the document of PutObjectTagging, and returns it in the format of the header `x-oss-tagging`. */
export const readTagging = (body: Uint8Array): Effect.Effect<string, Refusal> =>
  Effect.map(rootOf(body, "Tagging"), (root) => {
    const tags = childrenOf(root, "TagSet").flatMap((set) => childrenOf(set, "Tag"))
    return new URLSearchParams(
      tags.map((tag): [string, string] => [
        childText(tag, "Key") ?? "",
        childText(tag, "Value") ?? ""
      ])
    ).toString()
  })
