/** Requests about buckets and their configuration. */
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Result from "effect/Result"
import { invalid, refuse } from "../wire/errors.ts"
import * as Messages from "../wire/bucketMessages.ts"
import { acl, readTagging, tagging } from "../wire/objectMessages.ts"
import { checkTags } from "./objectDetails.ts"
import { type Answer, documented, integer, type Located, reply } from "./asked.ts"

export const putBucket: Answer = documented(
  Effect.fnUntraced(function* ({ verbs, attempt, bucket, head }, document) {
    const configuration = yield* Messages.readBucketConfiguration(document)
    const grant = head.headers["x-oss-acl"]
    yield* verbs.commit({
      _tag: "CreateBucket",
      bucket,
      now: yield* attempt.now,
      ...configuration,
      ...(grant !== undefined && { acl: grant })
    })
    return reply({ headers: { location: `/${bucket}` } })
  })
)

export const deleteBucket: Answer = ({ verbs, bucket }) =>
  Effect.as(verbs.commit({ _tag: "DeleteBucket", bucket }), reply({ status: 204 }))

export const headBucket: Answer = ({ verbs, bucket, region }) =>
  Effect.as(verbs.bucketOf(bucket), reply({ headers: { "x-oss-bucket-region": `oss-${region}` } }))

export const getBucketInfo: Answer = (asked) =>
  Effect.map(asked.verbs.bucketOf(asked.bucket), (state) =>
    reply({ body: Messages.bucketInfo(state, locationOf(asked)) })
  )

/** The requested host without the bucket, so that a client that follows it stays with the emulator. */
const locationOf = ({ region, bucket, head }: Located): Messages.Location => {
  const host = head.headers["host"] ?? "localhost"
  const isFirst = bucket !== "" && host.startsWith(`${bucket}.`)
  return { region, endpoint: isFirst ? host.slice(bucket.length + 1) : host }
}

export const getBucketLocation: Answer = ({ verbs, bucket, region }) =>
  Effect.as(verbs.bucketOf(bucket), reply({ body: Messages.bucketLocation(region) }))

export const getBucketAcl: Answer = ({ verbs, bucket }) =>
  Effect.map(verbs.bucketOf(bucket), (state) => reply({ body: acl(state.acl) }))

export const putBucketAcl: Answer = Effect.fnUntraced(function* ({ verbs, bucket, head }) {
  const grant = head.headers["x-oss-acl"]
  if (grant === undefined) return yield* invalid("x-oss-acl", "", "x-oss-acl is missing.")
  yield* verbs.commit({ _tag: "ConfigureBucket", bucket, acl: grant })
  return reply({})
})

export const getBucketVersioning: Answer = ({ verbs, bucket }) =>
  Effect.map(verbs.bucketOf(bucket), ({ versioning }) =>
    reply({ body: Messages.versioning(versioning) })
  )

export const putBucketVersioning: Answer = documented(
  Effect.fnUntraced(function* ({ verbs, bucket }, document) {
    const versioning = yield* Messages.readVersioning(document)
    yield* verbs.commit({ _tag: "ConfigureBucket", bucket, versioning })
    return reply({})
  })
)

export const getBucketTags: Answer = ({ verbs, bucket }) =>
  Effect.map(verbs.bucketOf(bucket), ({ tags }) =>
    reply({ body: tagging(new URLSearchParams(tags)) })
  )

/** OSS: at most 20 tags. */
export const putBucketTags: Answer = documented(
  Effect.fnUntraced(function* ({ verbs, bucket }, document) {
    const tags = yield* checkTags(yield* readTagging(document), 20)
    yield* verbs.commit({ _tag: "ConfigureBucket", bucket, tags })
    return reply({})
  })
)

/** Deletes all tags, or those with the keys that `tagging` names. */
export const deleteBucketTags: Answer = Effect.fnUntraced(function* (asked) {
  const { verbs, bucket, parameter } = asked
  const { tags } = yield* verbs.bucketOf(bucket)
  const keys = (parameter("tagging") ?? "").split(",").filter((key) => key !== "")
  const kept = new URLSearchParams(keys.length === 0 ? "" : tags)
  for (const key of keys) kept.delete(key)
  yield* verbs.commit({ _tag: "ConfigureBucket", bucket, tags: kept.toString() })
  return reply({ status: 204 })
})

export const getBucketRequestPayment: Answer = ({ verbs, bucket }) =>
  Effect.map(verbs.bucketOf(bucket), ({ payer }) => reply({ body: Messages.requestPayment(payer) }))

/** Every key belongs to the owner of the bucket, so no request has to say that the requester pays. */
export const putBucketRequestPayment: Answer = documented(
  Effect.fnUntraced(function* ({ verbs, bucket }, document) {
    const payer = yield* Messages.readRequestPayment(document)
    yield* verbs.commit({ _tag: "ConfigureBucket", bucket, payer })
    return reply({})
  })
)

export const getBucketStat: Answer = ({ verbs, bucket }) =>
  Effect.map(verbs.bucketOf(bucket), (state) => reply({ body: Messages.stat(state) }))

export const getBucketCors: Answer = Effect.fnUntraced(function* ({ verbs, bucket }) {
  const { cors, responseVary } = yield* verbs.bucketOf(bucket)
  return cors.length === 0
    ? yield* refuse("NoSuchCORSConfiguration")
    : reply({ body: Messages.cors(cors, responseVary) })
})

export const putBucketCors: Answer = documented(
  Effect.fnUntraced(function* ({ verbs, bucket }, document) {
    yield* verbs.commit({
      _tag: "ConfigureBucket",
      bucket,
      ...(yield* Messages.readCors(document))
    })
    return reply({})
  })
)

export const deleteBucketCors: Answer = ({ verbs, bucket }) =>
  Effect.as(
    verbs.commit({ _tag: "ConfigureBucket", bucket, cors: [], responseVary: false }),
    reply({ status: 204 })
  )

/** OSS: one tag by `tag-key` and `tag-value`, or several as `tagging="k1":"v1","k2":"v2"`. */
const hasTags = (tags: URLSearchParams, parameter: Located["parameter"]): boolean => {
  const pairs = (parameter("tagging") ?? "").matchAll(/"([^"]*)":"([^"]*)"/g)
  const key = parameter("tag-key")
  const value = parameter("tag-value")
  return (
    [...pairs].every(([, key = "", value]) => tags.get(key) === value) &&
    (key === undefined || (value === undefined ? tags.has(key) : tags.get(key) === value))
  )
}

export const listBuckets: Answer = Effect.fnUntraced(function* (asked) {
  const { verbs, parameter } = asked
  const prefix = parameter("prefix") ?? ""
  const marker = parameter("marker") ?? ""
  const max = yield* integer(asked, "max-keys", 100)
  if (max < 1 || max > 1000) {
    return yield* invalid("max-keys", String(max), "Argument max-keys must be from 1 to 1000.")
  }
  const all = yield* verbs.query((state) => Result.succeed(HashMap.toValues(state)))
  const found = all
    .filter(({ name }) => name.startsWith(prefix) && name > marker)
    .filter(({ tags }) => hasTags(new URLSearchParams(tags), parameter))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const items = found.slice(0, max)
  const truncated = found.length > max
  return reply({
    body: Messages.buckets({ prefix, marker, max, items, truncated, location: locationOf(asked) })
  })
})
