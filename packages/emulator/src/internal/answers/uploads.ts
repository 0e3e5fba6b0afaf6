/** Uploads: Initiate, UploadPart, UploadPartCopy, Complete, Abort, ListParts, ListMultipartUploads. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Listing from "../state/listing.ts"
import { base64Of } from "../verbs.ts"
import { invalid } from "../wire/errors.ts"
import { encryptionOf } from "../wire/objectHeaders.ts"
import { copied } from "../wire/objectMessages.ts"
import * as Messages from "../wire/uploadMessages.ts"
import {
  type Answer,
  contentOf,
  integer,
  type Located,
  reply,
  requestedCallback,
  storeOptions,
  versionHeaders
} from "./asked.ts"
import { afterCallback, factsOf } from "./callback.ts"
import { sourceOf } from "./copySource.ts"

export const initiate: Answer = Effect.fnUntraced(function* (asked) {
  const { verbs, attempt, bucket, key, encoding, parameter } = asked
  const options = yield* storeOptions(asked)
  const sequential = parameter("sequential") !== undefined
  const { uploadId } = yield* verbs.initiate(attempt, { bucket, key }, { ...options, sequential })
  return reply({
    headers: encryptionOf(options.headers),
    body: Messages.initiated({ bucket, key, uploadId, encoding })
  })
})

/** OSS: a part belongs to an upload. A request without an upload id is refused, not taken for a PutObject. */
const partOf = ({ bucket, key, route }: Located) => {
  const { uploadId, partNumber } = route
  if (uploadId === undefined) return Effect.fail(invalid("uploadId", "", "uploadId is missing."))
  return Effect.succeed({ bucket, key, uploadId, number: partNumber ?? Number.NaN })
}

export const uploadPart: Answer = Effect.fnUntraced(function* (asked) {
  const { verbs, attempt } = asked
  const place = yield* partOf(asked)
  const content = yield* contentOf(asked)
  const { etag, crc64, md5, headers } = yield* verbs.uploadPart(attempt, place, content)
  return reply({
    crc64,
    headers: { etag, "content-md5": base64Of(md5), ...encryptionOf(headers) }
  })
})

export const uploadPartCopy: Answer = Effect.fnUntraced(function* (asked) {
  const { verbs, attempt } = asked
  const place = yield* partOf(asked)
  const { object, range, headers: told } = yield* sourceOf(asked)
  const content = verbs.contentOf(object, range)
  const { etag, crc64, headers, modified } = yield* verbs.uploadPart(attempt, place, content)
  return reply({
    crc64,
    headers: { etag, ...encryptionOf(headers), ...told },
    body: copied("CopyPartResult", { etag, modified })
  })
})

/** The headers of Complete that count for the object. */
const onCompletion = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name === "x-oss-object-acl"))

export const complete: Answer = Effect.fnUntraced(function* (asked) {
  const { verbs, attempt, bucket, key, uploadId, head, body, encoding } = asked
  const text = yield* Stream.mkUint8Array(body)
  const completeAll = head.headers["x-oss-complete-all"]
  if (completeAll !== undefined && completeAll.toLowerCase() !== "yes") {
    return yield* invalid("x-oss-complete-all", completeAll, "x-oss-complete-all must be yes.")
  }
  if (completeAll !== undefined && text.length > 0) {
    return yield* invalid(
      "x-oss-complete-all",
      completeAll,
      "Should not speficy both complete all header and http body.",
      "0042-00000216"
    )
  }
  const parts = completeAll === undefined ? yield* Messages.readParts(text) : null
  const { headers, forbidOverwrite } = yield* storeOptions(asked)
  const callback = yield* requestedCallback(asked)
  const completed = yield* verbs.complete(attempt, { bucket, key, uploadId }, parts, {
    headers: onCompletion(headers),
    forbidOverwrite
  })
  const { etag, crc64, object } = completed
  const md5 = object.headers["content-md5"]
  const location = `http://${head.headers["host"] ?? "localhost"}/${key}`
  return yield* afterCallback(asked, callback, factsOf(asked, object), {
    crc64,
    headers: {
      etag,
      ...encryptionOf(object.headers),
      ...versionHeaders(completed),
      ...(md5 !== undefined && { "content-md5": md5 })
    },
    body: Messages.completed({ location, bucket, key, etag, encoding })
  })
})

export const abort: Answer = ({ verbs, bucket, key, uploadId }) =>
  Effect.as(verbs.abort({ bucket, key, uploadId }), reply({ status: 204 }))

export const listParts: Answer = Effect.fnUntraced(function* (asked) {
  const { verbs, bucket, key, uploadId, encoding } = asked
  const max = yield* integer(asked, "max-parts", 1000)
  const after = yield* integer(asked, "part-number-marker", 0)
  const query = { bucket, key, uploadId, after, max }
  const { page, upload } = yield* verbs.query((state) => Listing.parts(state, query))
  return reply({ body: Messages.parts({ bucket, upload, after, max, page, encoding }) })
})

export const listUploads: Answer = Effect.fnUntraced(function* (asked) {
  const { verbs, bucket, parameter, encoding } = asked
  const query = {
    bucket,
    prefix: parameter("prefix") ?? "",
    delimiter: parameter("delimiter") ?? "",
    keyMarker: parameter("key-marker") ?? "",
    uploadIdMarker: parameter("upload-id-marker") ?? "",
    max: yield* integer(asked, "max-uploads", 1000)
  }
  const page = yield* verbs.query((state) => Listing.uploads(state, query))
  return reply({ crc64: Option.none(), body: Messages.uploads({ ...query, page, encoding }) })
})
