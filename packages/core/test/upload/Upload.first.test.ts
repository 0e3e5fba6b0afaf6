import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, Crc64, Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect } from "effect"
import {
  assertWhole,
  bucket,
  contentOf,
  editable,
  fiveParts,
  inTime,
  key,
  partSize,
  partsSent,
  requestFor,
  requests,
  world
} from "../support/world.ts"
import { stopAtPart4 } from "../support/stopped.ts"

describe("a first upload", () => {
  it.effect("goes up in parts, and is the source to the last bit", () =>
    Effect.gen(function* () {
      const result = yield* Upload.upload(requestFor(fiveParts))
      assert.deepStrictEqual((yield* partsSent).toSorted(), [1, 2, 3, 4, 5])
      assert.deepInclude(result, {
        bucket,
        key,
        size: fiveParts.length,
        crc64: Crc64.of(fiveParts),
        verified: true,
        resumed: 0,
        sent: fiveParts.length
      })
      assert.match(result.etag, /^"[0-9A-F]{32}-5"$/)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect.each([0, 1, partSize - 1])("of %i bytes goes up with one request", (size) =>
    Effect.gen(function* () {
      const content = contentOf(size)
      const result = yield* Upload.upload(requestFor(content))
      assert.deepStrictEqual(yield* requests, { put: 1 })
      assert.deepInclude(result, { size, crc64: Crc64.of(content), verified: true })
      yield* assertWhole(content)
    }).pipe(Effect.provide(world))
  )

  it.effect.each([1, 2, 3])("of exactly %i parts has no empty tail", (count) =>
    Effect.gen(function* () {
      const content = contentOf(count * partSize)
      yield* Upload.upload(requestFor(content))
      assert.strictEqual((yield* partsSent).length, count)
      yield* assertWhole(content)
    }).pipe(Effect.provide(world))
  )

  it.effect("has no more parts on their way at once than asked for", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(
        Fault.delay({ operation: "uploadPart", millis: 1_000, times: Infinity })
      )
      yield* inTime(Upload.upload(requestFor(fiveParts, { concurrency: 2 })))
      const log = yield* emulator.log
      assert.strictEqual(Math.max(...log.map(({ inFlight }) => inFlight)), 2)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )
})

describe("a source smaller than a part", () => {
  const small = contentOf(1_000)
  /** Says how often a checkpoint was opened. */
  const countingOpens = Effect.map(CheckpointStore.CheckpointStore, (store) => {
    const seen = { opens: 0 }
    const open: typeof store.open = (...args) => {
      seen.opens++
      return store.open(...args)
    }
    return { seen, store: CheckpointStore.CheckpointStore.of({ ...store, open }) }
  })

  it.effect("goes up without a checkpoint, as there is nothing to resume", () =>
    Effect.gen(function* () {
      const { seen, store } = yield* countingOpens
      yield* Upload.upload(requestFor(small)).pipe(
        Effect.provideService(CheckpointStore.CheckpointStore, store)
      )
      assert.strictEqual(seen.opens, 0)
      yield* assertWhole(small)
    }).pipe(Effect.provide(world))
  )

  it.effect("still gives up what a run left that was larger then", () =>
    Effect.gen(function* () {
      const { source, edit } = editable(fiveParts)
      yield* stopAtPart4(requestFor(fiveParts, { source }))
      yield* edit(small)
      const { seen, store } = yield* countingOpens
      yield* Upload.upload(requestFor(small, { source })).pipe(
        Effect.provideService(CheckpointStore.CheckpointStore, store)
      )
      assert.strictEqual(seen.opens, 1)
      yield* assertWhole(small)
    }).pipe(Effect.provide(world))
  )

  it.effect("takes a checkpoint in a store that can't tell whether there is one", () =>
    Effect.gen(function* () {
      const { seen, store } = yield* countingOpens
      const { open, list } = store
      yield* Upload.upload(requestFor(small)).pipe(
        Effect.provideService(CheckpointStore.CheckpointStore, CheckpointStore.make({ open, list }))
      )
      assert.strictEqual(seen.opens, 1)
      yield* assertWhole(small)
    }).pipe(Effect.provide(world))
  )
})
