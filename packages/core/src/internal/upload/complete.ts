/**
 * Creates the object, from its parts or with one request, and compares what OSS
 * stored with what was sent.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Body from "../../Body.ts"
import * as Span from "../span.ts"
import type { ObjectReceipt } from "../../OssModel.ts"
import type { Operation, OssError } from "../../OssError.ts"
import { ChecksumMismatch, UnreadableResponse } from "../../OssError.ts"
import type { UploadedPart } from "../../Part.ts"
import type { SourceError } from "../../Source.ts"
import { abandon } from "./initiate.ts"
import * as Metrics from "./metrics.ts"
import { failure, once, request, transfer } from "./request.ts"
import type { Transfer } from "./session.ts"
import type { Stored, Whole } from "./settle.ts"
import { settled } from "./settle.ts"
import * as Slice from "../source/slice.ts"
import * as Decisions from "./decisions.ts"
import * as Parts from "../parts.ts"

/** Creates the object from all parts of the source, in order. */
export const complete = (
  session: Transfer,
  uploadId: string,
  parts: ReadonlyArray<UploadedPart>
): Effect.Effect<Stored, OssError | SourceError> =>
  Span.within(completing(session, uploadId, parts), "Upload.complete")

const completing = Effect.fnUntraced(function* (
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
  // The object may come from an earlier upload, and OSS may never have run this Complete.
  if ("verified" in receipt) yield* abandon(session, uploadId)
  return yield* verify(session, "complete", receipt, expected)
})

/** Stores the whole source with one request. */
export const put = (
  session: Transfer,
  source: Body.Body<SourceError>
): Effect.Effect<Stored, OssError | SourceError> => {
  const { client, key, options } = session
  const { size } = source
  const sent = transfer(session, "put", undefined, source, (body) =>
    client.put({ key, body, options })
  )
  const attempt = Effect.flatMap(sent, ({ receipt, crc64 }) =>
    Effect.tap(verify(session, "put", receipt, { size, crc64 }), () =>
      Metrics.acknowledged(client.bucket, size)
    )
  )
  const expected = Effect.map(Slice.crc64(source, 0, size), (crc64) => ({ size, crc64 }))
  return Span.within(
    settled(session, expected, (observe) => session.retrying(observe(attempt))),
    "Upload.put"
  )
}

/** Compares the object's CRC64 with that of the bytes sent. Asks HEAD if the response has none. */
const verify = (
  session: Transfer,
  operation: Operation,
  receipt: ObjectReceipt | Stored,
  expected: Whole
): Effect.Effect<Stored, OssError> => {
  if ("verified" in receipt) return Effect.succeed(receipt)
  const { etag, versionId } = receipt
  const compare = (crc64: Option.Option<bigint>): Effect.Effect<Stored, OssError> => {
    if (Option.isNone(crc64) || crc64.value === expected.crc64) {
      return Effect.succeed({ ...expected, etag, versionId, verified: Option.isSome(crc64) })
    }
    const reason = new ChecksumMismatch({
      of: "object",
      expected: expected.crc64,
      actual: crc64.value
    })
    return Effect.fail(failure(session, operation, reason))
  }
  return Option.isSome(receipt.crc64)
    ? compare(receipt.crc64)
    : Effect.flatMap(crc64ByHead(session, operation, expected, etag), compare)
}

/**
 * Failures of HEAD after which the response to the request itself is trusted: HEAD
 * isn't allowed, or its response can't be read. After any other, the upload fails.
 */
const unasked: ReadonlySet<string> = new Set([
  "AccessDenied",
  "NoCredentials",
  "Rejected",
  "UnreadableResponse"
])

/**
 * The object's CRC64, if HEAD returns it. Fails if HEAD shows another object or
 * none, or fails with a reason that is not in `unasked`.
 */
const crc64ByHead = Effect.fnUntraced(function* (
  session: Transfer,
  operation: Operation,
  { size }: Whole,
  etag: string
): Effect.fn.Return<Option.Option<bigint>, OssError> {
  const contradicted = (otherwise: string) => {
    const description = `OSS says that the object is stored, and then that ${otherwise}`
    return failure(session, operation, new UnreadableResponse({ description }))
  }
  const head = yield* request(session, "head", session.client.head(session.key)).pipe(
    Effect.asSome,
    Effect.catchReason("OssError", "NoSuchKey", () => Effect.fail(contradicted("there is none"))),
    Effect.catchIf(
      ({ operation, reason }) => operation === "head" && unasked.has(reason._tag),
      () => Effect.succeedNone
    )
  )
  if (Option.isNone(head)) return Option.none()
  if (head.value.size !== size) {
    return yield* contradicted(`it has ${head.value.size} bytes instead of ${size}`)
  }
  // Without a CRC64, only the ETag tells this object from an earlier one of the same size.
  if (Option.isNone(head.value.crc64) && !isSameEtag(head.value.etag, etag)) {
    return yield* contradicted(`it has the ETag ${head.value.etag} instead of ${etag}`)
  }
  return head.value.crc64
})

/** A proxy that compresses makes ETags weak. In XML, ETags may lack the quotes. */
const isSameEtag = (one: string, other: string): boolean => strong(one) === strong(other)

const strong = (etag: string): string => etag.replace(/^W\//, "").replaceAll('"', "").toLowerCase()
