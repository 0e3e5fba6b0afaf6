/** Answers about buckets, and the documents that such requests send. */
import * as Effect from "effect/Effect"
import type * as Xml from "effect/encoding/Xml"
import * as HashMap from "effect/HashMap"
import { type BucketState, type CorsRule, type StoredObject, Versioning } from "../state/model.ts"
import { isObject } from "../state/versions.ts"
import type { Refusal } from "../../EmulatorError.ts"
import { refuse } from "./errors.ts"
import { owner } from "./objectMessages.ts"
import { childrenOf, childText, document, type Element, rootOf, textOf, timestamp } from "./xml.ts"

/** The location of a bucket, as the emulator reports it. */
export interface Location {
  readonly region: string
  /** Host and port that clients can follow. */
  readonly endpoint: string
}

const summaryOf = (
  { name, created, storageClass }: BucketState,
  { region, endpoint }: Location
): ReadonlyArray<Element> => [
  ["Name", name],
  ["CreationDate", timestamp(created)],
  ["Location", `oss-${region}`],
  ["ExtranetEndpoint", endpoint],
  ["IntranetEndpoint", endpoint],
  ["StorageClass", storageClass]
]

/** The answer to ListBuckets. */
export const buckets = (fields: {
  readonly prefix: string
  readonly marker: string
  readonly max: number
  readonly items: ReadonlyArray<BucketState>
  readonly truncated: boolean
  readonly location: Location
}): string =>
  document([
    "ListAllMyBucketsResult",
    [
      owner,
      ["Prefix", fields.prefix],
      ["Marker", fields.marker],
      ["MaxKeys", fields.max],
      ["IsTruncated", fields.truncated],
      ...(fields.truncated ? [["NextMarker", fields.items.at(-1)?.name ?? ""] as const] : []),
      [
        "Buckets",
        fields.items.map((bucket): Element => [
          "Bucket",
          [...summaryOf(bucket, fields.location), ["Region", fields.location.region]]
        ])
      ]
    ]
  ])

/** The answer to GetBucketInfo. */
export const bucketInfo = (bucket: BucketState, location: Location): string =>
  document([
    "BucketInfo",
    [
      [
        "Bucket",
        [
          ...summaryOf(bucket, location),
          ["DataRedundancyType", "LRS"],
          // Features that the emulator lacks are switched off.
          ["AccessMonitor", "Disabled"],
          ["TransferAcceleration", "Disabled"],
          ["CrossRegionReplication", "Disabled"],
          ["BlockPublicAccess", "false"],
          ["ResourceGroupId", "rg-emulator"],
          ["ServerSideEncryptionRule", [["SSEAlgorithm", "None"]]],
          [
            "BucketPolicy",
            [
              ["LogBucket", ""],
              ["LogPrefix", ""]
            ]
          ],
          ...(bucket.versioning === undefined ? [] : [["Versioning", bucket.versioning] as const]),
          owner,
          ["AccessControlList", [["Grant", bucket.acl]]]
        ]
      ]
    ]
  ])

export const bucketLocation = (region: string): string =>
  document(["LocationConstraint", `oss-${region}`])

export const versioning = (status: Versioning | undefined): string =>
  document(["VersioningConfiguration", status === undefined ? [] : [["Status", status]]])

/** Reads the document of PutBucketVersioning. */
export const readVersioning = (body: Uint8Array): Effect.Effect<Versioning, Refusal> =>
  chosenIn(body, { root: "VersioningConfiguration", name: "Status", values: Versioning.literals })

const payers = ["BucketOwner", "Requester"] as const

export const requestPayment = (payer: string): string =>
  document(["RequestPaymentConfiguration", [["Payer", payer]]])

/** Reads the document of PutBucketRequestPayment. */
export const readRequestPayment = (body: Uint8Array) =>
  chosenIn(body, { root: "RequestPaymentConfiguration", name: "Payer", values: payers })

/** The word in a small document; it must be one of several. */
const chosenIn = <Word extends string>(
  body: Uint8Array,
  {
    root,
    name,
    values
  }: { readonly root: string; readonly name: string; readonly values: ReadonlyArray<Word> }
): Effect.Effect<Word, Refusal> =>
  Effect.flatMap(rootOf(body, root), (element) => {
    const word = values.find((value) => value === childText(element, name))
    return word === undefined ? Effect.fail(refuse("MalformedXML")) : Effect.succeed(word)
  })

/** The names of the storage classes in GetBucketStat, besides `Standard`. */
const classes = {
  IA: "InfrequentAccess",
  Archive: "Archive",
  ColdArchive: "ColdArchive",
  DeepColdArchive: "DeepColdArchive"
}

const sizeOf = (objects: ReadonlyArray<StoredObject>) =>
  objects.reduce((sum, { size }) => sum + size, 0)

const inClass = (objects: ReadonlyArray<StoredObject>, storageClass: string) =>
  objects.filter(({ headers }) => (headers["x-oss-storage-class"] ?? "Standard") === storageClass)

/** The answer to GetBucketStat: the contents, in bytes and numbers. */
export const stat = ({ objects, history, uploads }: BucketState): string => {
  const current = HashMap.toValues(objects)
  const older = HashMap.toValues(history).flat()
  const stored = [...current, ...older.filter(isObject)]
  const standard = inClass(stored, "Standard")
  const parts = HashMap.toValues(uploads).map(({ parts }) => HashMap.size(parts))
  return document([
    "BucketStat",
    [
      ["Storage", sizeOf(stored)],
      ["ObjectCount", current.length],
      ["MultipartUploadCount", parts.length],
      ["MultipartPartCount", parts.reduce((sum, count) => sum + count, 0)],
      ["LiveChannelCount", 0],
      [
        "LastModifiedTime",
        Math.floor(Math.max(0, ...stored.map(({ modified }) => modified)) / 1000)
      ],
      ["StandardStorage", sizeOf(standard)],
      ["StandardObjectCount", standard.length],
      ...Object.entries(classes).flatMap(([storageClass, name]): ReadonlyArray<Element> => {
        const objects = inClass(stored, storageClass)
        return [
          [`${name}Storage`, sizeOf(objects)],
          [`${name}RealStorage`, sizeOf(objects)],
          [`${name}ObjectCount`, objects.length]
        ]
      }),
      ["DeleteMarkerCount", older.length + current.length - stored.length]
    ]
  ])
}

export const cors = (rules: ReadonlyArray<CorsRule>, responseVary: boolean): string =>
  document([
    "CORSConfiguration",
    [
      ...rules.map((rule): Element => ["CORSRule", fieldsOf(rule)]),
      ["ResponseVary", String(responseVary)]
    ]
  ])

const fieldsOf = (rule: CorsRule): ReadonlyArray<Element> => [
  ...rule.allowedOrigins.map((text) => ["AllowedOrigin", text] as const),
  ...rule.allowedMethods.map((text) => ["AllowedMethod", text] as const),
  ...rule.allowedHeaders.map((text) => ["AllowedHeader", text] as const),
  ...rule.exposeHeaders.map((text) => ["ExposeHeader", text] as const),
  ...(rule.maxAgeSeconds === undefined ? [] : [["MaxAgeSeconds", rule.maxAgeSeconds] as const])
]

/** OSS: a bucket has at most 20 rules. */
const maxRules = 20

const methods: ReadonlySet<string> = new Set(["GET", "PUT", "POST", "DELETE", "HEAD"])

/** Reads the document of PutBucketCors. */
export const readCors = Effect.fnUntraced(function* (body: Uint8Array) {
  const root = yield* rootOf(body, "CORSConfiguration")
  const rules = childrenOf(root, "CORSRule")
  if (rules.length === 0 || rules.length > maxRules) return yield* refuse("MalformedXML")
  return {
    cors: yield* Effect.forEach(rules, ruleOf),
    responseVary: childText(root, "ResponseVary")?.toLowerCase() === "true"
  }
})

const ruleOf = (element: Xml.Element): Effect.Effect<CorsRule, Refusal> => {
  const all = (name: string) => childrenOf(element, name).map((child) => textOf(child).trim())
  const rule = {
    allowedOrigins: all("AllowedOrigin"),
    allowedMethods: all("AllowedMethod"),
    // OSS keeps them in lower case.
    allowedHeaders: all("AllowedHeader").map((name) => name.toLowerCase()),
    exposeHeaders: all("ExposeHeader")
  }
  const age = childText(element, "MaxAgeSeconds")
  const isGood =
    rule.allowedOrigins.length > 0 &&
    rule.allowedMethods.length > 0 &&
    rule.allowedMethods.every((method) => methods.has(method)) &&
    [...rule.allowedOrigins, ...rule.allowedHeaders].every(hasOneWildcard) &&
    !rule.exposeHeaders.includes("*") &&
    (age === undefined || /^\d{1,9}$/.test(age))
  if (!isGood) return Effect.fail(refuse("MalformedXML"))
  return Effect.succeed(age === undefined ? rule : { ...rule, maxAgeSeconds: Number(age) })
}

const hasOneWildcard = (pattern: string) => pattern.split("*").length <= 2

/** The storage class that PutBucket asks for, if it has a document. */
export const readBucketConfiguration = (
  body: Uint8Array
): Effect.Effect<{ readonly storageClass?: string }, Refusal> =>
  body.length === 0
    ? Effect.succeed({})
    : Effect.map(rootOf(body, "CreateBucketConfiguration"), (root) => {
        const storageClass = childText(root, "StorageClass")
        return storageClass === undefined ? {} : { storageClass }
      })
