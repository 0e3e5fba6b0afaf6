/**
 * Making the object: out of parts, or at once. An answer that was lost is
 * settled by looking at what is stored.
 */
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Body from "../../Body.ts"
import * as Crc64 from "../../Crc64.ts"
import type { ObjectReceipt } from "../../OssModel.ts"
import type { Operation } from "../../OssError.ts"
import type { OssError } from "../../OssError.ts"
import { ChecksumMismatch } from "../../OssError.ts"
import * as Source from "../../Source.ts"
import type { UploadResult } from "../../UploadEvent.ts"
import { UploadEvent } from "../../UploadEvent.ts"
import * as Measure from "./metrics.ts"
import * as Meter from "./progress.ts"
import type { Session } from "./session.ts"
import { failure, once, request, transfer, unchanged } from "./session.ts"
import * as UploadId from "./uploadId.ts"

/** All bytes of a source. */
export interface Whole {
  readonly size: number
  /** CRC-64/XZ of them. */
  readonly crc64: bigint
}

/** An object that is stored, and is what the source held. */
export interface Stored extends Whole {
  readonly etag: string
  /** False where OSS doesn't tell the object's CRC64. */
  readonly verified: boolean
  readonly versionId: Option.Option<string>
}

/** Makes the recorded parts an object, which has to be `expected`. */
export const complete = Effect.fn("Upload.complete")(function* (
  session: Session,
  uploadId: string,
  expected: Whole
) {
  const { client, key, options } = session
  const parts = Array.from(session.recorded.values()).sort((a, b) => a.number - b.number)
  const receipt = yield* settled(session, Effect.succeed(expected), (observe) =>
    session.retrying(
      observe(once(session, "complete", client.complete({ key, uploadId, parts, options })))
    )
  )
  // The object may be an earlier upload's, and this one's Complete never carried out.
  if ("verified" in receipt) yield* UploadId.abandon(session, uploadId)
  return yield* verify(session, "complete", receipt, expected)
})

/** Stores the whole source with one request. */
export const put = Effect.fn("Upload.put")(function* (session: Session<Source.RandomAccess>) {
  const { client, key, options, source } = session
  let sent = 0n
  const attempt = Effect.gen(function* () {
    const receipt = yield* transfer(session, "put", undefined, (reached) => {
      const body = Body.tap(unchangedBody(session), (piece, offset) => {
        reached(offset + piece.length)
        sent = Crc64.of(piece, offset === 0 ? 0n : sent)
        Meter.sending(session.meter, 1, offset, piece.length)
      })
      return client.put({ key, body, options })
    })
    const whole = { size: source.size, crc64: sent }
    return yield* Effect.tap(verify(session, "put", receipt, whole), () =>
      Measure.acknowledged(client.bucket, source.size)
    )
  })
  const expected = Effect.map(Source.crc64(source, 0, source.size), (crc64) => ({
    size: source.size,
    crc64
  }))
  // It counts as one part.
  return yield* session.slots.withSlot(
    settled(session, expected, (observe) => session.retrying(observe(attempt)))
  )
})

/** What is stored under the key, if it is `expected` to the last bit. */
export const stored = (
  session: Session,
  expected: Whole
): Effect.Effect<Option.Option<Stored>, OssError> =>
  request(session, "head", session.client.head(session.key)).pipe(
    Effect.map(({ size, etag, crc64 }) =>
      size === expected.size && Option.contains(crc64, expected.crc64)
        ? Option.some({ ...expected, etag, verified: true, versionId: Option.none() })
        : Option.none()
    ),
    Effect.catchReason("OssError", "NoSuchKey", () => Effect.succeedNone),
    Effect.catchReason("OssError", "AccessDenied", () => Effect.succeedNone)
  )

/**
 * Runs a request that makes the object. If its answer was lost, or a second
 * attempt finds that there is nothing left to do, the stored object decides.
 */
const settled = <A>(
  session: Session,
  expected: Effect.Effect<Whole, Source.SourceError>,
  run: (observe: Observe) => Effect.Effect<A, Failure>
): Effect.Effect<A | Stored, Failure> => {
  let answerLost = false
  const observe: Observe = (attempt) =>
    Effect.tapError(attempt, (error) =>
      Effect.sync(() => (answerLost ||= error._tag === "OssError" && error.isAmbiguous))
    )
  // A server that is down has been waited for already: it is asked once.
  const patience = (error: Failure) =>
    error._tag === "OssError" && error.isAmbiguous ? { ...session, retrying: identity } : session
  const settle = (error: Failure): Effect.Effect<Stored, Failure> =>
    Effect.matchEffect(
      Effect.flatMap(expected, (whole) => stored(patience(error), whole)),
      {
        onFailure: () => Effect.fail(error),
        onSuccess: Option.match({ onNone: () => Effect.fail(error), onSome: Effect.succeed })
      }
    )
  return Effect.catchIf(run(observe), (error) => isDoubtful(error, answerLost), settle)
}

type Failure = OssError | Source.SourceError
type Observe = <A>(attempt: Effect.Effect<A, Failure>) => Effect.Effect<A, Failure>

const isDoubtful = (error: Failure, answerLost: boolean): boolean =>
  error._tag === "OssError" &&
  (error.isAmbiguous ||
    error.reason._tag === "NoSuchUpload" ||
    (error.reason._tag === "AlreadyExists" && answerLost))

/** Compares what OSS says it stored with what was sent; asks again where the answer doesn't tell. */
const verify = Effect.fnUntraced(function* (
  session: Session,
  operation: Operation,
  receipt: ObjectReceipt | Stored,
  expected: Whole
) {
  if ("verified" in receipt) return receipt
  const head = Effect.option(request(session, "head", session.client.head(session.key)))
  const actual = Option.isSome(receipt.crc64)
    ? receipt.crc64
    : Option.flatMap(yield* head, ({ crc64 }) => crc64)
  if (Option.isSome(actual) && actual.value !== expected.crc64) {
    const reason = new ChecksumMismatch({
      of: "object",
      expected: expected.crc64,
      actual: actual.value
    })
    return yield* failure(session, operation, reason)
  }
  const { etag, versionId } = receipt
  return { ...expected, etag, versionId, verified: Option.isSome(actual) }
})

/**
 * The whole source as a body whose last piece is only given out if the source
 * is still what it was: otherwise the request is cut off and OSS stores nothing.
 */
const unchangedBody = (session: Session<Source.RandomAccess>): Body.Body<Source.SourceError> => {
  const { size, read } = Source.slice(session.source, 0, session.source.size)
  return {
    size,
    read: (target, offset) =>
      offset + target.length < size
        ? read(target, offset)
        : Effect.andThen(read(target, offset), unchanged(session))
  }
}

/** What the user is told of it. */
export const resultOf = ({ client, key, meter }: Session, stored: Stored): UploadResult => ({
  bucket: client.bucket,
  key,
  size: stored.size,
  etag: stored.etag,
  crc64: stored.crc64,
  verified: stored.verified,
  ...Option.match(stored.versionId, { onNone: () => ({}), onSome: (versionId) => ({ versionId }) }),
  resumed: meter.resumed,
  sent: meter.onWire
})

/** Reports that all is done. */
export const finished = (session: Session, stored: Stored): Effect.Effect<UploadResult> =>
  Effect.suspend(() => {
    const { meter, report } = session
    Meter.finished(meter, stored.size)
    return Effect.as(
      report(UploadEvent.cases.Progress.make(Meter.progress(meter, 0))),
      resultOf(session, stored)
    )
  })
