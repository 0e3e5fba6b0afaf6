/** No upload with parts may stay on the server that no checkpoint stands for. */
import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, OssClient, Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import {
  assertWhole,
  bucket,
  fiveParts,
  inTime,
  inject,
  key,
  pending,
  requestFor,
  requests,
  world
} from "../support/world.ts"

const uploads = OssEmulator.OssEmulator.use((emulator) => emulator.uploads(bucket))

/** A store whose lease goes to somebody else before the `nth` begin. */
const storeThatLoses = (nth: number) =>
  Effect.map(CheckpointStore.CheckpointStore, (store) => {
    let begun = 0
    const lost = new CheckpointStore.CheckpointError({
      location: "here",
      reason: new CheckpointStore.LeaseLost()
    })
    return CheckpointStore.CheckpointStore.of({
      ...store,
      open: (key) =>
        Effect.map(store.open(key), (log) => ({
          ...log,
          begin: (header) =>
            Effect.suspend(() => (++begun === nth ? Effect.fail(lost) : log.begin(header)))
        }))
    })
  })

describe("no upload stays behind", () => {
  it.effect("when the checkpoint is lost to another upload while Initiate is under way", () =>
    Effect.gen(function* () {
      const store = yield* storeThatLoses(1)
      const error = yield* Upload.upload(requestFor(fiveParts)).pipe(
        Effect.provideService(CheckpointStore.CheckpointStore, store),
        Effect.flip
      )
      assert.isTrue(error._tag === "CheckpointError" && error.reason._tag === "LeaseLost")
      assert.strictEqual((yield* requests)["initiate"], 1)
      assert.deepStrictEqual(yield* uploads, [])
    }).pipe(Effect.provide(world))
  )

  it.effect("when Complete fails each time, and the object is there from an earlier upload", () =>
    Effect.gen(function* () {
      yield* Upload.upload(requestFor(fiveParts))
      yield* inject(Fault.drop({ operation: "complete", at: "before", times: Infinity }))
      const result = yield* inTime(Upload.upload(requestFor(fiveParts)))
      assert.isTrue(result.verified)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("and it is a success still, when OSS does not let it be given up then", () =>
    Effect.gen(function* () {
      yield* Upload.upload(requestFor(fiveParts))
      yield* inject(
        Fault.drop({ operation: "complete", at: "before", times: Infinity }),
        Fault.answer({ operation: "abort", status: 500, code: "InternalError", times: Infinity })
      )
      const result = yield* inTime(Upload.upload(requestFor(fiveParts)))
      assert.isTrue(result.verified)
      assert.strictEqual((yield* uploads).length, 1)
    }).pipe(Effect.provide(world))
  )
})

it.effect("Complete that is not answered in time is no other object with forbidOverwrite", () =>
  Effect.gen(function* () {
    yield* inject(
      Fault.stall({ operation: "complete", at: "after" }),
      // What OSS may answer before it looks for the upload id.
      Fault.answer({ operation: "complete", status: 409, code: "FileAlreadyExists" })
    )
    const request = requestFor(fiveParts, { forbidOverwrite: true })
    const result = yield* inTime(Upload.upload(request))
    assert.isTrue(result.verified)
    yield* assertWhole(fiveParts)
  }).pipe(Effect.provide(world))
)

it.effect(
  "an upload that no checkpoint stands for is aborted by sweepOrphans, where that is asked for",
  () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      yield* inject(Fault.drop({ operation: "initiate", at: "after" }))
      yield* inject(
        Fault.answer({
          operation: "uploadPart",
          status: 403,
          code: "AccessDenied",
          times: Infinity
        })
      )
      // One orphan, and one upload that a checkpoint stands for.
      yield* inTime(Effect.flip(Upload.upload(requestFor(fiveParts))))
      const elsewhere = yield* client.initiate("other/key")
      yield* TestClock.adjust("8 days")
      const fresh = yield* client.initiate(key)
      const would = yield* Upload.sweepOrphans({ olderThan: "7 days", prefix: key, dryRun: true })
      assert.strictEqual(would.length, 1)
      assert.strictEqual((yield* uploads).length, 4)
      const swept = yield* Upload.sweepOrphans({ olderThan: "7 days", prefix: key })
      assert.deepStrictEqual(swept, would)
      const left = (yield* uploads).map(({ uploadId }) => uploadId)
      const [recorded] = yield* pending
      assert.sameMembers(left, [elsewhere.uploadId, fresh.uploadId, recorded!.header.uploadId])
    }).pipe(Effect.provide(world))
)
