/**
 * One function an operation: takes what the request says, asks the state
 * machine, and says what the answer is. Knows OSS's headers, not HTTP's
 * mechanics.
 */
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import type { HttpServerError } from "effect/http/HttpServerError"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Stream from "effect/Stream"
import { refuse, type Refusal } from "../ErrorCode.ts"
import type { Operation } from "../Fault.ts"
import * as Listing from "../Listing.ts"
import * as Messages from "../Messages.ts"
import type { Head, Route } from "../Router.ts"
import type { Answered, Attempt, Disruption, Unread } from "./exchange.ts"
import { rangeOf, storedHeaders, toHeaders } from "./objectHeaders.ts"
import type { Verbs } from "./verbs.ts"

/** What goes back over HTTP. */
export interface Reply extends Answered {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?:
    | string
    | { readonly size: number; readonly stream: Stream.Stream<Uint8Array, PlatformError> }
    | undefined
}

type Broken = Refusal | Disruption | Unread<HttpServerError>

/** A request that has been let in. */
export interface Asked {
  readonly attempt: Attempt
  readonly verbs: Verbs
  readonly head: Head
  readonly route: Route
  readonly body: Stream.Stream<Uint8Array, Exclude<Broken, Refusal>>
}

interface Located extends Asked {
  readonly bucket: string
  readonly key: string
  readonly uploadId: string
  readonly parameter: (name: string) => string | undefined
  readonly encoding: Messages.Encoding
}

export const answerTo = (asked: Asked): Effect.Effect<Reply, Broken> => {
  const { bucket = "", key = "", uploadId = "", query, operation } = asked.route
  const parameters = new Map(query)
  const parameter = (name: string) => parameters.get(name)
  const encoding = parameter("encoding-type")
  if (encoding !== undefined && encoding !== "url") {
    return Effect.fail(refuse("InvalidArgument", "encoding-type must be url."))
  }
  return table[operation]({ ...asked, bucket, key, uploadId, parameter, encoding })
}

type Answer = (asked: Located) => Effect.Effect<Reply, Broken>

const reply = (fields: Partial<Reply>): Reply => ({ crc64: Option.none(), headers: {}, ...fields })

/** For requests that carry no body: takes what there is all the same, as faults may wait there. */
const bodiless =
  (answer: Answer): Answer =>
  (asked) =>
    Effect.andThen(Stream.runDrain(asked.body), answer(asked))

const initiate: Answer = ({ verbs, attempt, bucket, key, head, encoding }) =>
  Effect.map(verbs.initiate(attempt, { bucket, key }, storeOptions(head)), ({ uploadId }) =>
    reply({ body: Messages.initiated({ bucket, key, uploadId, encoding }) })
  )

const uploadPart: Answer = ({ verbs, attempt, bucket, key, uploadId, route, head, body }) =>
  Effect.andThen(
    checkLength(head),
    verbs.uploadPart(
      attempt,
      {
        bucket,
        key,
        uploadId,
        number: route.partNumber ?? Number.NaN,
        md5: head.headers["content-md5"]
      },
      body
    )
  ).pipe(Effect.map(({ etag, crc64 }) => reply({ crc64, headers: { etag } })))

const put: Answer = ({ verbs, attempt, bucket, key, head, body, parameter }) =>
  Effect.andThen(
    checkLength(head),
    verbs.put(attempt, { bucket, key, md5: head.headers["content-md5"] }, storeOptions(head), body)
  ).pipe(
    Effect.map(({ etag, crc64 }) =>
      reply({ crc64, ...afterCallback(head, parameter, { headers: { etag } }) })
    )
  )

const complete: Answer = Effect.fnUntraced(function* (asked) {
  const { verbs, attempt, bucket, key, uploadId, head, body, encoding, parameter } = asked
  const text = yield* Stream.mkUint8Array(body)
  const all = head.headers["x-oss-complete-all"]?.toLowerCase() === "yes"
  if (all && text.length > 0) {
    return yield* refuse("InvalidArgument", "x-oss-complete-all goes without a body.")
  }
  const parts = all ? null : yield* Messages.readParts(text)
  const options = storeOptions(head)
  const { etag, crc64 } = yield* verbs.complete(attempt, { bucket, key, uploadId }, parts, {
    ...options,
    headers: Object.fromEntries(
      Object.entries(options.headers).filter(([name]) => name === "x-oss-object-acl")
    )
  })
  const location = `http://${head.headers["host"] ?? "localhost"}/${key}`
  const xml = Messages.completed({ location, bucket, key, etag, encoding })
  return reply({
    crc64,
    ...afterCallback(head, parameter, { headers: { etag }, body: xml })
  })
})

/** Callbacks count as succeeded: nobody is called. */
const afterCallback = (
  head: Head,
  parameter: Located["parameter"],
  fields: Pick<Reply, "headers" | "body">
): Pick<Reply, "headers" | "body"> =>
  head.headers["x-oss-callback"] === undefined && parameter("callback") === undefined
    ? fields
    : {
        headers: { ...fields.headers, "content-type": "application/json" },
        body: JSON.stringify({ Status: "OK" })
      }

const listParts: Answer = Effect.fnUntraced(function* (asked) {
  const { verbs, bucket, key, uploadId, encoding } = asked
  const max = yield* integer(asked, "max-parts", 1000)
  const after = yield* integer(asked, "part-number-marker", 0)
  const query = { bucket, key, uploadId, after, max }
  const page = yield* verbs.query((state) => Listing.parts(state, query))
  return reply({ body: Messages.parts({ ...query, page, encoding }) })
})

const listUploads: Answer = Effect.fnUntraced(function* (asked) {
  const { verbs, bucket, parameter, encoding } = asked
  const query = {
    bucket,
    prefix: parameter("prefix") ?? "",
    keyMarker: parameter("key-marker") ?? "",
    uploadIdMarker: parameter("upload-id-marker") ?? "",
    max: yield* integer(asked, "max-uploads", 1000)
  }
  const page = yield* verbs.query((state) => Listing.uploads(state, query))
  return reply({ body: Messages.uploads({ ...query, page, encoding }) })
})

const listObjects: Answer = Effect.fnUntraced(function* (asked) {
  const { verbs, bucket, parameter, encoding } = asked
  const version = parameter("list-type") === "2" ? 2 : 1
  const token = version === 2 ? parameter("continuation-token") : undefined
  const start = parameter(version === 2 ? "start-after" : "marker") ?? ""
  const query = {
    bucket,
    prefix: parameter("prefix") ?? "",
    delimiter: parameter("delimiter") ?? "",
    after: token === undefined ? start : Buffer.from(token, "base64").toString(),
    max: yield* integer(asked, "max-keys", 100)
  }
  const listed = yield* verbs.query((state) => Listing.objects(state, query))
  return reply({
    body: Messages.objects({
      ...query,
      version,
      token,
      after: start,
      encoding,
      page: listed.page,
      find: (key) => Option.getOrUndefined(HashMap.get(listed.bucket.objects, key)),
      nextToken: (name) => Buffer.from(name).toString("base64")
    })
  })
})

const get: Answer = Effect.fnUntraced(function* ({ verbs, bucket, key, head, route }) {
  const object = yield* verbs.head({ bucket, key })
  const range = yield* Effect.fromResult(rangeOf(head.headers, object.size))
  const { start, end } = range ?? { start: 0, end: object.size }
  const overrides = route.query
    .filter(([name]) => name.startsWith("response-"))
    .map(([name, value]) => [name.slice("response-".length), value])
  return reply({
    status: range === undefined ? 200 : 206,
    crc64: Option.some(object.crc64),
    headers: {
      ...toHeaders(object),
      ...Object.fromEntries(overrides),
      ...(range && { "content-range": `bytes ${start}-${end - 1}/${object.size}` })
    },
    body: { size: end - start, stream: verbs.read(object, { start, end }) }
  })
})

const head: Answer = ({ verbs, bucket, key }) =>
  Effect.map(verbs.head({ bucket, key }), (object) =>
    reply({
      crc64: Option.some(object.crc64),
      headers: { ...toHeaders(object), "content-length": String(object.size) }
    })
  )

const abort: Answer = ({ verbs, bucket, key, uploadId }) =>
  Effect.as(verbs.abort({ bucket, key, uploadId }), reply({ status: 204 }))

const remove: Answer = ({ verbs, bucket, key }) =>
  Effect.as(verbs.remove({ bucket, key }), reply({ status: 204 }))

const putBucket: Answer = ({ verbs, bucket }) =>
  Effect.as(verbs.createBucket(bucket), reply({ headers: { location: `/${bucket}` } }))

const table: Readonly<Record<Operation, Answer>> = {
  initiate: bodiless(initiate),
  uploadPart,
  listParts: bodiless(listParts),
  complete,
  abort: bodiless(abort),
  listUploads: bodiless(listUploads),
  head: bodiless(head),
  put,
  get: bodiless(get),
  delete: bodiless(remove),
  listObjects: bodiless(listObjects),
  putBucket: bodiless(putBucket),
  other: () => Effect.fail(refuse("NotImplemented"))
}

const storeOptions = ({ headers }: Head) => ({
  headers: storedHeaders(headers),
  forbidOverwrite: headers["x-oss-forbid-overwrite"]?.toLowerCase() === "true"
})

const checkLength = ({ headers }: Head) =>
  headers["content-length"] === undefined && headers["transfer-encoding"] === undefined
    ? Effect.fail(refuse("MissingContentLength"))
    : Effect.void

const integer = ({ parameter }: Located, name: string, otherwise: number) => {
  const text = parameter(name) ?? ""
  if (text === "") return Effect.succeed(otherwise)
  return /^\d{1,9}$/.test(text)
    ? Effect.succeed(Number(text))
    : Effect.fail(refuse("InvalidArgument", `${name} must be a number.`))
}
