import { assert, describe, it } from "@effect/vitest"
import { Checkpoint, CheckpointStore, OssClient, Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Clock, Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import {
  assertWhole,
  bucket,
  fiveParts,
  inTime,
  inject,
  key,
  partSize,
  pending,
  requestFor,
  requests,
  world
} from "../support/world.ts"
import { hanging } from "../support/stopped.ts"
import * as Fixtures from "../../src/testing/fixtures.ts"

describe("two uploads of one source to one key", () => {
  it.effect("exclude each other: the second is told who holds the checkpoint", () =>
    Effect.gen(function* () {
      const { fiber, request } = yield* hanging
      const error = yield* Effect.flip(Upload.upload(request))
      assert.isTrue(error._tag === "CheckpointError" && error.reason._tag === "Busy")
      yield* Fiber.interrupt(fiber)
      yield* Upload.upload(request)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )
})

describe("Upload.abort", () => {
  it.effect("gives up what is left of a key, on the server and in the store", () =>
    Effect.gen(function* () {
      const { fiber } = yield* hanging
      yield* Fiber.interrupt(fiber)
      const given = yield* Upload.abort({ key })
      assert.deepInclude(given[0], { parts: 3, durable: 3 * partSize })
      const emulator = yield* OssEmulator.OssEmulator
      assert.deepStrictEqual(yield* emulator.uploads(bucket), [])
      assert.deepStrictEqual(yield* pending, [])
    }).pipe(Effect.provide(world))
  )

  it.effect("is a success for an upload that OSS no longer knows", () =>
    Effect.gen(function* () {
      const { fiber } = yield* hanging
      yield* Fiber.interrupt(fiber)
      const emulator = yield* OssEmulator.OssEmulator
      const [upload] = yield* emulator.uploads(bucket)
      yield* emulator.abortUpload({ bucket, key, uploadId: upload!.uploadId })
      assert.strictEqual((yield* Upload.abort({ key })).length, 1)
      assert.deepStrictEqual(yield* pending, [])
    }).pipe(Effect.provide(world))
  )

  it.effect("keeps the checkpoint if OSS can't be asked", () =>
    Effect.gen(function* () {
      const { fiber } = yield* hanging
      yield* Fiber.interrupt(fiber)
      yield* inject(Fault.drop({ operation: "abort", at: "before", times: Infinity }))
      yield* inTime(Effect.flip(Upload.abort({ key })))
      assert.strictEqual((yield* pending).length, 1)
    }).pipe(Effect.provide(world))
  )

  it.effect(
    "leaves other keys and other sources alone, and does nothing where there is nothing",
    () =>
      Effect.gen(function* () {
        const { fiber } = yield* hanging
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(yield* Upload.abort({ key: "another" }), [])
        assert.deepStrictEqual(yield* Upload.abort({ key, sourceId: "bytes:another" }), [])
        assert.deepInclude(yield* requests, { initiate: 1 })
        assert.notProperty(yield* requests, "abort")
        assert.strictEqual((yield* pending).length, 1)
      }).pipe(Effect.provide(world))
  )

  it.effect("comes after the parts that were on their way: none of them stays on the server", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* inject(
        Fault.stall({ operation: "uploadPart", at: { bytes: 65_536 }, times: 3 }),
        Fault.delay({ operation: "uploadPart", millis: 60_000, at: "after", times: Infinity })
      )
      const fiber = yield* Effect.forkChild(Upload.upload(requestFor(fiveParts)))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* emulator.inFlight, 5)
      const given = Effect.andThen(Fiber.interrupt(fiber), Upload.abort({ key }))
      yield* given
      const log = yield* emulator.log
      const abort = log.findIndex(({ operation }) => operation === "abort")
      assert.strictEqual(log[abort]?.inFlight, 1)
      for (const { operation, ended } of log) {
        if (operation === "uploadPart") assert.isAtMost(ended!, log[abort]!.time)
      }
      yield* TestClock.adjust("1 hour")
      assert.strictEqual((yield* emulator.log).length, log.length)
      assert.deepStrictEqual(yield* emulator.uploads(bucket), [])
      assert.deepStrictEqual(yield* pending, [])
    }).pipe(Effect.provide(world))
  )

  it.effect("refuses while the upload runs", () =>
    Effect.gen(function* () {
      yield* hanging
      const error = yield* Effect.flip(Upload.abort({ key }))
      assert.isTrue(error._tag === "CheckpointError" && error.reason._tag === "Busy")
    }).pipe(Effect.provide(world))
  )
})

describe("Upload.abort in a large store", () => {
  it.effect("asks the store for the checkpoints of its object, and for no others", () =>
    Effect.gen(function* () {
      const { fiber } = yield* hanging
      yield* Fiber.interrupt(fiber)
      const store = yield* CheckpointStore.CheckpointStore
      const list = Stream.die("every checkpoint was listed")
      const given = yield* Upload.abort({ key }).pipe(
        Effect.provideService(CheckpointStore.CheckpointStore, { ...store, list })
      )
      assert.strictEqual(given.length, 1)
      assert.deepStrictEqual(yield* pending, [])
    }).pipe(Effect.provide(world))
  )
})

describe("Upload.sweep", () => {
  /** Two uploads that were interrupted, a day apart. */
  const twoOld = Effect.gen(function* () {
    for (const name of ["first", "second"]) {
      yield* inject(Fault.stall({ operation: "uploadPart", partNumber: 4, at: "before" }))
      const request = requestFor(fiveParts, { key: name, concurrency: 1 })
      const fiber = yield* Effect.forkChild(Upload.upload(request))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("1 day")
    }
  })
  const keys = Effect.map(pending, (left) => left.map(({ header }) => header.key).toSorted())

  it.effect("forgets receipts that are old enough, and leaves their objects alone", () =>
    Effect.gen(function* () {
      const store = yield* CheckpointStore.CheckpointStore
      const { endpoint } = yield* OssClient.OssClient
      /** A run that ended between the object and its report. */
      const leave = (name: string, change: Partial<Checkpoint.Header> = {}) =>
        Effect.scoped(
          Effect.gen(function* () {
            const header = { ...Fixtures.header(1, name), endpoint, bucket, key: name, ...change }
            const log = yield* store.open(Checkpoint.keyOf(header))
            yield* log.begin(header)
            yield* log.finish(Fixtures.receipt(yield* Clock.currentTimeMillis))
          })
        )
      yield* leave("old")
      yield* leave("elsewhere", { bucket: "another" })
      yield* TestClock.adjust("2 days")
      yield* leave("young")
      const left = Effect.map(Stream.runCollect(store.listFinished), (all) =>
        all.map(({ header }) => header.key).toSorted()
      )
      yield* Upload.sweep({ olderThan: "1 day", dryRun: true })
      assert.deepStrictEqual(yield* left, ["elsewhere", "old", "young"])
      assert.deepStrictEqual(yield* Upload.sweep({ olderThan: "1 day" }), [])
      assert.deepStrictEqual(yield* left, ["elsewhere", "young"])
      assert.deepStrictEqual(yield* requests, {})
    }).pipe(Effect.provide(world))
  )

  it.effect("only says what it would give up, if that is asked for", () =>
    Effect.gen(function* () {
      yield* twoOld
      const old = yield* Upload.sweep({ olderThan: "36 hours", dryRun: true })
      assert.deepStrictEqual(
        old.map(({ header }) => header.key),
        ["first"]
      )
      assert.deepStrictEqual(yield* keys, ["first", "second"])
    }).pipe(Effect.provide(world))
  )

  it.effect("gives up what is old enough, and nothing that this store knows nothing of", () =>
    Effect.gen(function* () {
      yield* twoOld
      const client = yield* OssClient.OssClient
      const foreign = yield* client.initiate("foreign")
      yield* TestClock.adjust("30 days")
      yield* Upload.sweep({ olderThan: "31.5 days" })
      assert.deepStrictEqual(yield* keys, ["second"])
      yield* Upload.sweep({ olderThan: 0 })
      assert.deepStrictEqual(yield* keys, [])
      const emulator = yield* OssEmulator.OssEmulator
      assert.deepStrictEqual(
        (yield* emulator.uploads(bucket)).map(({ uploadId }) => uploadId),
        [foreign.uploadId]
      )
    }).pipe(Effect.provide(world))
  )

  it.effect("leaves a running upload alone, however old", () =>
    Effect.gen(function* () {
      yield* inject(Fault.delay({ operation: "uploadPart", millis: 3_600_000, times: Infinity }))
      const request = requestFor(fiveParts, { concurrency: 1, stallTimeout: "1 day" })
      const fiber = yield* Effect.forkChild(Upload.upload(request))
      yield* TestClock.adjust("2 hours")
      assert.deepStrictEqual(yield* Upload.sweep({ olderThan: "1 hour" }), [])
      yield* TestClock.adjust("4 hours")
      yield* Fiber.join(fiber)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )
})
