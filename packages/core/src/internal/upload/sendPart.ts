/**
 * Sends one part: adopts it if OSS already has it, else sends it and compares the
 * CRC64s, then records it.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Body from "../../Body.ts"
import * as Span from "../span.ts"
import type { Task } from "../checkpoint.ts"
import type { CheckpointError } from "../../CheckpointStore.ts"
import type { OssError } from "../../OssError.ts"
import { ChecksumMismatch } from "../../OssError.ts"
import type { Part, UploadedPart } from "../../Part.ts"
import type { SourceError } from "../../Source.ts"
import { failure, transfer } from "./request.ts"
import type { Session, Transfer } from "./session.ts"
import { record } from "./session.ts"
import * as Slice from "../source/slice.ts"

/** A part that OSS may have, or not. */
export type Missing = Exclude<Task, { readonly _tag: "Done" }>

/** A part that OSS has, and whether it had the part before. */
export interface Sent {
  readonly part: UploadedPart
  readonly adopted: boolean
}

/** Makes one part durable. Records what OSS acknowledged, even if it is interrupted right then. */
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

/** Adopts or sends one part of the plan. Each attempt reads `body` again. */
export const sendPart = (
  session: Transfer,
  uploadId: string,
  task: Missing,
  body: Body.Body<SourceError>
): Effect.Effect<Sent, OssError | SourceError> => {
  const { part } = task
  const sending = Effect.map(session.retrying(attempt(session, uploadId, part, body)), (part) => ({
    part,
    adopted: false
  }))
  const adopting =
    task._tag === "Adoptable"
      ? Effect.flatMap(Slice.crc64(body, 0, body.size), (local) =>
          local === task.part.crc64 ? Effect.succeed({ part: task.part, adopted: true }) : sending
        )
      : sending
  return Span.within(adopting, "Upload.part", () => ({
    "oss.part_number": part.number,
    "oss.part_size": part.size
  }))
}

const attempt = (
  session: Transfer,
  uploadId: string,
  { number, offset, size }: Part,
  source: Body.Body<SourceError>
): Effect.Effect<UploadedPart, OssError | SourceError> => {
  const { client, key } = session
  const sent = transfer(session, "uploadPart", number, source, (body) =>
    client.uploadPart({ key, uploadId, number, body })
  )
  return Effect.flatMap(sent, ({ receipt, crc64 }) => {
    if (Option.isNone(receipt.crc64) || receipt.crc64.value === crc64) {
      return Effect.succeed({ number, offset, size, etag: receipt.etag, crc64 })
    }
    const actual = receipt.crc64.value
    const reason = new ChecksumMismatch({ of: "part", expected: crc64, actual })
    return Effect.fail(failure(session, "uploadPart", reason, number))
  })
}
