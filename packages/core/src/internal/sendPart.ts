/**
 * One part's way: adopt it where OSS has it already, else send it, compare
 * CRC64s, and record it.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Body from "../Body.ts"
import type { Task } from "../Checkpoint.ts"
import type { CheckpointError } from "../CheckpointStore.ts"
import * as Crc64 from "../Crc64.ts"
import type { OssError } from "../OssError.ts"
import { ChecksumMismatch } from "../OssError.ts"
import type { Part } from "../Part.ts"
import * as Source from "../Source.ts"
import * as Meter from "./meter.ts"
import type { Session } from "./session.ts"
import { failure, record, transfer } from "./session.ts"

/** Makes one part of the plan durable. */
export const sendPart = Effect.fn("Upload.part")(function* (
  session: Session,
  uploadId: string,
  task: Exclude<Task, { readonly _tag: "Done" }>
): Effect.fn.Return<void, OssError | Source.SourceError | CheckpointError> {
  yield* Effect.annotateCurrentSpan({
    "oss.part_number": task.part.number,
    "oss.part_size": task.part.size
  })
  if (task._tag === "Adoptable") {
    const { offset, size, crc64 } = task.part
    const local = yield* Source.crc64(session.source, offset, size)
    if (local === crc64) return yield* record(session, task.part, true)
  }
  yield* session.retrying(attempt(session, uploadId, task.part))
})

/** An acknowledged part is recorded even if interruption comes right then. */
const attempt = (session: Session, uploadId: string, part: Part) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      let crc64 = 0n
      const slice = Source.slice(session.source, part.offset, part.size)
      const { etag, crc64: actual } = yield* restore(
        transfer(session, "uploadPart", part.number, (moved) => {
          const body = Body.tap(slice, (piece, offset) => {
            moved()
            crc64 = Crc64.of(piece, offset === 0 ? 0n : crc64)
            Meter.sending(session.meter, part.number, offset, piece.length)
          })
          return session.client.uploadPart({
            key: session.key,
            uploadId,
            number: part.number,
            body
          })
        })
      )
      if (Option.isSome(actual) && actual.value !== crc64) {
        const reason = new ChecksumMismatch({ expected: crc64, actual: actual.value })
        return yield* failure(session, "uploadPart", reason, part.number)
      }
      yield* record(session, { ...part, etag, crc64 }, false)
    })
  )
