/** Queries on a state, each with the refusal for a missing item. */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Refusal } from "../../EmulatorError.ts"
import { refuse } from "../wire/errors.ts"
import { isObject, versionsOf } from "./versions.ts"
import type { BucketState, OpenUpload, State, StoredObject } from "./model.ts"

/** The bucket, or `NoSuchBucket`. */
export const findBucket = (state: State, bucket: string): Result.Result<BucketState, Refusal> =>
  Result.fromOption(HashMap.get(state, bucket), () =>
    refuse("NoSuchBucket", undefined, { BucketName: bucket })
  )

/** An upload and its bucket. Fails with `NoSuchUpload`, also if the id belongs to another key. */
export const findUpload = (
  state: State,
  where: { readonly bucket: string; readonly key: string; readonly uploadId: string }
): Result.Result<readonly [BucketState, OpenUpload], Refusal> =>
  Result.flatMap(findBucket(state, where.bucket), (bucket) =>
    HashMap.get(bucket.uploads, where.uploadId).pipe(
      Option.filter((upload) => upload.key === where.key),
      Result.fromOption(() =>
        refuse("NoSuchUpload", undefined, { UploadId: where.uploadId, EC: "0042-00000002" })
      ),
      Result.map((upload) => [bucket, upload] as const)
    )
  )

/** An object and its bucket, or `NoSuchKey` or `NoSuchVersion`. A delete marker is no object. */
export const findVersion = (
  state: State,
  where: { readonly bucket: string; readonly key: string; readonly versionId?: string | undefined }
): Result.Result<readonly [BucketState, StoredObject], Refusal> =>
  Result.flatMap(findBucket(state, where.bucket), (bucket) => {
    const { key, versionId } = where
    const versions = versionsOf(bucket, key)
    const found =
      versionId === undefined
        ? versions[0]
        : versions.find((version) => version.versionId === versionId)
    if (found !== undefined && isObject(found)) return Result.succeed([bucket, found] as const)
    const marker = found && { "x-oss-delete-marker": "true", "x-oss-version-id": found.versionId }
    if (versionId === undefined) {
      return Result.fail(refuse("NoSuchKey", undefined, { Key: key }, marker))
    }
    return Result.fail(
      marker === undefined
        ? refuse("NoSuchVersion", undefined, { Key: key, VersionId: versionId })
        : refuse("MethodNotAllowed", undefined, {}, { ...marker, allow: "DELETE" })
    )
  })

/** An object, or `NoSuchKey` or `NoSuchVersion`. */
export const findObject = (
  state: State,
  where: Parameters<typeof findVersion>[1]
): Result.Result<StoredObject, Refusal> =>
  Result.map(findVersion(state, where), ([, object]) => object)

/** All blobs that a state refers to, by id. */
export const blobIds = (state: State): ReadonlySet<string> => {
  const ids = new Set<string>()
  for (const { objects, history, uploads } of HashMap.values(state)) {
    for (const object of HashMap.values(objects)) for (const blob of object.blobs) ids.add(blob.id)
    for (const versions of HashMap.values(history)) {
      for (const version of versions.filter(isObject)) {
        for (const blob of version.blobs) ids.add(blob.id)
      }
    }
    for (const upload of HashMap.values(uploads)) {
      for (const part of HashMap.values(upload.parts)) ids.add(part.blob.id)
    }
  }
  return ids
}
