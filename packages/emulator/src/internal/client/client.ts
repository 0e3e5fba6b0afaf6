/**
 * The interface without I/O: `OssClient` directly over the state machine. It
 * has no promise, no socket and no timer of its own, so it runs in simulated
 * time. Events come in the same order as on a real connection: the body is
 * pulled, then committed, then answered.
 */
import type { Body } from "@effect-oss/core/Body"
import type { OssClient } from "@effect-oss/core/OssClient"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Attempt, Exchange } from "../exchange.ts"
import * as Listing from "../state/listing.ts"
import { type BucketState, quote } from "../state/model.ts"
import { type Verbs } from "../verbs.ts"
import * as Calls from "./calls.ts"

/** In bytes. */
const pieceSize = 64 * 1024

export const make = (options: {
  readonly endpoint: string
  readonly bucket: string
  readonly exchange: Exchange
  readonly verbs: Verbs
}): OssClient["Service"] => {
  const calls = Calls.make(options)
  return {
    endpoint: options.endpoint,
    bucket: options.bucket,
    ...multipart(calls),
    ...lists(calls),
    ...objectLists(calls),
    ...objects(calls)
  }
}

/** The methods for multipart uploads. */
const multipart = ({ bucket, verbs, call, ask, store }: Calls.Calls) =>
  ({
    initiate: (key, options = {}) =>
      store({ operation: "initiate", key }, options, Stream.empty, (attempt, given, received) =>
        Effect.andThen(
          Stream.runDrain(received),
          verbs.initiate(attempt, { bucket, key }, { ...given, sequential: false })
        )
      ).pipe(Effect.map(({ answer }) => ({ uploadId: answer.uploadId }))),

    uploadPart: ({ key, uploadId, number, body }) =>
      call(
        { operation: "uploadPart", key, uploadId, partNumber: number },
        piecesOf(body),
        (attempt, pieces) =>
          verbs.uploadPart(attempt, { bucket, key, uploadId, number }, { pieces })
      ).pipe(Effect.map(({ answer: { etag, crc64 } }) => ({ etag, crc64 }))),

    complete: ({ key, uploadId, parts, options = {} }) =>
      store(
        { operation: "complete", key, uploadId },
        options,
        Stream.empty,
        (attempt, given, received) =>
          Effect.andThen(
            Stream.runDrain(received),
            verbs.complete(attempt, { bucket, key, uploadId }, parts, given)
          )
      ).pipe(Effect.map(toReceipt)),

    abort: ({ key, uploadId }) =>
      ask({ operation: "abort", key, uploadId }, () =>
        Effect.as(verbs.abort({ bucket, key, uploadId }), { status: 204, crc64: Option.none() })
      ).pipe(Effect.asVoid)
  }) satisfies Partial<OssClient["Service"]>

/** The methods that list parts and uploads. */
const lists = ({ bucket, verbs, ask }: Calls.Calls) =>
  ({
    listParts: ({ key, uploadId, after = 0 }) =>
      ask({ operation: "listParts", key, uploadId }, () =>
        verbs
          .query((state) =>
            Listing.parts(state, { bucket, key, uploadId, after, max: Listing.maxPage })
          )
          .pipe(Effect.map(({ page }) => ({ crc64: Option.none(), page })))
      ).pipe(
        Effect.map(({ answer: { page } }) => ({
          parts: page.items.map(({ number, blob }) => ({
            number,
            size: blob.size,
            etag: quote(blob.md5),
            crc64: Option.some(blob.crc64)
          })),
          next: nextOf(page, ({ number }) => number)
        }))
      ),

    listUploads: ({ prefix = "", after }) =>
      ask({ operation: "listUploads" }, () =>
        verbs
          .query((state) =>
            Listing.uploads(state, {
              bucket,
              prefix,
              delimiter: "",
              keyMarker: after?.key ?? "",
              uploadIdMarker: after?.uploadId ?? "",
              max: Listing.maxPage
            })
          )
          .pipe(
            Effect.map(({ items, truncated }) => ({
              crc64: Option.none(),
              page: { items: items.filter((entry) => "uploadId" in entry), truncated }
            }))
          )
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
      )
  }) satisfies Partial<OssClient["Service"]>

/** The methods that list objects. */
const objectLists = ({ bucket, verbs, ask }: Calls.Calls) =>
  ({
    listObjects: ({ prefix = "", delimiter = "", after = "" }) =>
      ask({ operation: "listObjects" }, () =>
        verbs
          .query((state) =>
            Listing.objects(state, { bucket, prefix, delimiter, after, max: Listing.maxPage })
          )
          .pipe(Effect.map((listed) => ({ crc64: Option.none(), listed })))
      ).pipe(
        Effect.map(({ answer: { listed } }) => ({
          objects: listed.page.items.flatMap((entry) =>
            "key" in entry ? listedObject(listed.bucket, entry.key) : []
          ),
          prefixes: listed.page.items.flatMap((entry) => ("prefix" in entry ? [entry.prefix] : [])),
          next: nextOf(listed.page, Listing.nameOf)
        }))
      )
  }) satisfies Partial<OssClient["Service"]>

const listedObject = ({ objects }: BucketState, key: string) =>
  Option.match(HashMap.get(objects, key), {
    onNone: () => [],
    onSome: ({ size, etag, modified, type, headers }) => [
      {
        key,
        size,
        etag,
        lastModified: modified,
        storageClass: headers["x-oss-storage-class"] ?? "Standard",
        type
      }
    ]
  })

/** The methods for whole objects. */
const objects = ({ bucket, verbs, ask, store }: Calls.Calls) =>
  ({
    delete: (key) =>
      ask({ operation: "delete", key }, (attempt) =>
        Effect.as(verbs.remove(attempt, { bucket, key }), { status: 204, crc64: Option.none() })
      ).pipe(Effect.asVoid),

    head: (key) =>
      ask({ operation: "head", key }, () =>
        Effect.map(verbs.head({ bucket, key }), ({ size, etag, crc64 }) => ({
          size,
          etag,
          crc64: Option.some(crc64)
        }))
      ).pipe(Effect.map(({ answer }) => answer)),

    put: ({ key, body, options = {} }) =>
      store({ operation: "put", key }, options, piecesOf(body), (attempt, given, pieces) =>
        verbs.put(attempt, { bucket, key }, given, { pieces })
      ).pipe(Effect.map(toReceipt))
  }) satisfies Partial<OssClient["Service"]>

/** Each piece has a new buffer, because the server keeps the buffers. */
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
  readonly answer: {
    readonly etag: string
    readonly crc64: Option.Option<bigint>
    readonly versionId?: string | undefined
  }
}) => ({
  etag: exchanged.answer.etag,
  crc64: exchanged.answer.crc64,
  versionId: Option.fromUndefinedOr(exchanged.answer.versionId),
  requestId: Option.some(exchanged.attempt.requestId)
})
