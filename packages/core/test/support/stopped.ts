/** Uploads that are stopped on their way. */
import { assert } from "@effect/vitest"
import { CheckpointStore, Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { bucket, fiveParts, inject, requestFor } from "./world.ts"

/** OSS refuses this part, for good. */
export const denied = (partNumber: number) =>
  Fault.answer({ operation: "uploadPart", partNumber, status: 403, code: "AccessDenied" })

/** A run that ends at part 4, with parts 1 to 3 durable. */
export const stopAtPart4 = Effect.fnUntraced(function* (request: Upload.UploadRequest) {
  const emulator = yield* OssEmulator.OssEmulator
  yield* emulator.inject(denied(4))
  const error = yield* Effect.flip(Upload.upload({ ...request, concurrency: 1 }))
  assert.strictEqual(error._tag, "OssError")
  const [upload] = yield* emulator.uploads(bucket)
  assert.deepStrictEqual(
    upload?.parts.map(({ number }) => number),
    [1, 2, 3]
  )
  return { emulator, uploadId: upload!.uploadId }
})

/** A store that stops the run with a defect: the first time that `step` is reached after `passing` others. */
export const storeThatDies = (step: "begin" | "append" | "finish" | "remove", passing = 0) =>
  Effect.map(CheckpointStore.CheckpointStore, (store) => {
    let left = passing
    const dies = <A, E>(at: typeof step, effect: Effect.Effect<A, E>) =>
      Effect.suspend(() => (at === step && left-- === 0 ? Effect.die("killed") : effect))
    return CheckpointStore.CheckpointStore.of({
      ...store,
      open: (key) =>
        Effect.map(store.open(key), (log) => ({
          ...log,
          begin: (header) => dies("begin", log.begin(header)),
          append: (part) => dies("append", log.append(part)),
          finish: (receipt) => dies("finish", log.finish(receipt)),
          remove: dies("remove", log.remove)
        }))
    })
  })

/** A run that dies with a defect at a step of its checkpoint. */
export const killedAt = Effect.fnUntraced(function* <E>(
  request: Upload.UploadRequest<E>,
  step: "begin" | "append" | "finish" | "remove",
  passing?: number
) {
  const store = yield* storeThatDies(step, passing)
  const run = Upload.upload(request).pipe(
    Effect.provideService(CheckpointStore.CheckpointStore, store)
  )
  const exit = yield* Effect.exit(run)
  assert.isTrue(exit._tag === "Failure" && exit.cause.reasons.some(({ _tag }) => _tag === "Die"))
})

/** A run that dies right when its part after so many is to be recorded. */
export const killedAfter = <E>(request: Upload.UploadRequest<E>, recorded: number) =>
  killedAt(request, "append", recorded)

/** Starts an upload that hangs at part 4, with three parts durable. */
export const hanging = Effect.gen(function* () {
  yield* inject(Fault.stall({ operation: "uploadPart", partNumber: 4, at: "before" }))
  const request = requestFor(fiveParts, { concurrency: 1 })
  const fiber = yield* Effect.forkChild(Upload.upload(request))
  yield* TestClock.adjust("1 second")
  return { fiber, request }
})
