/**
 * Reads and checks OSS's successful responses. Callers never get an impossible
 * part number or a page whose successor doesn't advance.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type {
  ListedPart,
  ObjectHead,
  ObjectPage,
  ObjectReceipt,
  PartPage,
  PartReceipt,
  UploadPage,
  UploadPosition
} from "../../OssModel.ts"
import { maxParts } from "../parts.ts"
import { compareBytes, isBeyond, isPartBeyond } from "../position.ts"
import { httpDate } from "./httpDate.ts"
import * as Xml from "./xml.ts"

/** A response as it was received. */
export interface Response {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** Reads one kind of successful response. Fails if the response is malformed. */
export type Read<A> = (response: Response) => Effect.Effect<A, { readonly message: string }>

const Crc64 = Schema.OptionFromOptionalKey(Schema.BigIntFromString)
const Count = Schema.FiniteFromString.check(Schema.isInt(), Schema.isGreaterThanOrEqualTo(0))
const PartNumber = Schema.FiniteFromString.check(
  Schema.isInt(),
  Schema.isBetween({ minimum: 1, maximum: maxParts })
)

const ReceiptHeaders = Schema.Struct({
  etag: Schema.NonEmptyString,
  "x-oss-hash-crc64ecma": Crc64,
  "x-oss-version-id": Schema.OptionFromOptionalKey(Schema.String),
  "x-oss-request-id": Schema.OptionFromOptionalKey(Schema.String)
})
const decodeReceipt = Schema.decodeUnknownEffect(ReceiptHeaders)

export const partReceipt: Read<PartReceipt> = ({ headers }) =>
  Effect.map(decodeReceipt(headers), (known) => ({
    etag: known.etag,
    crc64: known["x-oss-hash-crc64ecma"]
  }))

export const objectReceipt: Read<ObjectReceipt> = ({ headers }) =>
  Effect.map(decodeReceipt(headers), (known) => ({
    etag: known.etag,
    crc64: known["x-oss-hash-crc64ecma"],
    versionId: known["x-oss-version-id"],
    requestId: known["x-oss-request-id"]
  }))

const decodeCompleted = Schema.decodeUnknownEffect(Schema.Struct({ ETag: Schema.NonEmptyString }))

/** Takes the ETag from the body; with a callback, from a header, as the body is the callback's. */
export const completed = (withCallback: boolean): Read<ObjectReceipt> =>
  withCallback
    ? objectReceipt
    : (response) =>
        Xml.parse(response.body).pipe(
          Effect.flatMap((root) => decodeCompleted(Xml.texts(root))),
          Effect.flatMap(({ ETag }) =>
            objectReceipt({ ...response, headers: { ...response.headers, etag: ETag } })
          )
        )

const decodeHead = Schema.decodeUnknownEffect(
  Schema.Struct({
    "content-length": Count,
    etag: Schema.NonEmptyString,
    "x-oss-hash-crc64ecma": Crc64,
    "last-modified": Schema.optionalKey(Schema.String),
    "x-oss-storage-class": Schema.optionalKey(Schema.String),
    "x-oss-object-type": Schema.optionalKey(Schema.String),
    "content-type": Schema.optionalKey(Schema.String)
  })
)

export const objectHead: Read<ObjectHead> = ({ headers }) =>
  Effect.map(decodeHead(headers), (known) => ({
    size: known["content-length"],
    etag: known.etag,
    crc64: known["x-oss-hash-crc64ecma"],
    lastModified: httpDate(known["last-modified"]),
    storageClass: known["x-oss-storage-class"],
    type: known["x-oss-object-type"],
    contentType: known["content-type"]
  }))

const decodeInitiated = Schema.decodeUnknownEffect(
  Schema.Struct({ UploadId: Schema.NonEmptyString })
)

export const initiated: Read<{ readonly uploadId: string }> = ({ body }) =>
  Xml.parse(body).pipe(
    Effect.flatMap((root) => decodeInitiated(Xml.texts(root))),
    Effect.map(({ UploadId }) => ({ uploadId: UploadId }))
  )

export const nothing: Read<void> = () => Effect.void

const Truncated = Schema.Literals(["true", "false"])

const decodePart = Schema.decodeUnknownEffect(
  Schema.Struct({
    PartNumber,
    Size: Count,
    ETag: Schema.NonEmptyString,
    HashCrc64ecma: Crc64
  })
)
const decodePartPage = Schema.decodeUnknownEffect(
  Schema.Struct({ IsTruncated: Truncated, NextPartNumberMarker: Schema.optional(Schema.String) })
)

export const partPage =
  (after = 0): Read<PartPage> =>
  ({ body }) =>
    Effect.gen(function* () {
      const root = yield* Xml.parse(body)
      const { IsTruncated, NextPartNumberMarker } = yield* decodePartPage(Xml.texts(root))
      const parts = yield* Effect.forEach(Xml.all(root, "Part"), (part) =>
        Effect.map(decodePart(Xml.texts(part)), listedPart)
      )
      const next = IsTruncated === "true" ? Number(NextPartNumberMarker) : undefined
      if (next !== undefined && !isPartBeyond(next, after)) {
        return yield* Effect.fail({
          message: "the list of parts does not go on where it should"
        })
      }
      return { parts, next: Option.fromUndefinedOr(next) }
    })

const listedPart = (part: {
  readonly PartNumber: number
  readonly Size: number
  readonly ETag: string
  readonly HashCrc64ecma: Option.Option<bigint>
}): ListedPart => ({
  number: part.PartNumber,
  size: part.Size,
  etag: part.ETag,
  crc64: part.HashCrc64ecma
})

/** As text: `Schema`'s own dates would be a hundredth of the code that a page loads. */
const Time = Schema.String.check(
  Schema.makeFilter((text) => !Number.isNaN(Date.parse(text)), { expected: "a date" })
)

const decodeUpload = Schema.decodeUnknownEffect(
  Schema.Struct({
    Key: Schema.String,
    UploadId: Schema.NonEmptyString,
    Initiated: Time
  })
)
const decodeUploadPage = Schema.decodeUnknownEffect(
  Schema.Struct({
    IsTruncated: Truncated,
    EncodingType: Schema.optional(Schema.String),
    NextKeyMarker: Schema.optional(Schema.String),
    NextUploadIdMarker: Schema.optional(Schema.String)
  })
)

export const uploadPage =
  (after: UploadPosition | undefined): Read<UploadPage> =>
  ({ headers, body }) =>
    Effect.gen(function* () {
      const root = yield* Xml.parse(body)
      const { IsTruncated, EncodingType, NextKeyMarker, NextUploadIdMarker } =
        yield* decodeUploadPage(Xml.texts(root))
      const text = EncodingType === "url" ? urlDecoded : Effect.succeed
      const uploads = yield* Effect.forEach(Xml.all(root, "Upload"), (upload) =>
        Effect.flatMap(decodeUpload(Xml.texts(upload)), ({ Key, UploadId, Initiated }) =>
          Effect.map(text(Key), (key) => ({
            key,
            uploadId: UploadId,
            initiated: Date.parse(Initiated)
          }))
        )
      )
      const serverTime = httpDate(headers["date"])
      if (serverTime === undefined) return yield* Effect.fail({ message: "it has no date" })
      if (IsTruncated === "false") return { uploads, next: Option.none(), serverTime }
      if (!NextKeyMarker || NextUploadIdMarker === undefined) {
        return yield* Effect.fail({
          message: "the list of uploads does not say where it goes on"
        })
      }
      const next = { key: yield* text(NextKeyMarker), uploadId: NextUploadIdMarker }
      if (after !== undefined && !isBeyond(next, after)) {
        return yield* Effect.fail({
          message: "the list of uploads does not go on where it should"
        })
      }
      return { uploads, next: Option.some(next), serverTime }
    })

const decodeObject = Schema.decodeUnknownEffect(
  Schema.Struct({
    Key: Schema.String,
    Size: Count,
    ETag: Schema.NonEmptyString,
    LastModified: Time,
    StorageClass: Schema.optional(Schema.String),
    Type: Schema.optional(Schema.String)
  })
)
const decodePrefix = Schema.decodeUnknownEffect(Schema.Struct({ Prefix: Schema.NonEmptyString }))
const decodeObjectPage = Schema.decodeUnknownEffect(
  Schema.Struct({
    IsTruncated: Truncated,
    EncodingType: Schema.optional(Schema.String),
    NextMarker: Schema.optional(Schema.String)
  })
)

export const objectPage =
  (after = ""): Read<ObjectPage> =>
  ({ body }) =>
    Effect.gen(function* () {
      const root = yield* Xml.parse(body)
      const { IsTruncated, EncodingType, NextMarker } = yield* decodeObjectPage(Xml.texts(root))
      const text = EncodingType === "url" ? urlDecoded : Effect.succeed
      const objects = yield* Effect.forEach(Xml.all(root, "Contents"), (object) =>
        Effect.flatMap(decodeObject(Xml.texts(object)), (known) =>
          Effect.map(text(known.Key), (key) => ({
            key,
            size: known.Size,
            etag: known.ETag,
            lastModified: Date.parse(known.LastModified),
            storageClass: known.StorageClass,
            type: known.Type
          }))
        )
      )
      const prefixes = yield* Effect.forEach(Xml.all(root, "CommonPrefixes"), (group) =>
        Effect.flatMap(decodePrefix(Xml.texts(group)), ({ Prefix }) => text(Prefix))
      )
      if (IsTruncated === "false") return { objects, prefixes, next: Option.none() }
      const next = yield* text(NextMarker ?? "")
      // A missing marker fails too: it counts as an empty key.
      if (compareBytes(next, after) <= 0) {
        return yield* Effect.fail({
          message: "the list of objects does not go on where it should"
        })
      }
      return { objects, prefixes, next: Option.some(next) }
    })

const urlDecoded = (text: string): Effect.Effect<string, { readonly message: string }> =>
  Effect.try({
    try: () => decodeURIComponent(text.replaceAll("+", "%20")),
    catch: () => ({ message: "a text in it is not URL-encoded" })
  })
