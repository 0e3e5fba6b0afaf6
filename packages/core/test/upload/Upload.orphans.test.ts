/** No upload may stay on the server that no checkpoint stands for. */
import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect } from "effect"
import {
  assertWhole,
  bucket,
  fiveParts,
  inTime,
  requestFor,
  requests,
  world
} from "../support/world.ts"

const inject = (...faults: ReadonlyArray<Fault.Fault>) =>
  OssEmulator.OssEmulator.use((emulator) => emulator.inject(...faults))

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
  it.effect("when Initiate is carried out, but not answered in time", () =>
    Effect.gen(function* () {
      yield* inject(Fault.stall({ operation: "initiate", at: "after" }))
      yield* inTime(Upload.upload(requestFor(fiveParts)))
      assert.strictEqual((yield* requests)["initiate"], 2)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("when the checkpoint is lost to another upload while Initiate is under way", () =>
    Effect.gen(function* () {
      const store = yield* storeThatLoses(2)
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
