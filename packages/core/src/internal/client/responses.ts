/**
 * What OSS answered, read. The quirks of ali-oss and of OSS's XML end here.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Headers from "effect/http/Headers"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type {
  ObjectHead,
  ObjectReceipt,
  PartPage,
  PartReceipt,
  UploadPage
} from "../../OssModel.ts"
import type { Operation, Refusal } from "../../OssError.ts"
import type { Answer, Understood } from "./aliOss.ts"

/** An answer of the status that was hoped for, and what ali-oss made of it. */
export interface Success {
  readonly headers: Answer["headers"]
  readonly returned: unknown
  readonly data: unknown
}

/** Reads one kind of success; fails with why the answer makes no sense. */
export type Read<A> = (success: Success) => Effect.Effect<A, { readonly message: string }>

export const readWith = <A>(
  read: Read<A>,
  { headers }: Answer,
  understood: Understood
): ReturnType<Read<A>> =>
  understood._tag === "Thrown"
    ? Effect.fail({ message: `ali-oss says: ${textIn(understood.thrown, "message") ?? "nothing"}` })
    : read({ headers, returned: understood.returned, data: understood.data })

const Crc64 = Schema.OptionFromOptionalKey(Schema.BigIntFromString)
const Count = Schema.FiniteFromString.check(Schema.isInt(), Schema.isGreaterThanOrEqualTo(0))
const Truncated = Schema.Literals(["true", "false"])

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

/** The body says that the object is there; with a callback it is the callback's, and only the headers are OSS's. */
export const completed: Read<ObjectReceipt> = (success) =>
  Predicate.hasProperty(success.returned, "data")
    ? objectReceipt(success)
    : Effect.flatMap(decodeCompleted(success.data), ({ ETag }) =>
        objectReceipt({ ...success, headers: { ...success.headers, etag: ETag } })
      )

const decodeHead = Schema.decodeUnknownEffect(
  Schema.Struct({
    "content-length": Count,
    etag: Schema.NonEmptyString,
    "x-oss-hash-crc64ecma": Crc64,
    "last-modified": Schema.optionalKey(Schema.String)
  })
)

/** Undefined for what is no date. */
const httpDate = (text = ""): number | undefined => {
  const millis = Date.parse(text)
  return Number.isNaN(millis) ? undefined : millis
}

export const objectHead: Read<ObjectHead> = ({ headers }) =>
  Effect.map(decodeHead(headers), (known) => ({
    size: known["content-length"],
    etag: known.etag,
    crc64: known["x-oss-hash-crc64ecma"],
    lastModified: httpDate(known["last-modified"])
  }))

export const initiated: Read<{ readonly uploadId: string }> = ({ returned }) =>
  decodeInitiated(returned)
const decodeInitiated = Schema.decodeUnknownEffect(
  Schema.Struct({ uploadId: Schema.NonEmptyString })
)

export const nothing: Read<void> = () => Effect.void

const ListedPart = Schema.Struct({
  PartNumber: Count,
  Size: Count,
  ETag: Schema.NonEmptyString,
  HashCrc64ecma: Crc64
})
const decodeParts = Schema.decodeUnknownEffect(
  Schema.Struct({
    // ali-oss: an object when there is one part.
    parts: Schema.Union([Schema.Array(ListedPart), ListedPart]),
    isTruncated: Truncated,
    nextPartNumberMarker: Schema.optional(Schema.Union([Count, Schema.Literal("")]))
  })
)

export const partPage =
  (after = 0): Read<PartPage> =>
  ({ returned }) =>
    Effect.flatMap(decodeParts(returned), ({ parts, isTruncated: more, nextPartNumberMarker }) => {
      const next = more === "true" ? Option.some(Number(nextPartNumberMarker)) : Option.none()
      // Also false for what is not a number: a page that leads nowhere would be asked for again for ever.
      return Option.isSome(next) && !(next.value > after)
        ? Effect.fail({ message: "the list of parts does not go on where it should" })
        : Effect.succeed({ parts: ("ETag" in parts ? [parts] : parts).map(listedPart), next })
    })

const listedPart = (part: typeof ListedPart.Type) => ({
  number: part.PartNumber,
  size: part.Size,
  etag: part.ETag,
  crc64: part.HashCrc64ecma
})

const decodeUploads = Schema.decodeUnknownEffect(
  Schema.Struct({
    uploads: Schema.Array(
      Schema.Struct({
        name: Schema.String,
        uploadId: Schema.NonEmptyString,
        initiated: Schema.DateTimeUtcFromString
      })
    ),
    nextKeyMarker: Schema.optional(Schema.String),
    nextUploadIdMarker: Schema.optional(Schema.String)
  })
)

/** What ali-oss drops, or makes up where it is missing. */
const decodeUploadsXml = Schema.decodeUnknownEffect(
  Schema.Struct({ IsTruncated: Truncated, EncodingType: Schema.optional(Schema.String) })
)

export const uploadPage: Read<UploadPage> = ({ returned, data, headers }) =>
  Effect.gen(function* () {
    const { IsTruncated, EncodingType } = yield* decodeUploadsXml(data)
    const page = yield* decodeUploads(returned)
    const text = EncodingType === "url" ? urlDecoded : Effect.succeed
    const uploads = yield* Effect.forEach(page.uploads, ({ name, uploadId, initiated }) =>
      Effect.map(text(name), (key) => ({
        key,
        uploadId,
        initiated: DateTime.toEpochMillis(initiated)
      }))
    )
    const serverTime = dateOf(headers)
    if (serverTime === undefined) return yield* Effect.fail({ message: "it has no date" })
    const { nextKeyMarker, nextUploadIdMarker } = page
    if (IsTruncated === "false") return { uploads, next: Option.none(), serverTime }
    if (!nextKeyMarker || nextUploadIdMarker === undefined) {
      return yield* Effect.fail({ message: "the list of uploads does not say where it goes on" })
    }
    const next = { key: yield* text(nextKeyMarker), uploadId: nextUploadIdMarker }
    return { uploads, next: Option.some(next), serverTime }
  })

const decodeComponent = Schema.decodeUnknownEffect(Schema.StringFromUriComponent)
const urlDecoded = (text: string) => decodeComponent(text.replaceAll("+", "%20"))

/** An answer to HEAD has no body: OSS puts the error into a header. */
export const withErrorBody = (answer: Answer): Answer => {
  const header = answer.headers["x-oss-err"]
  return answer.body.length > 0 || header === undefined
    ? answer
    : { ...answer, body: Result.getOrElse(Base64.decode(header), () => answer.body) }
}

/** What is known of an answer other than success; `now` is this machine's time, in milliseconds since 1970. */
export const refusalOf = (
  operation: Operation,
  { status, headers, body }: Answer,
  understood: Understood,
  now: number
): Refusal & { readonly requestId: string | undefined } => {
  // Without a body ali-oss makes a code up.
  const error = understood._tag === "Thrown" && body.length > 0 ? understood.thrown : undefined
  const code = textIn(error, "code")
  const serverTime = dateOf(headers)
  return {
    operation,
    status,
    code,
    // Without a code the message is ali-oss's, about a body that is not OSS's.
    description: code && textIn(error, "message"),
    requestId: textIn(error, "requestId") ?? headers["x-oss-request-id"],
    retryAfter: retryAfterOf(headers, serverTime ?? now),
    offset: serverTime === undefined ? undefined : serverTime - now
  }
}

const textIn = (value: unknown, field: string): string | undefined => {
  const text = Predicate.hasProperty(value, field) ? value[field] : undefined
  return typeof text === "string" && text !== "" ? text : undefined
}

const dateOf = ({ date }: Answer["headers"]): number | undefined =>
  date === undefined
    ? undefined
    : Result.getOrUndefined(Result.map(Headers.parseHttpDate(date), DateTime.toEpochMillis))

/** Most answers don't have it, and to be told by the parser costs an error with its stack. */
const retryAfterOf = (
  { "retry-after": value }: Answer["headers"],
  now: number
): number | undefined =>
  value === undefined
    ? undefined
    : Result.getOrUndefined(
        Result.map(Headers.parseRetryAfter(value), (wait) =>
          Duration.toMillis(Headers.retryAfterDelay(wait, now))
        )
      )
