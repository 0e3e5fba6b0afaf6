/**
 * The requests that change or read objects and uploads. Both interfaces call
 * these once they have understood a request.
 */
import { createHash } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { diskFailed } from "./bytes/blobs.ts"
import type { Store } from "./bytes/store.ts"
import type { Attempt } from "./exchange.ts"
import * as Bucket from "./state/model.ts"
import { findBucket, findObject, findUpload, findVersion } from "./state/queries.ts"
import { checkPartNumber } from "./state/uploads.ts"
import { nameOfVersion } from "./state/versions.ts"
import { Refusal } from "../EmulatorError.ts"
import { refuse } from "./wire/errors.ts"

/** The place of an object. */
export interface Place {
  readonly bucket: string
  readonly key: string
  /** The version of an existing object. Default: the current version. */
  readonly versionId?: string | undefined
}

/** The place of an upload. */
export interface UploadPlace extends Place {
  readonly uploadId: string
}

export interface StoreOptions {
  readonly headers: Readonly<Record<string, string>>
  readonly forbidOverwrite: boolean
}

/** Makes the ids of uploads, blobs and versions. */
export interface Ids {
  readonly uploadId: () => string
  readonly blobId: () => string
  /** Sorted, the newest is the last. */
  readonly versionId: () => string
}

/** Incoming bytes, and the request's claims about them. */
export interface Content<E> {
  readonly pieces: Stream.Stream<Uint8Array, E>
  /** `Content-MD5`: base64, unlike an ETag. */
  readonly md5?: string | undefined
  /** True: the bytes come from an object. */
  readonly isCopy?: boolean | undefined
}

/** The server's time. */
type Timed = Pick<Attempt, "now">

export type Verbs = ReturnType<typeof make>

/** `anyBucket`: a bucket is created when a request first names it. */
export const make = (options: {
  readonly store: Store
  readonly ids: Ids
  readonly anyBucket: boolean
}) => {
  const { store } = options
  return {
    ...bucketVerbs(options),
    ...uploadVerbs(options),
    ...objectVerbs(options),
    query: store.query,
    commit: store.commit,
    read: store.read
  }
}

interface Parts {
  readonly store: Store
  readonly ids: Ids
  readonly anyBucket: boolean
}

const bucketVerbs = ({ store, anyBucket }: Parts) => {
  const bucketOf = (bucket: string) => store.query((state) => findBucket(state, bucket))

  const ensureBucket = (bucket: string): Effect.Effect<void, Refusal> =>
    Effect.catch(Effect.asVoid(bucketOf(bucket)), () =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.asVoid(store.commit({ _tag: "CreateBucket", bucket, now }))
      )
    )

  return {
    anyBucket,
    bucketOf,
    ensureBucket,
    admitBucket: (bucket: string): Effect.Effect<void, Refusal> =>
      anyBucket ? ensureBucket(bucket) : Effect.asVoid(bucketOf(bucket))
  }
}

const uploadVerbs = ({ store, ids }: Parts) => ({
  initiate: Effect.fnUntraced(function* (
    attempt: Timed,
    place: Place,
    options: StoreOptions & { readonly sequential: boolean }
  ) {
    const uploadId = ids.uploadId()
    const now = yield* attempt.now
    const command = { _tag: "Initiate", ...place, uploadId, ...options, now } as const
    yield* store.commit(command)
    return { crc64: Option.none<bigint>(), uploadId }
  }),

  uploadPart: <E>(
    attempt: Timed,
    place: UploadPlace & { readonly number: number },
    content: Content<E>
  ) =>
    Effect.gen(function* () {
      const { bucket, key, uploadId, number } = place
      yield* Effect.fromResult(checkPartNumber(number))
      const [, upload] = yield* Effect.mapError(
        store.query((state) => findUpload(state, place)),
        ({ code, status, message, details, headers }) =>
          new Refusal({
            code,
            status,
            message,
            headers,
            details: { ...details, ...partOfNone(code, content) }
          })
      )
      const blob = yield* receive(store, ids, content)
      const now = yield* attempt.now
      yield* store.commit({ _tag: "UploadPart", bucket, key, uploadId, number, blob, now })
      return { ...receiptOf(blob), headers: upload.headers, modified: now }
    }).pipe(Effect.scoped),

  complete: Effect.fnUntraced(function* (
    attempt: Timed,
    place: UploadPlace,
    parts: ReadonlyArray<{ readonly number: number; readonly etag: string }> | null,
    options: StoreOptions
  ) {
    const now = yield* attempt.now
    const [, upload] = yield* store.query((state) => findUpload(state, place))
    const known = upload.sequential
      ? yield* withDigest(store, upload, parts, options.headers)
      : { parts, headers: options.headers }
    const fields = { ...place, ...options, ...known, newVersionId: ids.versionId(), now }
    const { object, versionId } = yield* store.commit({ _tag: "Complete", ...fields })
    if (object === undefined) return yield* refuse("InternalError")
    return { crc64: Option.some(object.crc64), etag: object.etag, object, versionId }
  }),

  abort: (place: UploadPlace) => Effect.asVoid(store.commit({ _tag: "Abort", ...place })),

  removePart: (place: UploadPlace & { readonly number: number }) =>
    Effect.asVoid(store.commit({ _tag: "RemovePart", ...place })),

  openUploads: (bucket: string) =>
    Effect.map(
      store.query((state) => findBucket(state, bucket)),
      ({ uploads }) => HashMap.toValues(uploads)
    )
})

const objectVerbs = ({ store, ids }: Parts) => ({
  put: <E>(
    attempt: Timed,
    place: Place,
    options: StoreOptions & { readonly symlink?: boolean },
    content: Content<E>
  ) =>
    Effect.gen(function* () {
      const { bucket, key } = place
      const { headers, forbidOverwrite, symlink = false } = options
      const blob = yield* receive(store, ids, content)
      const now = yield* attempt.now
      const newVersionId = ids.versionId()
      const fields = { bucket, key, blob, headers, forbidOverwrite, symlink, newVersionId, now }
      const { object, versionId } = yield* store.commit({ _tag: "Put", ...fields })
      if (object === undefined) return yield* refuse("InternalError")
      return { ...receiptOf(blob), object, versionId }
    }).pipe(Effect.scoped),

  append: <E>(
    attempt: Timed,
    place: Place & { readonly position: number },
    options: StoreOptions,
    content: Content<E>
  ) =>
    Effect.gen(function* () {
      const { bucket, key, position } = place
      const blob = yield* receive(store, ids, content)
      const now = yield* attempt.now
      const newVersionId = ids.versionId()
      const { headers } = options
      const fields = { bucket, key, position, blob, headers, newVersionId, now }
      const { object, versionId } = yield* store.commit({ _tag: "Append", ...fields })
      if (object === undefined) return yield* refuse("InternalError")
      return { object, md5: blob.md5, versionId }
    }).pipe(Effect.scoped),

  head: (place: Place) => store.query((state) => findObject(state, place)),

  /** An object, and the name of its version in an answer. */
  find: (place: Place) =>
    store.query((state) =>
      Result.map(findVersion(state, place), ([bucket, object]) => ({
        object,
        ...nameOfVersion(bucket, object)
      }))
    ),

  remove: Effect.fnUntraced(function* (attempt: Timed, place: Place) {
    const { versionId, isMarker = false } = yield* store.commit({
      _tag: "Delete",
      ...chosen(place),
      newVersionId: ids.versionId(),
      now: yield* attempt.now
    })
    return { versionId, isMarker }
  }),

  describe: (place: Place, headers: Readonly<Record<string, string | null>>) =>
    store.commit({ _tag: "Describe", ...chosen(place), headers }),

  /** The bytes of an object, as the body of another request. */
  contentOf: (
    object: Bucket.StoredObject,
    range: { readonly start: number; readonly end: number } = { start: 0, end: object.size }
  ): Content<Refusal> => ({
    pieces: Stream.mapError(store.read(object, range), diskFailed),
    isCopy: true
  })
})

const chosen = ({ bucket, key, versionId }: Place) => ({
  bucket,
  key,
  ...(versionId !== undefined && { versionId })
})

/**
 * OSS sends the MD5 of a sequential upload. It is computed before the commit,
 * which refuses parts whose bytes have changed by then.
 */
const withDigest = Effect.fnUntraced(function* (
  store: Store,
  upload: Bucket.OpenUpload,
  listed: Bucket.Of<"Complete">["parts"],
  headers: Readonly<Record<string, string>>
) {
  const all = HashMap.toValues(upload.parts).sort((a, b) => a.number - b.number)
  const parts = listed ?? all.map(({ number, blob }) => ({ number, etag: Bucket.quote(blob.md5) }))
  const wanted = new Set(parts.map(({ number }) => number))
  const blobs = all.flatMap(({ number, blob }) => (wanted.has(number) ? [blob] : []))
  const end = blobs.reduce((sum, { size }) => sum + size, 0)
  const md5 = createHash("md5")
  yield* Stream.runForEach(store.read({ blobs }, { start: 0, end }), (piece) =>
    Effect.sync(() => void md5.update(piece))
  ).pipe(Effect.mapError(diskFailed))
  return { parts, headers: { ...headers, "content-md5": md5.digest("base64") } }
})

/** OSS has special ECs for parts, and for copied parts, of a missing upload. */
const partOfNone = (code: string, { isCopy = false }: Pick<Content<unknown>, "isCopy">) =>
  code === "NoSuchUpload" ? { EC: isCopy ? "0042-00000311" : "0042-00000104" } : {}

const receiptOf = (blob: Bucket.Blob) => ({
  crc64: Option.some(blob.crc64),
  etag: Bucket.quote(blob.md5),
  md5: blob.md5
})

const receive = Effect.fnUntraced(function* <E>(store: Store, ids: Ids, content: Content<E>) {
  const { pieces, md5 } = content
  const blob = yield* store.receive(ids.blobId(), pieces)
  if (md5 !== undefined && md5 !== base64Of(blob.md5)) {
    return yield* refuse("InvalidDigest", undefined, {
      ExpectedDigest: md5,
      CalculatedDigest: base64Of(blob.md5)
    })
  }
  return blob
})

/** Converts hex digits to base64. */
export const base64Of = (hex: string): string => Buffer.from(hex, "hex").toString("base64")
