/**
 * Checks whether the object of an ended upload still exists. An execution
 * records the past; the object may have been deleted or replaced since.
 */
import type { ObjectHead } from "@effect-oss/core/OssModel"
import type { UploadResult } from "@effect-oss/core/UploadEvent"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { Job } from "./uploadWorkflow.ts"
import { UploadWorkflow } from "./uploadWorkflow.ts"
import { Targets } from "./targets.ts"

/** The result of the previous execution, if it stored the object and the object is still the same. */
export const stillThere = Effect.fnUntraced(function* (job: Job) {
  const before = yield* resultOf(job, job.attempt - 1)
  if (Option.isNone(before)) return Option.none<UploadResult>()
  const client = yield* (yield* Targets).client(job)
  const head = yield* client.head(job.key).pipe(
    Effect.asSome,
    Effect.catchReason("OssError", "NoSuchKey", () => Effect.succeedNone),
    // Without the right to read the object, upload again.
    Effect.catchReason("OssError", "AccessDenied", () => Effect.succeedNone)
  )
  return Option.filter(
    Option.map(before, (result): UploadResult => ({
      ...result,
      resumed: result.size,
      sent: 0,
      skipped: true
    })),
    (result) => Option.exists(head, isOf(result))
  )
}, Effect.scoped)

const resultOf = Effect.fnUntraced(function* (job: Job, attempt: number) {
  const ended = yield* UploadWorkflow.poll(yield* UploadWorkflow.executionId({ ...job, attempt }))
  return Option.flatMap(ended, (result) =>
    result._tag === "Complete" ? Exit.getSuccess(result.exit) : Option.none()
  )
})

const isOf =
  (result: UploadResult) =>
  ({ size, etag, crc64 }: ObjectHead): boolean =>
    size === result.size &&
    Option.match(crc64, {
      onNone: () => etag === result.etag,
      onSome: (crc64) => crc64 === result.crc64
    })
