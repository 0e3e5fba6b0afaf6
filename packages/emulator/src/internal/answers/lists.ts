/** ListObjects, versions 1 and 2. */
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Listing from "../state/listing.ts"
import type { Refusal } from "../../EmulatorError.ts"
import { invalid } from "../wire/errors.ts"
import { objects, versions } from "../wire/objectMessages.ts"
import { type Answer, integer, reply } from "./asked.ts"

export const listObjects: Answer = Effect.fnUntraced(function* (asked) {
  const { verbs, bucket, parameter, encoding } = asked
  const version = parameter("list-type") === "2" ? 2 : 1
  const token = version === 2 ? parameter("continuation-token") || undefined : undefined
  const start = parameter(version === 2 ? "start-after" : "marker") ?? ""
  const query = {
    bucket,
    prefix: parameter("prefix") ?? "",
    delimiter: parameter("delimiter") ?? "",
    after: token === undefined ? start : yield* Effect.fromResult(nameIn(token)),
    max: yield* integer(asked, "max-keys", 100)
  }
  const listed = yield* verbs.query((state) => Listing.objects(state, query))
  return reply({
    body: objects({
      ...query,
      version,
      token,
      after: start,
      encoding,
      page: listed.page,
      find: (key) => Option.getOrUndefined(HashMap.get(listed.bucket.objects, key)),
      nextToken: tokenOf,
      withOwner: version === 1 || parameter("fetch-owner") === "true"
    })
  })
})

/** A bucket without versioning has one version of each object, called null. */
export const listObjectVersions: Answer = Effect.fnUntraced(function* (asked) {
  const { verbs, bucket, parameter, encoding } = asked
  const query = {
    bucket,
    prefix: parameter("prefix") ?? "",
    delimiter: parameter("delimiter") ?? "",
    keyMarker: parameter("key-marker") ?? "",
    versionIdMarker: parameter("version-id-marker") ?? "",
    max: yield* integer(asked, "max-keys", 100)
  }
  const page = yield* verbs.query((state) => Listing.versions(state, query))
  return reply({ body: versions({ ...query, encoding, page }) })
})

const mark = "next:"

/** Clients return the token unchanged; anything else is invalid. */
const tokenOf = (name: string) => Buffer.from(mark + name).toString("base64")

const nameIn = (token: string): Result.Result<string, Refusal> => {
  const text = Buffer.from(token, "base64").toString()
  const name = text.slice(mark.length)
  return text.startsWith(mark) && tokenOf(name) === token
    ? Result.succeed(name)
    : Result.fail(
        invalid("continuation-token", token, "The continuation token provided is incorrect.")
      )
}
