/**
 * The versions of a key. A bucket without versioning has one version of each
 * key. A bucket with versioning only adds versions: a deletion puts a marker on
 * top. While versioning is suspended, a stored or deleted object replaces the
 * version `null`, and all other versions stay.
 */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import {
  type Blob,
  type BucketState,
  type Change,
  onlyVersion,
  type State,
  type StoredObject,
  type Version
} from "./model.ts"

/** All versions of a key, newest first. */
export const versionsOf = (bucket: BucketState, key: string): ReadonlyArray<Version> => [
  ...Option.toArray(HashMap.get(bucket.objects, key)),
  ...Option.getOrElse(HashMap.get(bucket.history, key), () => [])
]

/** The name of a version in an answer; undefined in a bucket without versioning. */
export const nameOfVersion = (
  bucket: BucketState,
  { versionId }: Version
): { readonly versionId?: string } => (bucket.versioning === undefined ? {} : { versionId })

/** The id of the next version of a key. */
export const nextVersionId = (
  { versioning }: BucketState,
  { newVersionId = onlyVersion }: { readonly newVersionId?: string | undefined }
): string => (versioning === "Enabled" ? newVersionId : onlyVersion)

/** The state with a new version on top. It replaces a version with the same id. */
export const withVersion = (
  state: State,
  bucket: BucketState,
  version: Version,
  unused: ReadonlyArray<Blob> = []
): Change => {
  const before = versionsOf(bucket, version.key)
  const kept = before.filter(({ versionId }) => versionId !== version.versionId)
  return {
    state: withVersions(state, bucket, version.key, [version, ...kept]),
    freed: [...unused, ...blobsOf(before, kept)],
    ...(isObject(version) && { object: version }),
    ...nameOfVersion(bucket, version),
    isMarker: !isObject(version)
  }
}

/** The state without a version. A missing version counts as removed. */
export const withoutVersion = (
  state: State,
  bucket: BucketState,
  key: string,
  versionId: string
): Change => {
  const before = versionsOf(bucket, key)
  const kept = before.filter((version) => version.versionId !== versionId)
  return {
    state: withVersions(state, bucket, key, kept),
    freed: blobsOf(before, kept),
    ...(bucket.versioning !== undefined && { versionId }),
    isMarker: before.some((version) => version.versionId === versionId && !isObject(version))
  }
}

/** The state with an object that replaces the same version of itself. */
export const withSame = (state: State, bucket: BucketState, object: StoredObject): Change => ({
  state: withVersions(
    state,
    bucket,
    object.key,
    versionsOf(bucket, object.key).map((version) =>
      version.versionId === object.versionId ? object : version
    )
  ),
  freed: [],
  object,
  ...nameOfVersion(bucket, object)
})

export const isObject = (version: Version): version is StoredObject =>
  version.type !== "DeleteMarker"

const withVersions = (
  state: State,
  bucket: BucketState,
  key: string,
  versions: ReadonlyArray<Version>
): State => {
  const [first, ...rest] = versions
  const isCurrent = first !== undefined && isObject(first)
  const older = isCurrent ? rest : versions
  return HashMap.set(state, bucket.name, {
    ...bucket,
    objects: isCurrent
      ? HashMap.set(bucket.objects, key, first)
      : HashMap.remove(bucket.objects, key),
    history:
      older.length === 0
        ? HashMap.remove(bucket.history, key)
        : HashMap.set(bucket.history, key, older)
  })
}

const blobsOf = (
  before: ReadonlyArray<Version>,
  kept: ReadonlyArray<Version>
): ReadonlyArray<Blob> => {
  const stay = new Set(kept)
  return before.flatMap((version) => (isObject(version) && !stay.has(version) ? version.blobs : []))
}
