/** Further data of an object: its ACL, its tags, and symbolic links. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Refusal } from "../../EmulatorError.ts"
import { invalid, refuse } from "../wire/errors.ts"
import { acl, readTagging, tagging } from "../wire/objectMessages.ts"
import {
  type Answer,
  documented,
  type Located,
  reply,
  storeOptions,
  versionHeaders
} from "./asked.ts"

/** The headers of an object, and the headers about its version. */
const find = ({ verbs, bucket, key, versionId }: Located) =>
  Effect.map(verbs.find({ bucket, key, versionId }), (found) => ({
    ...found.object,
    told: versionHeaders(found)
  }))

const describe = (
  { verbs, bucket, key, versionId }: Located,
  headers: Readonly<Record<string, string | null>>
) => Effect.map(verbs.describe({ bucket, key, versionId }, headers), versionHeaders)

export const getObjectAcl: Answer = (asked) =>
  Effect.map(find(asked), ({ headers, told }) =>
    reply({ headers: told, body: acl(headers["x-oss-object-acl"] ?? "default") })
  )

export const putObjectAcl: Answer = Effect.fnUntraced(function* (asked) {
  const { head } = asked
  const grant = head.headers["x-oss-object-acl"]
  if (grant === undefined)
    return yield* invalid("x-oss-object-acl", "", "x-oss-object-acl is missing.")
  return reply({ headers: yield* describe(asked, { "x-oss-object-acl": grant }) })
})

export const getObjectTagging: Answer = (asked) =>
  Effect.map(find(asked), ({ headers, told }) =>
    reply({ headers: told, body: tagging(new URLSearchParams(headers["x-oss-tagging"])) })
  )

export const putObjectTagging: Answer = documented(
  Effect.fnUntraced(function* (asked, document) {
    const tags = yield* checkTags(yield* readTagging(document))
    return reply({ headers: yield* describe(asked, { "x-oss-tagging": tags }) })
  })
)

export const deleteObjectTagging: Answer = (asked) =>
  Effect.map(describe(asked, { "x-oss-tagging": null }), (headers) =>
    reply({ status: 204, headers })
  )

const size = (text: string) => new TextEncoder().encode(text).length

const allowed = /^[\p{L}\p{N} +\-=._:/]*$/u

/** OSS: at most 10 tags of an object, and 20 of a bucket; keys of 1 to 128 and values of up to 256 bytes of certain characters. */
export const checkTags = (tags: string, max = 10): Effect.Effect<string, Refusal> => {
  const pairs = [...new URLSearchParams(tags)]
  const isGood =
    pairs.length <= max &&
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

export const getSymlink: Answer = Effect.fnUntraced(function* (asked) {
  const { type, headers, etag, modified, told } = yield* find(asked)
  if (type !== "Symlink") return yield* refuse("NotSymlink")
  return reply({
    headers: {
      "x-oss-symlink-target": encodeURIComponent(headers["x-oss-symlink-target"] ?? ""),
      "last-modified": new Date(modified).toUTCString(),
      etag,
      ...told
    }
  })
})

export const putSymlink: Answer = Effect.fnUntraced(function* (asked) {
  const { verbs, attempt, bucket, key } = asked
  const target = yield* targetOf(asked)
  const { headers, forbidOverwrite } = yield* storeOptions(asked)
  const stored = yield* verbs.put(
    attempt,
    { bucket, key },
    { headers: { ...headers, "x-oss-symlink-target": target }, forbidOverwrite, symlink: true },
    { pieces: Stream.empty }
  )
  return reply({ headers: versionHeaders(stored) })
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
