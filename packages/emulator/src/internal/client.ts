/**
 * The face without I/O: `OssClient` straight over the state machine. No
 * promise, no socket, no timer of its own, so that it runs in simulated time.
 * What happens comes in the order in which it would on a wire: the body is
 * pulled, then committed, then answered.
 */
import type { Body } from "@effect-oss/core/Body"
import type { OssClient } from "@effect-oss/core/OssClient"
import type { ObjectOptions } from "@effect-oss/core/ObjectOptions"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Bucket from "../Bucket.ts"
import { refuse, type Refusal } from "../ErrorCode.ts"
import * as Listing from "../Listing.ts"
import * as Signature from "../Signature.ts"
import { type About, toError } from "./clientError.ts"
import type { Answered, Attempt, Disruption, Exchange, Unread } from "./exchange.ts"
import { type Verbs } from "./verbs.ts"

/** In bytes. */
const pieceSize = 64 * 1024

export const make = (options: {
  readonly endpoint: string
  readonly bucket: string
  readonly exchange: Exchange
  readonly verbs: Verbs
}): OssClient["Service"] => {
  const { endpoint, bucket, exchange, verbs } = options

  const call = <A extends Answered, E = never>(
    about: About,
    pieces: Stream.Stream<Uint8Array, E>,
    carryOut: (
      attempt: Attempt,
      received: Stream.Stream<Uint8Array, Unread<E> | Disruption>
    ) => Effect.Effect<A, Refusal | Disruption | Unread<E>>
  ) =>
    exchange
      .run<A, E>({ ...about, bucket }, (attempt) =>
        admit(attempt, verbs, bucket).pipe(
          Effect.andThen(carryOut(attempt, attempt.receive(pieces)))
        )
      )
      .pipe(Effect.mapError((failure) => toError({ ...about, bucket }, failure)))

  /** A request whose body, if it has one, is no concern of the caller's. */
  const ask = <A extends Answered>(
    about: About,
    carryOut: (attempt: Attempt) => Effect.Effect<A, Refusal>
  ) =>
    call(about, Stream.empty, (attempt, received) =>
      Effect.andThen(Stream.runDrain(received), carryOut(attempt))
    )

  return {
    endpoint,
    bucket,

    initiate: (key, options = {}) =>
      ask({ operation: "initiate", key }, (attempt) =>
        verbs.initiate(
          attempt,
          { bucket, key },
          {
            headers: headersOf(options),
            forbidOverwrite: options.forbidOverwrite === true
          }
        )
      ).pipe(Effect.map(({ answer }) => ({ uploadId: answer.uploadId }))),

    uploadPart: ({ key, uploadId, number, body }) =>
      call(
        { operation: "uploadPart", key, uploadId, partNumber: number },
        piecesOf(body),
        (attempt, received) =>
          verbs.uploadPart(attempt, { bucket, key, uploadId, number }, received)
      ).pipe(Effect.map(({ answer }) => answer)),

    listParts: ({ key, uploadId, after = 0 }) =>
      ask({ operation: "listParts", key, uploadId }, () =>
        verbs
          .query((state) =>
            Listing.parts(state, { bucket, key, uploadId, after, max: Listing.maxPage })
          )
          .pipe(Effect.map((page) => ({ crc64: Option.none(), page })))
      ).pipe(
        Effect.map(({ answer: { page } }) => ({
          parts: page.items.map(({ number, blob }) => ({
            number,
            size: blob.size,
            etag: Bucket.quote(blob.md5),
            crc64: Option.some(blob.crc64)
          })),
          next: nextOf(page, ({ number }) => number)
        }))
      ),

    complete: ({ key, uploadId, parts, options = {} }) =>
      ask({ operation: "complete", key, uploadId }, (attempt) =>
        verbs.complete(attempt, { bucket, key, uploadId }, parts, {
          headers: defined({ "x-oss-object-acl": options.acl }),
          forbidOverwrite: options.forbidOverwrite === true
        })
      ).pipe(Effect.map(toReceipt)),

    abort: ({ key, uploadId }) =>
      ask({ operation: "abort", key, uploadId }, () =>
        Effect.as(verbs.abort({ bucket, key, uploadId }), { status: 204, crc64: Option.none() })
      ).pipe(Effect.asVoid),

    listUploads: ({ prefix = "", after }) =>
      ask({ operation: "listUploads" }, () =>
        verbs
          .query((state) =>
            Listing.uploads(state, {
              bucket,
              prefix,
              keyMarker: after?.key ?? "",
              uploadIdMarker: after?.uploadId ?? "",
              max: Listing.maxPage
            })
          )
          .pipe(Effect.map((page) => ({ crc64: Option.none(), page })))
      ).pipe(
        Effect.flatMap(({ attempt, answer: { page } }) =>
          Effect.map(attempt.now, (serverTime) => ({
            serverTime,
            uploads: page.items.map(({ key, uploadId, initiated }) => ({
              key,
              uploadId,
              initiated
            })),
            next: nextOf(page, ({ key, uploadId }) => ({ key, uploadId }))
          }))
        )
      ),

    head: (key) =>
      ask({ operation: "head", key }, () =>
        Effect.map(verbs.head({ bucket, key }), ({ size, etag, crc64 }) => ({
          size,
          etag,
          crc64: Option.some(crc64)
        }))
      ).pipe(Effect.map(({ answer }) => answer)),

    put: ({ key, body, options = {} }) =>
      call({ operation: "put", key }, piecesOf(body), (attempt, received) =>
        verbs.put(
          attempt,
          { bucket, key },
          {
            headers: { ...headersOf(options), ...defined({ "x-oss-object-acl": options.acl }) },
            forbidOverwrite: options.forbidOverwrite === true
          },
          received
        )
      ).pipe(Effect.map(toReceipt))
  }
}

/** What a signing server checks first. */
const admit = (attempt: Attempt, verbs: Verbs, bucket: string) =>
  Math.abs(attempt.skew) > Signature.maxSkew
    ? Effect.fail(refuse("RequestTimeTooSkewed"))
    : verbs.admitBucket(bucket)

/** A fresh buffer a piece, since the server keeps them. */
const piecesOf = <E>(body: Body<E>): Stream.Stream<Uint8Array, E> =>
  Stream.range(0, Math.ceil(body.size / pieceSize) - 1).pipe(
    Stream.mapEffect((index) => {
      const offset = index * pieceSize
      const piece = new Uint8Array(Math.min(pieceSize, body.size - offset))
      return Effect.as(body.read(piece, offset), piece)
    })
  )

const nextOf = <A, B>(
  page: { readonly items: ReadonlyArray<A>; readonly truncated: boolean },
  position: (last: A) => B
): Option.Option<B> =>
  page.truncated ? Option.map(Option.fromUndefinedOr(page.items.at(-1)), position) : Option.none()

const toReceipt = (exchanged: {
  readonly attempt: Attempt
  readonly answer: { readonly etag: string; readonly crc64: Option.Option<bigint> }
}) => ({
  etag: exchanged.answer.etag,
  crc64: exchanged.answer.crc64,
  versionId: Option.none(),
  requestId: Option.some(exchanged.attempt.requestId)
})

/** What Initiate and Put keep for the object. */
const headersOf = (options: ObjectOptions): Record<string, string> => {
  return {
    ...lowered(options.headers),
    ...lowered(options.meta, "x-oss-meta-"),
    ...defined({
      "content-type": options.mime,
      "x-oss-storage-class": options.storageClass,
      "x-oss-tagging": options.tagging && new URLSearchParams(options.tagging).toString(),
      "x-oss-server-side-encryption": options.serverSideEncryption?.algorithm,
      "x-oss-server-side-encryption-key-id": options.serverSideEncryption?.keyId
    })
  }
}

const lowered = (entries: Readonly<Record<string, string>> = {}, prefix = "") =>
  Object.fromEntries(
    Object.entries(entries).map(([name, value]) => [`${prefix}${name.toLowerCase()}`, value])
  )

const defined = (entries: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(entries).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  )
