/**
 * All that an OSS server remembers, as one pure state machine: buckets,
 * objects, uploads and their parts. It knows no HTTP, no clock, no randomness
 * and no bytes: time and ids come with the commands, bytes are blobs that
 * somebody else keeps. A command either is refused or gives the next state and
 * the blobs that nothing refers to any more.
 *
 * Everything lies in persistent hash maps, so that a command costs the same
 * whatever the number of parts, and a state that was read stays as it was.
 *
 * @since 0.1.0
 */
import { createHash } from "node:crypto"
import * as Crc64 from "@effect-oss/core/Crc64"
import * as Part from "@effect-oss/core/Part"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { refuse, type Refusal } from "./ErrorCode.ts"

/**
 * Bytes that are kept elsewhere.
 *
 * @category models
 * @since 0.1.0
 */
export const Blob = Schema.Struct({
  id: Schema.String,
  /** In bytes. */
  size: Schema.Finite,
  /** 32 upper-case hex digits. */
  md5: Schema.String,
  /** CRC-64/XZ. */
  crc64: Schema.BigInt
})

/**
 * Bytes that are kept elsewhere.
 *
 * @category models
 * @since 0.1.0
 */
export type Blob = typeof Blob.Type

/**
 * What is kept of a part.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredPart {
  readonly number: number
  readonly blob: Blob
  /** In milliseconds since 1970. */
  readonly modified: number
}

/**
 * An upload that is neither completed nor aborted.
 *
 * @category models
 * @since 0.1.0
 */
export interface OpenUpload {
  readonly key: string
  readonly uploadId: string
  /** Kept for the object. */
  readonly headers: Readonly<Record<string, string>>
  /** In milliseconds since 1970. */
  readonly initiated: number
  readonly parts: HashMap.HashMap<number, StoredPart>
}

/**
 * What is stored under a key.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredObject {
  readonly key: string
  /** In order; together they are the object's bytes. */
  readonly blobs: ReadonlyArray<Blob>
  /** In bytes. */
  readonly size: number
  /** Quotes included. */
  readonly etag: string
  /** CRC-64/XZ of the whole. */
  readonly crc64: bigint
  readonly type: "Normal" | "Multipart"
  /** As given by Initiate or Put, names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** In milliseconds since 1970. */
  readonly modified: number
}

/**
 * One bucket.
 *
 * @category models
 * @since 0.1.0
 */
export interface BucketState {
  readonly objects: HashMap.HashMap<string, StoredObject>
  /** By upload id. */
  readonly uploads: HashMap.HashMap<string, OpenUpload>
}

/**
 * Buckets by name.
 *
 * @category models
 * @since 0.1.0
 */
export type State = HashMap.HashMap<string, BucketState>

/**
 * A server without buckets.
 *
 * @category constructors
 * @since 0.1.0
 */
export const empty: State = HashMap.empty()

const Headers = Schema.Record(Schema.String, Schema.String)
const upload = { bucket: Schema.String, key: Schema.String, uploadId: Schema.String }

/**
 * All that can change a state. Plain data, so that it can be written down and
 * carried out again.
 *
 * @category models
 * @since 0.1.0
 */
export const Command = Schema.TaggedUnion({
  CreateBucket: { bucket: Schema.String },
  Initiate: {
    ...upload,
    headers: Headers,
    forbidOverwrite: Schema.Boolean,
    now: Schema.Finite
  },
  UploadPart: { ...upload, number: Schema.Finite, blob: Blob, now: Schema.Finite },
  Complete: {
    ...upload,
    /** Null: all parts that there are. */
    parts: Schema.NullOr(
      Schema.Array(Schema.Struct({ number: Schema.Finite, etag: Schema.String }))
    ),
    /** Added to those of Initiate. */
    headers: Headers,
    forbidOverwrite: Schema.Boolean,
    now: Schema.Finite
  },
  Abort: upload,
  /** What no request does: one part gets lost. */
  RemovePart: { ...upload, number: Schema.Finite },
  Put: {
    bucket: Schema.String,
    key: Schema.String,
    blob: Blob,
    headers: Headers,
    forbidOverwrite: Schema.Boolean,
    now: Schema.Finite
  },
  Delete: { bucket: Schema.String, key: Schema.String }
})

/**
 * All that can change a state.
 *
 * @category models
 * @since 0.1.0
 */
export type Command = typeof Command.Type

/**
 * What a command did.
 *
 * @category models
 * @since 0.1.0
 */
export interface Change {
  readonly state: State
  /** Blobs that the command made superfluous. */
  readonly freed: ReadonlyArray<Blob>
  /** The object that the command stored. */
  readonly object?: StoredObject
}

type Outcome = Result.Result<Change, Refusal>
type Of<Tag extends Command["_tag"]> = Extract<Command, { readonly _tag: Tag }>

/**
 * Carries out a command, or refuses it.
 *
 * @category commands
 * @since 0.1.0
 */
export const apply = (state: State, command: Command): Outcome => {
  switch (command._tag) {
    case "CreateBucket":
      return createBucket(state, command)
    case "Initiate":
      return initiate(state, command)
    case "UploadPart":
      return uploadPart(state, command)
    case "Complete":
      return complete(state, command)
    case "Abort":
      return abort(state, command)
    case "RemovePart":
      return removePart(state, command)
    case "Put":
      return put(state, command)
    case "Delete":
      return remove(state, command)
  }
}

const bucketName = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/

const createBucket = (state: State, { bucket }: Of<"CreateBucket">): Outcome => {
  if (!bucketName.test(bucket)) return Result.fail(refuse("InvalidBucketName"))
  return changed(
    HashMap.has(state, bucket)
      ? state
      : HashMap.set(state, bucket, { objects: HashMap.empty(), uploads: HashMap.empty() })
  )
}

const initiate = (state: State, command: Of<"Initiate">): Outcome =>
  Result.gen(function* () {
    const bucket = yield* vacancy(state, command)
    const { key, uploadId, headers, now } = command
    const upload = { key, uploadId, headers, initiated: now, parts: HashMap.empty() }
    return withUpload(state, command.bucket, bucket, upload)
  })

const uploadPart = (state: State, command: Of<"UploadPart">): Outcome =>
  Result.gen(function* () {
    const { number, blob, now } = command
    yield* checkPartNumber(number)
    const [bucket, upload] = yield* findUpload(state, command)
    const parts = HashMap.set(upload.parts, number, { number, blob, modified: now })
    const replaced = Option.toArray(HashMap.get(upload.parts, number))
    return withUpload(state, command.bucket, bucket, { ...upload, parts }, replaced)
  })

const removePart = (state: State, command: Of<"RemovePart">): Outcome =>
  Result.gen(function* () {
    const [bucket, upload] = yield* findUpload(state, command)
    const removed = Option.toArray(HashMap.get(upload.parts, command.number))
    const parts = HashMap.remove(upload.parts, command.number)
    return withUpload(state, command.bucket, bucket, { ...upload, parts }, removed)
  })

const complete = (state: State, command: Of<"Complete">): Outcome =>
  Result.gen(function* () {
    const [bucket, upload] = yield* findUpload(state, command)
    const parts = yield* selectParts(upload, command.parts)
    if (parts.slice(0, -1).some(({ blob }) => blob.size < Part.minPartSize)) {
      return yield* Result.fail(refuse("EntityTooSmall"))
    }
    yield* vacancy(state, command)
    const used = new Set(parts.map(({ number }) => number))
    const unused = HashMap.toValues(upload.parts).filter(({ number }) => !used.has(number))
    return withObject(
      state,
      command.bucket,
      { ...bucket, uploads: HashMap.remove(bucket.uploads, upload.uploadId) },
      joinParts(upload, parts, command),
      unused
    )
  })

const abort = (state: State, command: Of<"Abort">): Outcome =>
  Result.map(findUpload(state, command), ([bucket, upload]) => ({
    state: HashMap.set(state, command.bucket, {
      ...bucket,
      uploads: HashMap.remove(bucket.uploads, upload.uploadId)
    }),
    freed: HashMap.toValues(upload.parts).map(({ blob }) => blob)
  }))

const put = (state: State, command: Of<"Put">): Outcome =>
  Result.map(vacancy(state, command), (bucket) => {
    const { key, blob, headers, now } = command
    return withObject(state, command.bucket, bucket, {
      key,
      blobs: [blob],
      size: blob.size,
      etag: quote(blob.md5),
      crc64: blob.crc64,
      type: "Normal",
      headers,
      modified: now
    })
  })

/** Deleting what is not there is a success, as in OSS. */
const remove = (state: State, command: Of<"Delete">): Outcome =>
  Result.map(findBucket(state, command.bucket), (bucket) => ({
    state: HashMap.set(state, command.bucket, {
      ...bucket,
      objects: HashMap.remove(bucket.objects, command.key)
    }),
    freed: Option.match(HashMap.get(bucket.objects, command.key), {
      onNone: () => [],
      onSome: (object) => object.blobs
    })
  }))

/**
 * The bucket, or `NoSuchBucket`.
 *
 * @category queries
 * @since 0.1.0
 */
export const findBucket = (state: State, bucket: string): Result.Result<BucketState, Refusal> =>
  Result.fromOption(HashMap.get(state, bucket), () =>
    refuse("NoSuchBucket", undefined, { BucketName: bucket })
  )

/**
 * An upload and its bucket, or `NoSuchUpload`: also if the id is another key's.
 *
 * @category queries
 * @since 0.1.0
 */
export const findUpload = (
  state: State,
  where: { readonly bucket: string; readonly key: string; readonly uploadId: string }
): Result.Result<readonly [BucketState, OpenUpload], Refusal> =>
  Result.flatMap(findBucket(state, where.bucket), (bucket) =>
    HashMap.get(bucket.uploads, where.uploadId).pipe(
      Option.filter((upload) => upload.key === where.key),
      Result.fromOption(() => refuse("NoSuchUpload", undefined, { UploadId: where.uploadId })),
      Result.map((upload) => [bucket, upload] as const)
    )
  )

/**
 * An object, or `NoSuchKey`.
 *
 * @category queries
 * @since 0.1.0
 */
export const findObject = (
  state: State,
  where: { readonly bucket: string; readonly key: string }
): Result.Result<StoredObject, Refusal> =>
  Result.flatMap(findBucket(state, where.bucket), (bucket) =>
    Result.fromOption(HashMap.get(bucket.objects, where.key), () =>
      refuse("NoSuchKey", undefined, { Key: where.key })
    )
  )

/**
 * All blobs that a state refers to, by id.
 *
 * @category queries
 * @since 0.1.0
 */
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

/**
 * An MD5 as OSS writes an ETag.
 *
 * @category formatting
 * @since 0.1.0
 */
export const quote = (md5: string): string => `"${md5}"`

const changed = (state: State): Outcome => Result.succeed({ state, freed: [] })

const checkPartNumber = (number: number): Result.Result<void, Refusal> =>
  Number.isInteger(number) && number >= 1 && number <= Part.maxParts
    ? Result.succeed(undefined)
    : Result.fail(
        refuse("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive.")
      )

/** OSS: a key has 1 to 1,023 bytes of UTF-8. */
const isKey = (key: string) => key.length > 0 && new TextEncoder().encode(key).length <= 1023

/** The bucket, provided that the command may store an object there. */
const vacancy = (
  state: State,
  command: { readonly bucket: string; readonly key: string; readonly forbidOverwrite: boolean }
): Result.Result<BucketState, Refusal> =>
  Result.gen(function* () {
    const bucket = yield* findBucket(state, command.bucket)
    if (!isKey(command.key)) return yield* Result.fail(refuse("InvalidObjectName"))
    return command.forbidOverwrite && HashMap.has(bucket.objects, command.key)
      ? yield* Result.fail(refuse("FileAlreadyExists"))
      : bucket
  })

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

const withObject = (
  state: State,
  name: string,
  bucket: BucketState,
  object: StoredObject,
  unused: ReadonlyArray<StoredPart> = []
): Change => {
  const before = Option.toArray(HashMap.get(bucket.objects, object.key))
  return {
    state: HashMap.set(state, name, {
      ...bucket,
      objects: HashMap.set(bucket.objects, object.key, object)
    }),
    freed: [...unused.map(({ blob }) => blob), ...before.flatMap(({ blobs }) => blobs)],
    object
  }
}

const selectParts = (
  upload: OpenUpload,
  listed: Of<"Complete">["parts"]
): Result.Result<ReadonlyArray<StoredPart>, Refusal> => {
  if (listed === null) {
    const all = HashMap.toValues(upload.parts).sort((a, b) => a.number - b.number)
    return all.length > 0 ? Result.succeed(all) : Result.fail(refuse("InvalidPart"))
  }
  if (listed.length === 0) return Result.fail(refuse("MalformedXML"))
  if (listed.some(({ number }, i) => i > 0 && number <= listed[i - 1]!.number)) {
    return Result.fail(refuse("InvalidPartOrder"))
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
): StoredObject => {
  const blobs = parts.map(({ blob }) => blob)
  const md5s = blobs.map(({ md5 }) => md5).join("")
  const digest = createHash("md5").update(md5s).digest("hex").toUpperCase()
  return {
    key: upload.key,
    blobs,
    size: blobs.reduce((sum, { size }) => sum + size, 0),
    etag: quote(`${digest}-${blobs.length}`),
    crc64: blobs.reduce((crc, blob) => Crc64.combine(crc, blob.crc64, blob.size), 0n),
    type: "Multipart",
    headers: { ...upload.headers, ...command.headers },
    modified: command.now
  }
}
