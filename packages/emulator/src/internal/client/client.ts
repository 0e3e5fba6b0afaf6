/**
 * The face without I/O: `OssClient` straight over the state machine. No
 * promise, no socket, no timer of its own, so that it runs in simulated time.
 * What happens comes in the order in which it would on a wire: the body is
 * pulled, then committed, then answered.
 */
import type { Body } from "@effect-oss/core/Body"
import type { ObjectOptions } from "@effect-oss/core/ObjectOptions"
import type { OssClient } from "@effect-oss/core/OssClient"
import * as OssError from "@effect-oss/core/OssError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Answered, Attempt, Disruption, Exchange, Unread } from "../exchange.ts"
import { maxSkew } from "../signature/claim.ts"
import * as Listing from "../state/listing.ts"
import { quote } from "../state/model.ts"
import { type StoreOptions, type Verbs } from "../verbs.ts"
import { refuse, type Refusal } from "../wire/errors.ts"
import { storedHeaders } from "../wire/objectHeaders.ts"
import { callbackOf, checkRequest, forbidsOverwrite } from "../wire/requestRules.ts"
import { type About, toError } from "./error.ts"
import { headersOf } from "./headers.ts"

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

  /** A request with options: what HTTP can't carry is never sent. */
  const store = <A extends Answered, E = never>(
    about: About & { readonly operation: "initiate" | "complete" | "put" },
    options: ObjectOptions | undefined,
    pieces: Stream.Stream<Uint8Array, E>,
    carryOut: (
      attempt: Attempt,
      options: StoreOptions,
      received: Stream.Stream<Uint8Array, Unread<E> | Disruption>
    ) => Effect.Effect<A, Refusal | Disruption | Unread<E>>
  ) =>
    Effect.fromResult(headersOf(about.operation, options)).pipe(
      Effect.mapError((description) => rejected({ ...about, bucket }, description)),
      Effect.flatMap((headers) =>
        call(about, pieces, (attempt, received) =>
          Effect.flatMap(storeOptions(about.operation, headers), (options) =>
            carryOut(attempt, options, received)
          )
        )
      )
    )

  return {
    endpoint,
    bucket,

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
      ).pipe(Effect.asVoid),

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
      store({ operation: "put", key }, options, piecesOf(body), (attempt, given, pieces) =>
        verbs.put(attempt, { bucket, key }, given, { pieces })
      ).pipe(Effect.map(toReceipt))
  }
}

/** There is no query. */
const none = () => undefined

/** The rules that a request over HTTP goes through. Callbacks count as succeeded: there is no I/O. */
const storeOptions = (
  operation: "initiate" | "complete" | "put",
  headers: Readonly<Record<string, string>>
) =>
  Effect.gen(function* () {
    yield* Effect.fromResult(checkRequest(operation, headers, none))
    yield* Effect.fromResult(callbackOf(headers, none))
    const forbidOverwrite = yield* Effect.fromResult(forbidsOverwrite(headers))
    return { headers: storedHeaders(headers), forbidOverwrite }
  })

const rejected = (about: About & { readonly bucket: string }, description: string) =>
  new OssError.OssError({
    operation: about.operation,
    bucket: about.bucket,
    ...(about.key === undefined ? {} : { key: about.key }),
    reason: new OssError.Rejected({ description })
  })

/** What a signing server checks first. */
const admit = (attempt: Attempt, verbs: Verbs, bucket: string) =>
  Math.abs(attempt.skew) > maxSkew
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
