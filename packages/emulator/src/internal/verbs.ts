/**
 * The requests that change or read objects and uploads, as both faces carry
 * them out once a request has been understood.
 */
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import * as Bucket from "../Bucket.ts"
import { refuse, type Refusal } from "../ErrorCode.ts"
import type { Attempt } from "./exchange.ts"
import type { Store } from "./store.ts"

/** Where an object is. */
export interface Place {
  readonly bucket: string
  readonly key: string
}

/** Where an upload is. */
export interface UploadPlace extends Place {
  readonly uploadId: string
}

export interface StoreOptions {
  readonly headers: Readonly<Record<string, string>>
  readonly forbidOverwrite: boolean
}

/** Tells what is under way from what is there for good. */
export interface Ids {
  readonly uploadId: () => string
  readonly blobId: () => string
}

type Pieces<E> = Stream.Stream<Uint8Array, E>

export type Verbs = ReturnType<typeof make>

/** `anyBucket`: a bucket comes into being when it is first named. */
export const make = (options: {
  readonly store: Store
  readonly ids: Ids
  readonly anyBucket: boolean
}) => {
  const { store, ids, anyBucket } = options

  const createBucket = (bucket: string) =>
    Effect.asVoid(store.commit({ _tag: "CreateBucket", bucket }))

  const ensureBucket = (bucket: string): Effect.Effect<void, Refusal> =>
    Effect.catch(findBucket(bucket), () => createBucket(bucket))

  const admitBucket = (bucket: string): Effect.Effect<void, Refusal> =>
    anyBucket ? ensureBucket(bucket) : findBucket(bucket)

  const findBucket = (bucket: string) => store.query((state) => Bucket.findBucket(state, bucket))

  const initiate = Effect.fnUntraced(function* (
    attempt: Attempt,
    place: Place,
    options: StoreOptions
  ) {
    const uploadId = ids.uploadId()
    const now = yield* attempt.now
    yield* store.commit({ _tag: "Initiate", ...place, uploadId, ...options, now })
    return { crc64: Option.none<bigint>(), uploadId }
  })

  const uploadPart = <E>(
    attempt: Attempt,
    place: UploadPlace & { readonly number: number; readonly md5?: string | undefined },
    pieces: Pieces<E>
  ) =>
    Effect.gen(function* () {
      const { bucket, key, uploadId, number } = place
      yield* store.query((state) => Bucket.findUpload(state, place))
      const blob = yield* store.receive(ids.blobId(), pieces)
      yield* checkDigest(blob, place.md5)
      const now = yield* attempt.now
      yield* store.commit({ _tag: "UploadPart", bucket, key, uploadId, number, blob, now })
      return { crc64: Option.some(blob.crc64), etag: Bucket.quote(blob.md5) }
    }).pipe(Effect.scoped)

  const put = <E>(
    attempt: Attempt,
    place: Place & { readonly md5?: string | undefined },
    options: StoreOptions,
    pieces: Pieces<E>
  ) =>
    Effect.gen(function* () {
      const { bucket, key } = place
      const blob = yield* store.receive(ids.blobId(), pieces)
      yield* checkDigest(blob, place.md5)
      const now = yield* attempt.now
      yield* store.commit({ _tag: "Put", bucket, key, blob, ...options, now })
      return { crc64: Option.some(blob.crc64), etag: Bucket.quote(blob.md5) }
    }).pipe(Effect.scoped)

  const complete = Effect.fnUntraced(function* (
    attempt: Attempt,
    place: UploadPlace,
    parts: ReadonlyArray<{ readonly number: number; readonly etag: string }> | null,
    options: StoreOptions
  ) {
    const now = yield* attempt.now
    const { object } = yield* store.commit({ _tag: "Complete", ...place, parts, ...options, now })
    return { crc64: Option.fromUndefinedOr(object?.crc64), etag: object?.etag ?? "" }
  })

  const head = ({ bucket, key }: Place) =>
    store.query((state) => Bucket.findObject(state, { bucket, key }))

  const abort = (place: UploadPlace) => Effect.asVoid(store.commit({ _tag: "Abort", ...place }))
  const remove = (place: Place) => Effect.asVoid(store.commit({ _tag: "Delete", ...place }))
  const removePart = (place: UploadPlace & { readonly number: number }) =>
    Effect.asVoid(store.commit({ _tag: "RemovePart", ...place }))

  const openUploads = (bucket: string) =>
    Effect.map(findBucket(bucket), ({ uploads }) => HashMap.toValues(uploads))

  return {
    admitBucket,
    ensureBucket,
    createBucket,
    initiate,
    uploadPart,
    put,
    complete,
    head,
    abort,
    remove,
    removePart,
    openUploads,
    query: store.query,
    read: store.read
  }
}

/** `Content-MD5` is base64, unlike an ETag. */
const checkDigest = (blob: Bucket.Blob, md5: string | undefined) =>
  md5 === undefined || Buffer.from(md5, "base64").toString("hex").toUpperCase() === blob.md5
    ? Effect.void
    : Effect.fail(refuse("InvalidDigest"))
