/** What can be read of a state, or why not. */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { refuse, type Refusal } from "../wire/errors.ts"
import type { BucketState, OpenUpload, State, StoredObject } from "./model.ts"

/** The bucket, or `NoSuchBucket`. */
export const findBucket = (state: State, bucket: string): Result.Result<BucketState, Refusal> =>
  Result.fromOption(HashMap.get(state, bucket), () =>
    refuse("NoSuchBucket", undefined, { BucketName: bucket })
  )

/** An upload and its bucket, or `NoSuchUpload`: also if the id is another key's. */
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

/** An object, or `NoSuchKey`. */
export const findObject = (
  state: State,
  where: { readonly bucket: string; readonly key: string }
): Result.Result<StoredObject, Refusal> =>
  Result.flatMap(findBucket(state, where.bucket), (bucket) =>
    Result.fromOption(HashMap.get(bucket.objects, where.key), () =>
      refuse("NoSuchKey", undefined, { Key: where.key })
    )
  )

/** All blobs that a state refers to, by id. */
export const blobIds = (state: State): ReadonlySet<string> => {
  const ids = new Set<string>()
  for (const { objects, uploads } of HashMap.values(state)) {
    for (const object of HashMap.values(objects)) for (const blob of object.blobs) ids.add(blob.id)
    for (const upload of HashMap.values(uploads)) {
      for (const part of HashMap.values(upload.parts)) ids.add(part.blob.id)
    }
  }
  return ids
}
