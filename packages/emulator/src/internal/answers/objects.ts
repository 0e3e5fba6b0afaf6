/** Objects: put, get, head, delete, copy, append. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { StoredObject } from "../state/model.ts"
import { findObject, findVersion } from "../state/queries.ts"
import { nameOfVersion } from "../state/versions.ts"
import { base64Of, type Place } from "../verbs.ts"
import { checkConditions } from "../wire/conditions.ts"
import type { Refusal } from "../../EmulatorError.ts"
import { invalid, refuse } from "../wire/errors.ts"
import { headersOfCopy } from "../wire/copyHeaders.ts"
import { encryptionOf, rangeOf, toHeaders } from "../wire/objectHeaders.ts"
import { copied, deleted, readDelete } from "../wire/objectMessages.ts"
import {
  type Answer,
  contentOf,
  documented,
  integer,
  type Located,
  reply,
  requestedCallback,
  storeOptions,
  versionHeaders
} from "./asked.ts"
import { afterCallback, factsOf } from "./callback.ts"
import { sourceOf } from "./copySource.ts"

export const put: Answer = Effect.fnUntraced(function* (asked) {
  const { verbs, attempt, bucket, key } = asked
  const content = yield* contentOf(asked)
  const options = yield* storeOptions(asked)
  const callback = yield* requestedCallback(asked)
  const stored = yield* verbs.put(attempt, { bucket, key }, options, content)
  const { etag, crc64, md5, object } = stored
  const headers = {
    etag,
    "content-md5": base64Of(md5),
    ...encryptionOf(object.headers),
    ...versionHeaders(stored)
  }
  return yield* afterCallback(asked, callback, factsOf(asked, object), { crc64, headers })
})

/** The object to read under a key: for a symbolic link, its target. */
const resolve = ({
  verbs,
  bucket,
  key,
  versionId
}: Located): Effect.Effect<
  readonly [named: StoredObject, read: StoredObject, versionId: string | undefined],
  Refusal
> =>
  verbs.query((state) =>
    Result.gen(function* () {
      const [found, named] = yield* findVersion(state, { bucket, key, versionId })
      const { versionId: name } = nameOfVersion(found, named)
      if (named.type !== "Symlink") return [named, named, name] as const
      const target = yield* Result.mapError(
        findObject(state, targetOf(bucket, named)),
        ({ details }) => refuse("SymlinkTargetNotExist", undefined, details)
      )
      return target.type === "Symlink"
        ? yield* Result.fail(refuse("InvalidTargetType"))
        : ([named, target, name] as const)
    })
  )

const targetOf = (bucket: string, link: StoredObject): Place => ({
  bucket,
  key: link.headers["x-oss-symlink-target"] ?? ""
})

const described = (named: StoredObject, read: StoredObject): Record<string, string> => ({
  ...toHeaders(read),
  ...(named !== read && {
    ...Object.fromEntries(
      Object.entries(toHeaders(named)).filter(([name]) => name.startsWith("x-oss-meta-"))
    ),
    "x-oss-object-type": "Symlink"
  })
})

export const get: Answer = Effect.fnUntraced(function* (asked) {
  const { verbs, head, route } = asked
  const [named, object, versionId] = yield* resolve(asked)
  yield* Effect.fromResult(checkConditions(head.headers, object))
  const range = yield* Effect.fromResult(rangeOf(head.headers, object.size))
  const { start, end } = range ?? { start: 0, end: object.size }
  const overrides = route.query
    .filter(([name]) => name.startsWith("response-"))
    .map(([name, value]) => [name.slice("response-".length), value])
  return reply({
    status: range === undefined ? 200 : 206,
    crc64: Option.some(object.crc64),
    headers: {
      ...described(named, object),
      ...versionHeaders({ versionId }),
      ...Object.fromEntries(overrides),
      ...(range && { "content-range": `bytes ${start}-${end - 1}/${object.size}` })
    },
    body: { size: end - start, stream: verbs.read(object, { start, end }) }
  })
})

/** The headers of GetObjectMeta besides the length. */
const brief: ReadonlySet<string> = new Set(["etag", "last-modified", "x-oss-object-type"])

export const head: Answer = Effect.fnUntraced(function* (asked) {
  const { head, parameter } = asked
  const [named, object, versionId] = yield* resolve(asked)
  yield* Effect.fromResult(checkConditions(head.headers, object))
  const headers = described(named, object)
  return reply({
    crc64: Option.some(object.crc64),
    headers: {
      ...(parameter("objectMeta") === undefined
        ? headers
        : Object.fromEntries(Object.entries(headers).filter(([name]) => brief.has(name)))),
      ...versionHeaders({ versionId }),
      "content-length": String(object.size)
    }
  })
})

export const remove: Answer = ({ verbs, attempt, bucket, key, versionId }) =>
  Effect.map(verbs.remove(attempt, { bucket, key, versionId }), (removed) =>
    reply({ status: 204, headers: versionHeaders(removed) })
  )

export const deleteObjects: Answer = documented(
  Effect.fnUntraced(function* ({ verbs, attempt, bucket, encoding }, document) {
    const { objects, quiet } = yield* readDelete(document)
    const removed = yield* Effect.forEach(objects, ({ key, versionId }) =>
      Effect.map(verbs.remove(attempt, { bucket, key, versionId }), (done) => ({
        key,
        asked: versionId,
        ...done
      }))
    )
    return reply(quiet ? {} : { body: deleted(removed, encoding) })
  })
)

export const copy: Answer = Effect.fnUntraced(function* (asked) {
  const { verbs, attempt, bucket, key, head } = asked
  const { object: source, headers: told } = yield* sourceOf(asked)
  const { headers: given, forbidOverwrite } = yield* storeOptions(asked)
  const headers = yield* Effect.fromResult(headersOfCopy(head.headers, source.headers, given))
  const { crc64, object, versionId } = yield* verbs.put(
    attempt,
    { bucket, key },
    { headers, forbidOverwrite },
    verbs.contentOf(source)
  )
  return reply({
    crc64,
    headers: {
      etag: object.etag,
      ...encryptionOf(object.headers),
      ...told,
      ...versionHeaders({ versionId })
    },
    body: copied("CopyObjectResult", object)
  })
})

export const append: Answer = Effect.fnUntraced(function* (asked) {
  const { verbs, attempt, bucket, key, parameter } = asked
  if (parameter("position") === undefined) {
    return yield* invalid("position", "", "Missing parameter position.")
  }
  const position = yield* integer(asked, "position", 0)
  const content = yield* contentOf(asked)
  const options = yield* storeOptions(asked)
  const place = { bucket, key, position }
  const { object, md5, versionId } = yield* verbs.append(attempt, place, options, content)
  return reply({
    crc64: Option.some(object.crc64),
    headers: {
      etag: object.etag,
      "content-md5": base64Of(md5),
      "x-oss-next-append-position": String(object.size),
      ...versionHeaders({ versionId }),
      ...encryptionOf(object.headers)
    }
  })
})
