/**
 * One part's way: adopt it where OSS has it already, else send it and compare
 * CRC64s; then record it.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Body from "../../Body.ts"
import * as Bodies from "../body.ts"
import type { Task } from "../../Checkpoint.ts"
import type { CheckpointError } from "../../CheckpointStore.ts"
import * as Crc64 from "../../Crc64.ts"
import type { OssError } from "../../OssError.ts"
import { ChecksumMismatch } from "../../OssError.ts"
import type { Part, UploadedPart } from "../../Part.ts"
import type { SourceError } from "../../Source.ts"
import * as Progress from "./progress.ts"
import { failure, transfer } from "./request.ts"
import type { Session, Transfer } from "./session.ts"
import { record } from "./session.ts"
import * as Slice from "../source/slice.ts"

/** A part that OSS may have, or not. */
export type Missing = Exclude<Task, { readonly _tag: "Done" }>

/** A part that OSS has, and whether it had it before. */
export interface Sent {
  readonly part: UploadedPart
  readonly adopted: boolean
}

/** Makes one part durable. What OSS acknowledged is recorded even if interruption comes right then. */
export const sendAndRecord = (
  session: Session,
  uploadId: string,
  task: Missing,
  body: Body.Body<SourceError>
): Effect.Effect<UploadedPart, OssError | SourceError | CheckpointError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(restore(sendPart(session, uploadId, task, body)), ({ part, adopted }) =>
      record(session, part, adopted)
    )
  )

/** Makes OSS have one part of the plan; `body` is its bytes, read again for each attempt. */
export const sendPart = Effect.fn("Upload.part")(function* (
  session: Transfer,
  uploadId: string,
  task: Missing,
  body: Body.Body<SourceError>
): Effect.fn.Return<Sent, OssError | SourceError> {
  yield* Effect.annotateCurrentSpan({
    "oss.part_number": task.part.number,
    "oss.part_size": task.part.size
  })
  if (task._tag === "Adoptable") {
    const local = yield* Slice.crc64(body, 0, body.size)
    if (local === task.part.crc64) return { part: task.part, adopted: true }
  }
  const part = yield* session.retrying(attempt(session, uploadId, task.part, body))
  return { part, adopted: false }
})

const attempt = Effect.fnUntraced(function* (
  session: Transfer,
  uploadId: string,
  { number, offset, size }: Part,
  source: Body.Body<SourceError>
): Effect.fn.Return<UploadedPart, OssError | SourceError> {
  let crc64 = 0n
  const receipt = yield* transfer(session, "uploadPart", number, (reached) => {
    const summed = Bodies.tap(source, (piece, at) => {
      crc64 = Crc64.of(piece, at === 0 ? 0n : crc64)
    })
    const body = Bodies.tapSent(summed, (at, bytes) => {
      reached(at + bytes)
      Progress.sending(session.counter, number, at, bytes)
    })
    return session.client.uploadPart({ key: session.key, uploadId, number, body })
  })
  if (Option.isSome(receipt.crc64) && receipt.crc64.value !== crc64) {
    const reason = new ChecksumMismatch({
      of: "part",
      expected: crc64,
      actual: receipt.crc64.value
    })
    return yield* failure(session, "uploadPart", reason, number)
  }
  return { number, offset, size, etag: receipt.etag, crc64 }
})
