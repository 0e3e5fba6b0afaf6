/** What else an object has: its ACL, its tags, and symbolic links. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { invalid, refuse, type Refusal } from "../wire/errors.ts"
import { acl, readTagging, tagging } from "../wire/objectMessages.ts"
import { type Answer, documented, type Located, reply, storeOptions } from "./asked.ts"

export const getObjectAcl: Answer = ({ verbs, bucket, key }) =>
  Effect.map(verbs.head({ bucket, key }), ({ headers }) =>
    reply({ body: acl(headers["x-oss-object-acl"] ?? "default") })
  )

export const putObjectAcl: Answer = Effect.fnUntraced(function* ({ verbs, bucket, key, head }) {
  const grant = head.headers["x-oss-object-acl"]
  if (grant === undefined)
    return yield* invalid("x-oss-object-acl", "", "x-oss-object-acl is missing.")
  yield* verbs.describe({ bucket, key }, { "x-oss-object-acl": grant })
  return reply({})
})

export const getObjectTagging: Answer = ({ verbs, bucket, key }) =>
  Effect.map(verbs.head({ bucket, key }), ({ headers }) =>
    reply({ body: tagging(new URLSearchParams(headers["x-oss-tagging"])) })
  )

export const putObjectTagging: Answer = documented(
  Effect.fnUntraced(function* ({ verbs, bucket, key }, document) {
    const tags = yield* checkTags(yield* readTagging(document))
    yield* verbs.describe({ bucket, key }, { "x-oss-tagging": tags })
    return reply({})
  })
)

export const deleteObjectTagging: Answer = ({ verbs, bucket, key }) =>
  Effect.as(verbs.describe({ bucket, key }, { "x-oss-tagging": null }), reply({ status: 204 }))

const size = (text: string) => new TextEncoder().encode(text).length

const allowed = /^[\p{L}\p{N} +\-=._:/]*$/u

/** OSS: at most 10 tags, keys of 1 to 128 and values of up to 256 bytes of certain characters. */
export const checkTags = (tags: string): Effect.Effect<string, Refusal> => {
  const pairs = [...new URLSearchParams(tags)]
  const isGood =
    pairs.length <= 10 &&
    new Set(pairs.map(([key]) => key)).size === pairs.length &&
    pairs.every(
      ([key, value]) =>
        key !== "" &&
        size(key) <= 128 &&
        size(value) <= 256 &&
        allowed.test(key) &&
        allowed.test(value)
    )
  return isGood ? Effect.succeed(tags) : Effect.fail(refuse("InvalidTag"))
}

export const getSymlink: Answer = Effect.fnUntraced(function* ({ verbs, bucket, key }) {
  const { type, headers, etag, modified } = yield* verbs.head({ bucket, key })
  if (type !== "Symlink") return yield* refuse("NotSymlink")
  return reply({
    headers: {
      "x-oss-symlink-target": encodeURIComponent(headers["x-oss-symlink-target"] ?? ""),
      "last-modified": new Date(modified).toUTCString(),
      etag
    }
  })
})

export const putSymlink: Answer = Effect.fnUntraced(function* (asked) {
  const { verbs, attempt, bucket, key } = asked
  const target = yield* targetOf(asked)
  const { headers, forbidOverwrite } = yield* storeOptions(asked)
  yield* verbs.put(
    attempt,
    { bucket, key },
    { headers: { ...headers, "x-oss-symlink-target": target }, forbidOverwrite, symlink: true },
    { pieces: Stream.empty }
  )
  return reply({})
})

const targetOf = ({ head }: Located) => {
  const text = head.headers["x-oss-symlink-target"] ?? ""
  return Effect.try({
    try: () => decodeURIComponent(text),
    catch: () => text
  }).pipe(
    Effect.filterOrFail((target) => target !== ""),
    Effect.mapError(() =>
      invalid("x-oss-symlink-target", text, "x-oss-symlink-target must name an object.")
    )
  )
}
