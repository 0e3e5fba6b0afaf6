/** Commands on objects. */
import { createHash } from "node:crypto"
import * as Crc64 from "@effect-oss/core/Crc64"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Refusal } from "../../EmulatorError.ts"
import { refuse } from "../wire/errors.ts"
import {
  type BucketState,
  type Of,
  onlyVersion,
  type Outcome,
  quote,
  type State,
  type StoredObject
} from "./model.ts"
import { findBucket, findVersion } from "./queries.ts"
import { nextVersionId, withoutVersion, withSame, withVersion } from "./versions.ts"

export const put = (state: State, command: Of<"Put">): Outcome =>
  Result.map(vacancy(state, command), (bucket) => {
    const { key, blob, headers, now, symlink } = command
    return withVersion(state, bucket, {
      key,
      versionId: nextVersionId(bucket, command),
      blobs: [blob],
      size: blob.size,
      etag: quote(blob.md5),
      crc64: blob.crc64,
      type: symlink ? "Symlink" : "Normal",
      headers,
      modified: now
    })
  })

/** OSS: an append goes to the end of an object that was created by appending, or creates one. */
export const append = (state: State, command: Of<"Append">): Outcome =>
  Result.gen(function* () {
    const bucket = yield* vacancy(state, { ...command, forbidOverwrite: false })
    const { key, blob, position, now } = command
    const before = Option.getOrUndefined(HashMap.get(bucket.objects, key))
    if (before !== undefined && before.type !== "Appendable") {
      return yield* Result.fail(refuse("ObjectNotAppendable"))
    }
    const { size = 0, crc64 = 0n, blobs = [], headers = command.headers } = before ?? {}
    const versionId = before?.versionId ?? nextVersionId(bucket, command)
    if (position !== size) {
      return yield* Result.fail(refuse("PositionNotEqualToLength", undefined, {}, positions(size)))
    }
    const all = [...blobs, blob]
    const object: StoredObject = {
      key,
      versionId,
      blobs: all,
      size: size + blob.size,
      etag: quote(digestOf(all.map(({ md5 }) => md5))),
      crc64: Crc64.combine(crc64, blob.crc64, blob.size),
      type: "Appendable",
      headers,
      modified: now
    }
    return before === undefined
      ? withVersion(state, bucket, object)
      : withSame(state, bucket, object)
  })

const positions = (size: number) => ({ "x-oss-next-append-position": String(size) })

/** Upper-case hex MD5 of MD5s. OSS uses it for ETags that are no MD5 of the content. */
export const digestOf = (md5s: ReadonlyArray<string>): string =>
  createHash("md5").update(md5s.join("")).digest("hex").toUpperCase()

export const describe = (state: State, command: Of<"Describe">): Outcome =>
  Result.gen(function* () {
    const bucket = yield* findBucket(state, command.bucket)
    const [, object] = yield* findVersion(state, command)
    const merged = { ...object.headers, ...command.headers }
    const headers = Object.fromEntries(
      Object.entries(merged).flatMap(([name, value]) => (value === null ? [] : [[name, value]]))
    )
    return withSame(state, bucket, { ...object, headers })
  })

/**
 * Deleting a missing object succeeds, as in OSS. Without a version id, a bucket
 * with versioning gets a marker, even if the key holds nothing.
 */
export const remove = (state: State, command: Of<"Delete">): Outcome =>
  Result.map(findBucket(state, command.bucket), (bucket) => {
    const { key, now = 0, versionId } = command
    if (versionId !== undefined) return withoutVersion(state, bucket, key, versionId)
    return bucket.versioning === undefined
      ? withoutVersion(state, bucket, key, onlyVersion)
      : withVersion(state, bucket, {
          type: "DeleteMarker",
          key,
          versionId: nextVersionId(bucket, command),
          modified: now
        })
  })

/** OSS: a key has 1 to 1,023 bytes of UTF-8, and does not begin with `/` or `\`. */
const flawOf = (key: string): string | undefined => {
  if (key === "") return "0016-00000001"
  if (new TextEncoder().encode(key).length > 1023) return "0016-00000002"
  return /^[/\\]/.test(key) ? "0016-00000005" : undefined
}

/** The bucket, if the command may store an object there. */
export const vacancy = (
  state: State,
  command: { readonly bucket: string; readonly key: string; readonly forbidOverwrite: boolean }
): Result.Result<BucketState, Refusal> =>
  Result.gen(function* () {
    const bucket = yield* findBucket(state, command.bucket)
    const ec = flawOf(command.key)
    if (ec !== undefined) {
      return yield* Result.fail(
        refuse("InvalidObjectName", undefined, { ObjectName: command.key, EC: ec })
      )
    }
    // OSS: a bucket with versioning keeps overwritten objects.
    const canBeLost = bucket.versioning === undefined && HashMap.has(bucket.objects, command.key)
    return command.forbidOverwrite && canBeLost
      ? yield* Result.fail(refuse("FileAlreadyExists"))
      : bucket
  })
