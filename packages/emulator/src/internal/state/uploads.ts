/** Commands on uploads and their parts. */
import * as Crc64 from "@effect-oss/core/Crc64"
import * as Part from "@effect-oss/core/Part"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Refusal } from "../../EmulatorError.ts"
import { refuse } from "../wire/errors.ts"
import {
  type BucketState,
  type Change,
  type Of,
  type OpenUpload,
  type Outcome,
  quote,
  type State,
  type StoredObject,
  type StoredPart
} from "./model.ts"
import { digestOf, vacancy } from "./objects.ts"
import { findUpload } from "./queries.ts"
import { nextVersionId, withVersion } from "./versions.ts"

export const initiate = (state: State, command: Of<"Initiate">): Outcome =>
  Result.gen(function* () {
    const bucket = yield* vacancy(state, command)
    const { key, uploadId, headers, sequential, now } = command
    const parts = HashMap.empty<number, StoredPart>()
    const upload = { key, uploadId, headers, sequential, initiated: now, parts }
    return withUpload(state, command.bucket, bucket, upload)
  })

export const uploadPart = (state: State, command: Of<"UploadPart">): Outcome =>
  Result.gen(function* () {
    const { number, blob, now } = command
    yield* checkPartNumber(number)
    const [bucket, upload] = yield* findUpload(state, command)
    yield* checkSequence(upload, number)
    const parts = HashMap.set(upload.parts, number, { number, blob, modified: now })
    const replaced = Option.toArray(HashMap.get(upload.parts, number))
    return withUpload(state, command.bucket, bucket, { ...upload, parts }, replaced)
  })

export const removePart = (state: State, command: Of<"RemovePart">): Outcome =>
  Result.gen(function* () {
    const [bucket, upload] = yield* findUpload(state, command)
    const removed = Option.toArray(HashMap.get(upload.parts, command.number))
    const parts = HashMap.remove(upload.parts, command.number)
    return withUpload(state, command.bucket, bucket, { ...upload, parts }, removed)
  })

export const complete = (state: State, command: Of<"Complete">): Outcome =>
  Result.gen(function* () {
    const [bucket, upload] = yield* findUpload(state, command)
    const parts = yield* selectParts(upload, command.parts)
    const small = parts.slice(0, -1).find(({ blob }) => blob.size < Part.minPartSize)
    if (small !== undefined) return yield* Result.fail(tooSmall(small))
    yield* vacancy(state, command)
    const used = new Set(parts.map(({ number }) => number))
    const unused = HashMap.toValues(upload.parts).filter(({ number }) => !used.has(number))
    return withVersion(
      state,
      { ...bucket, uploads: HashMap.remove(bucket.uploads, upload.uploadId) },
      { ...joinParts(upload, parts, command), versionId: nextVersionId(bucket, command) },
      unused.map(({ blob }) => blob)
    )
  })

export const abort = (state: State, command: Of<"Abort">): Outcome =>
  Result.map(findUpload(state, command), ([bucket, upload]) => ({
    state: HashMap.set(state, command.bucket, {
      ...bucket,
      uploads: HashMap.remove(bucket.uploads, upload.uploadId)
    }),
    freed: HashMap.toValues(upload.parts).map(({ blob }) => blob)
  }))

const tooSmall = ({ number, blob }: StoredPart): Refusal =>
  refuse("EntityTooSmall", undefined, {
    ETag: blob.md5,
    MinSizeAllowed: String(Part.minPartSize),
    ProposedSize: String(blob.size),
    PartNumber: String(number),
    EC: "0042-00000213"
  })

/** OSS: a part has a number from 1 to 10,000. */
export const checkPartNumber = (number: number): Result.Result<void, Refusal> =>
  Number.isInteger(number) && number >= 1 && number <= 10_000
    ? Result.succeed(undefined)
    : Result.fail(
        refuse(
          "InvalidArgument",
          "Part number must be an integer between 1 and 10000, inclusive.",
          { ArgumentName: "PartNumber", ArgumentValue: String(number), EC: "0017-00000220" }
        )
      )

/** Allows the next number, or an existing one. */
const checkSequence = ({ sequential, parts }: OpenUpload, number: number) =>
  !sequential || number === 1 || HashMap.has(parts, number - 1)
    ? Result.succeed(undefined)
    : Result.fail(refuse("PartNotSequential"))

const withUpload = (
  state: State,
  name: string,
  bucket: BucketState,
  upload: OpenUpload,
  replaced: ReadonlyArray<StoredPart> = []
): Change => ({
  state: HashMap.set(state, name, {
    ...bucket,
    uploads: HashMap.set(bucket.uploads, upload.uploadId, upload)
  }),
  freed: replaced.map(({ blob }) => blob)
})

/** An empty list makes an object of 0 bytes, whatever parts exist. "All parts" needs at least one. */
const selectParts = (
  upload: OpenUpload,
  listed: Of<"Complete">["parts"]
): Result.Result<ReadonlyArray<StoredPart>, Refusal> => {
  if (listed === null) {
    const all = HashMap.toValues(upload.parts).sort((a, b) => a.number - b.number)
    return all.length > 0 ? Result.succeed(all) : Result.fail(refuse("InvalidPart"))
  }
  if (listed.some(({ number }, i) => i > 0 && number <= listed[i - 1]!.number)) {
    return Result.fail(
      refuse("InvalidPartOrder", undefined, { UploadId: upload.uploadId, EC: "0042-00000209" })
    )
  }
  return Result.all(listed.map(selectPart(upload)))
}

const selectPart =
  (upload: OpenUpload) =>
  ({ number, etag }: { readonly number: number; readonly etag: string }) =>
    HashMap.get(upload.parts, number).pipe(
      Option.filter(({ blob }) => blob.md5 === etag.replaceAll('"', "").toUpperCase()),
      Result.fromOption(() =>
        refuse("InvalidPart", undefined, {
          UploadId: upload.uploadId,
          PartNumber: String(number),
          PartEtag: etag
        })
      )
    )

const joinParts = (
  upload: OpenUpload,
  parts: ReadonlyArray<StoredPart>,
  command: Of<"Complete">
): Omit<StoredObject, "versionId"> => {
  const blobs = parts.map(({ blob }) => blob)
  return {
    key: upload.key,
    blobs,
    size: blobs.reduce((sum, { size }) => sum + size, 0),
    etag: quote(`${digestOf(blobs.map(({ md5 }) => md5))}-${blobs.length}`),
    crc64: blobs.reduce((crc, blob) => Crc64.combine(crc, blob.crc64, blob.size), 0n),
    type: "Multipart",
    headers: { ...upload.headers, ...command.headers },
    modified: command.now
  }
}
