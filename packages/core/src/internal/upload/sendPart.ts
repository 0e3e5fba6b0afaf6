/**
 * One part's way: adopt it where OSS has it already, else send it, compare
 * CRC64s, and record it.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Body from "../../Body.ts"
import type { Task } from "../../Checkpoint.ts"
import type { CheckpointError } from "../../CheckpointStore.ts"
import * as Crc64 from "../../Crc64.ts"
import type { OssError } from "../../OssError.ts"
import { ChecksumMismatch } from "../../OssError.ts"
import type { Part } from "../../Part.ts"
import type { SourceError } from "../../Source.ts"
import * as Source from "../../Source.ts"
import * as Meter from "./progress.ts"
import type { Session } from "./session.ts"
import { failure, record, transfer } from "./session.ts"

/** Makes one part of the plan durable; `body` is its bytes, read again for each attempt. */
export const sendPart = Effect.fn("Upload.part")(function* (
  session: Session,
  uploadId: string,
  task: Exclude<Task, { readonly _tag: "Done" }>,
  body: Body.Body<SourceError>
): Effect.fn.Return<void, OssError | SourceError | CheckpointError> {
  yield* Effect.annotateCurrentSpan({
    "oss.part_number": task.part.number,
    "oss.part_size": task.part.size
  })
  if (task._tag === "Adoptable") {
    const local = yield* Source.crc64(body, 0, body.size)
    if (local === task.part.crc64) return yield* record(session, task.part, true)
  }
  yield* session.retrying(attempt(session, uploadId, task.part, body))
})

/** An acknowledged part is recorded even if interruption comes right then. */
const attempt = (session: Session, uploadId: string, part: Part, source: Body.Body<SourceError>) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      let crc64 = 0n
      const { etag, crc64: actual } = yield* restore(
        transfer(session, "uploadPart", part.number, (reached) => {
          const body = Body.tap(source, (piece, offset) => {
            reached(offset + piece.length)
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
        const reason = new ChecksumMismatch({ of: "part", expected: crc64, actual: actual.value })
        return yield* failure(session, "uploadPart", reason, part.number)
      }
      yield* record(session, { ...part, etag, crc64 }, false)
    })
  )
