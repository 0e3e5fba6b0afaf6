import { assert, describe, it } from "@effect/vitest"
import { Source, Upload, UploadMany } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { chunked, streamRequest } from "../support/streams.ts"
import {
  assertWhole,
  contentOf,
  fiveParts,
  inject,
  inTime,
  partSize,
  partsSent,
  requestFor,
  world
} from "../support/world.ts"

/** Runs something whose sleeps begin one after the other, an hour in steps. */
const inSteps = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    for (let minute = 0; minute < 60; minute++) {
      yield* TestClock.adjust("1 minute")
      yield* Effect.yieldNow
    }
    return yield* Fiber.join(fiber)
  })

const oneAtOnce = requestFor(fiveParts, { concurrency: 1 })
const first = { operation: "uploadPart", partNumber: 1 } as const

describe("a part whose retry waits", () => {
  it.effect("lets the others go first", () =>
    Effect.gen(function* () {
      yield* inject(Fault.answer({ ...first, status: 500, code: "InternalError" }))
      yield* inTime(Upload.upload(oneAtOnce))
      assert.deepStrictEqual(yield* partsSent, [1, 2, 3, 4, 5, 1])
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("keeps its place where the server asked for fewer", () =>
    Effect.gen(function* () {
      yield* inject(Fault.answer({ ...first, status: 503, code: "ServiceUnavailable" }))
      yield* inTime(Upload.upload(oneAtOnce))
      assert.deepStrictEqual(yield* partsSent, [1, 1, 2, 3, 4, 5])
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("is of an upload that has no more slots than it asked for, among many others", () =>
    Effect.gen(function* () {
      yield* inject(Fault.delay({ operation: "uploadPart", millis: 1_000, times: 5 }))
      const all = UploadMany.uploadAll([oneAtOnce], { parts: 10 })
      yield* Effect.forkChild(Stream.runDrain(all))
      yield* TestClock.adjust("1500 millis")
      assert.deepStrictEqual(yield* partsSent, [1, 2])
    }).pipe(Effect.provide(world))
  )

  it.effect(
    "is one of twice as many as there are slots: a network that is away isn't asked by all",
    () =>
      Effect.gen(function* () {
        yield* inject(Fault.drop({ operation: "uploadPart", at: "before", times: 1_000 }))
        const many = requestFor(contentOf(20 * partSize), { concurrency: 2 })
        yield* inTime(Effect.ignore(Upload.upload(many)))
        assert.deepStrictEqual([...new Set(yield* partsSent)].toSorted(), [1, 2, 3, 4])
      }).pipe(Effect.provide(world))
  )

  it.effect.each([1, 2, 3])("ends well in a stream of which %i go at once", (concurrency) =>
    Effect.gen(function* () {
      yield* inject(
        Fault.answer({ operation: "uploadPart", partNumber: 2, status: 500, code: "InternalError" })
      )
      yield* inSteps(Upload.upload(streamRequest(chunked(fiveParts), { concurrency })))
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )
})

it.effect("a small file whose retry waits lets the next ones go first", () =>
  Effect.gen(function* () {
    yield* inject(Fault.answer({ operation: "put", status: 500, code: "InternalError" }))
    const requests = ["a", "b", "c"].map((key) => ({
      key,
      source: Source.bytes(contentOf(9), key)
    }))
    yield* inTime(Stream.runDrain(UploadMany.uploadAll(requests, { parts: 1, concurrency: 2 })))
    const log = yield* (yield* OssEmulator.OssEmulator).log
    assert.deepStrictEqual(
      log.map(({ key }) => key),
      ["a", "b", "c", "a"]
    )
  }).pipe(Effect.provide(world))
)
