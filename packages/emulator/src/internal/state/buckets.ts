/** Commands on buckets. */
import * as HashMap from "effect/HashMap"
import * as Result from "effect/Result"
import { refuse } from "../wire/errors.ts"
import type { Of, Outcome, State } from "./model.ts"
import { findBucket } from "./queries.ts"

const bucketName = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/

/** An existing bucket stays as it is, except for the settings in the request. */
export const createBucket = (state: State, command: Of<"CreateBucket">): Outcome => {
  const { bucket: name, now, acl, storageClass } = command
  if (!bucketName.test(name)) {
    return Result.fail(refuse("InvalidBucketName", undefined, { BucketName: name }))
  }
  const bucket = Result.getOrElse(findBucket(state, name), () => ({
    name,
    created: now,
    acl: "private",
    storageClass: storageClass ?? "Standard",
    cors: [],
    tags: "",
    responseVary: false,
    payer: "BucketOwner",
    versioning: undefined,
    history: HashMap.empty<string, never>(),
    objects: HashMap.empty<string, never>(),
    uploads: HashMap.empty<string, never>()
  }))
  return changed(HashMap.set(state, name, acl === undefined ? bucket : { ...bucket, acl }))
}

/** OSS: only a bucket without objects, versions and open uploads can be deleted. */
export const deleteBucket = (state: State, { bucket: name }: Of<"DeleteBucket">): Outcome =>
  Result.flatMap(findBucket(state, name), ({ objects, history, uploads }) =>
    HashMap.isEmpty(objects) && HashMap.isEmpty(history) && HashMap.isEmpty(uploads)
      ? changed(HashMap.remove(state, name))
      : Result.fail(refuse("BucketNotEmpty", undefined, { BucketName: name }))
  )

export const configureBucket = (state: State, command: Of<"ConfigureBucket">): Outcome =>
  Result.flatMap(findBucket(state, command.bucket), (bucket) => {
    const { _tag, bucket: name, ...changes } = command
    return changed(HashMap.set(state, name, { ...bucket, ...changes }))
  })

const changed = (state: State): Outcome => Result.succeed({ state, freed: [] })
