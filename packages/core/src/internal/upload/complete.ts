/**
 * Making the object: of its parts, or with one request. What OSS says that it
 * stored is compared with what was sent.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Body from "../../Body.ts"
import * as Bodies from "../body.ts"
import * as Crc64 from "../../Crc64.ts"
import type { ObjectReceipt } from "../../OssModel.ts"
import type { Operation, OssError } from "../../OssError.ts"
import { ChecksumMismatch, UnreadableResponse } from "../../OssError.ts"
import type { UploadedPart } from "../../Part.ts"
import type { SourceError } from "../../Source.ts"
import { abandon } from "./initiate.ts"
import * as Metrics from "./metrics.ts"
import * as Progress from "./progress.ts"
import { failure, once, request, transfer } from "./request.ts"
import type { Transfer } from "./session.ts"
import type { Stored, Whole } from "./settle.ts"
import { settled } from "./settle.ts"
import * as Slice from "../source/slice.ts"
import * as Decisions from "./decisions.ts"
import * as Parts from "../parts.ts"

/** Makes the object of these parts, which are in order and all of the source. */
export const complete = Effect.fn("Upload.complete")(function* (
  session: Transfer,
  uploadId: string,
  parts: ReadonlyArray<UploadedPart>
): Effect.fn.Return<Stored, OssError | SourceError> {
  const { client, key, options } = session
  const expected: Whole = {
    size: Parts.bytesOf(parts),
    crc64: Option.getOrThrow(Decisions.wholeCrc64({ parts }, parts))
  }
  const receipt = yield* settled(session, Effect.succeed(expected), (observe) =>
    session.retrying(
      observe(once(session, "complete", client.complete({ key, uploadId, parts, options })))
    )
  )
  // The object may be an earlier upload's, and this one's Complete never carried out.
  if ("verified" in receipt) yield* abandon(session, uploadId)
  return yield* verify(session, "complete", receipt, expected)
})

/** Stores a whole body with one request. */
export const put = Effect.fn("Upload.put")(function* (
  session: Transfer,
  source: Body.Body<SourceError>
): Effect.fn.Return<Stored, OssError | SourceError> {
  const { client, key, options, counter } = session
  const { size } = source
  let sent = 0n
  const attempt = Effect.gen(function* () {
    const receipt = yield* transfer(session, "put", undefined, (reached) => {
      const summed = Bodies.tap(source, (piece, offset) => {
        sent = Crc64.of(piece, offset === 0 ? 0n : sent)
      })
      const body = Bodies.tapSent(summed, (offset, bytes) => {
        reached(offset + bytes)
        Progress.sending(counter, 1, offset, bytes)
      })
      return client.put({ key, body, options })
    })
    const stored = yield* verify(session, "put", receipt, { size, crc64: sent })
    yield* Metrics.acknowledged(client.bucket, size)
    return stored
  })
  const expected = Effect.map(Slice.crc64(source, 0, size), (crc64) => ({ size, crc64 }))
  return yield* settled(session, expected, (observe) => session.retrying(observe(attempt)))
})

/** Compares what OSS says it stored with what was sent; asks again where the response doesn't tell. */
const verify = Effect.fnUntraced(function* (
  session: Transfer,
  operation: Operation,
  receipt: ObjectReceipt | Stored,
  expected: Whole
): Effect.fn.Return<Stored, OssError> {
  if ("verified" in receipt) return receipt
  const crc64 = Option.isSome(receipt.crc64)
    ? receipt.crc64
    : yield* crc64ByHead(session, operation, expected)
  if (Option.isSome(crc64) && crc64.value !== expected.crc64) {
    const reason = new ChecksumMismatch({
      of: "object",
      expected: expected.crc64,
      actual: crc64.value
    })
    return yield* failure(session, operation, reason)
  }
  const { etag, versionId } = receipt
  return { ...expected, etag, versionId, verified: Option.isSome(crc64) }
})

/** The object's CRC64, if HEAD tells it. Fails if HEAD shows another object, or none. */
const crc64ByHead = Effect.fnUntraced(function* (
  session: Transfer,
  operation: Operation,
  { size }: Whole
): Effect.fn.Return<Option.Option<bigint>, OssError> {
  const contradicted = (description: string) =>
    failure(session, operation, new UnreadableResponse({ description }))
  const head = yield* request(session, "head", session.client.head(session.key)).pipe(
    Effect.asSome,
    Effect.catchReason("OssError", "NoSuchKey", () =>
      Effect.fail(contradicted("OSS says that the object is stored, and then that there is none"))
    ),
    // Who may not ask, or gets no answer, has the response to the request itself.
    Effect.catchIf(
      ({ operation }) => operation === "head",
      () => Effect.succeedNone
    )
  )
  if (Option.isNone(head)) return Option.none()
  if (head.value.size !== size) {
    return yield* contradicted(
      `OSS says that the object is stored, and then that it has ${head.value.size} bytes instead of ${size}`
    )
  }
  return head.value.crc64
})
