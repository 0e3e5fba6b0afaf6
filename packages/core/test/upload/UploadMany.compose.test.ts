import { assert, describe, it } from "@effect/vitest"
import { UploadMany } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Deferred, Effect, Exit, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { inject, keysOf, large, slowly, small } from "../support/many.ts"
import { bucket, inTime, partsSent, pending, requests, world } from "../support/world.ts"

describe("uploadAll, composed", () => {
  const three = Stream.make(large("a", 4), large("b", 4), small("c"))
  const all = Stream.runCollect(UploadMany.uploadAll(three, { parts: 2 }))

  /** Nothing is under way, nothing that was acknowledged is sent again, and all can be finished. */
  const canBeResumed = Effect.gen(function* () {
    const emulator = yield* OssEmulator.OssEmulator
    assert.strictEqual(yield* emulator.inFlight, 0)
    const [before, sent] = [yield* requests, (yield* partsSent).length]
    yield* TestClock.adjust("1 hour")
    assert.deepStrictEqual(yield* requests, before)
    const durable = (yield* pending).reduce((sum, { parts }) => sum + parts, 0)
    const finished = (yield* inTime(all)).filter(({ _tag }) => _tag === "Completed")
    assert.strictEqual(finished.length, 3)
    const left = 8 - durable
    assert.isAtMost((yield* partsSent).length - sent, left)
    assert.deepStrictEqual(yield* pending, [])
    assert.deepStrictEqual(yield* emulator.uploads(bucket), [])
  })

  it.effect("is resumable after an interruption", () =>
    Effect.gen(function* () {
      yield* slowly
      const fiber = yield* Effect.forkChild(all)
      yield* TestClock.adjust("2500 millis")
      yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.isFailure(yield* Fiber.await(fiber)))
      assert.strictEqual((yield* pending).length, 2)
      yield* canBeResumed
    }).pipe(Effect.provide(world))
  )

  it.effect("is resumable after a timeout, again and again", () =>
    Effect.gen(function* () {
      yield* slowly
      const outcomes = UploadMany.uploadAll(three, { parts: 2, skipIdentical: true }).pipe(
        Stream.runCollect,
        Effect.timeout("2500 millis"),
        Effect.retry({ times: 10 })
      )
      assert.strictEqual((yield* inTime(outcomes)).length, 3)
      assert.deepStrictEqual(yield* pending, [])
    }).pipe(Effect.provide(world))
  )

  it.effect("is resumable after losing a race", () =>
    Effect.gen(function* () {
      yield* slowly
      const gate = yield* Deferred.make<string>()
      const race = yield* Effect.forkChild(Effect.raceFirst(all, Deferred.await(gate)))
      yield* TestClock.adjust("2500 millis")
      yield* Deferred.succeed(gate, "the other")
      assert.strictEqual(yield* Fiber.join(race), "the other")
      yield* canBeResumed
    }).pipe(Effect.provide(world))
  )

  it.effect("carries on when it is retried as a whole", () =>
    Effect.gen(function* () {
      yield* slowly
      yield* inject(
        Fault.answer({
          operation: "uploadPart",
          key: "b",
          partNumber: 3,
          status: 403,
          code: "AccessDenied"
        })
      )
      const stopping = UploadMany.uploadAll(three, {
        parts: 2,
        onFailure: "stop",
        skipIdentical: true
      }).pipe(Stream.runCollect, Effect.retry({ times: 1 }))
      assert.strictEqual((yield* inTime(stopping)).length, 3)
      assert.deepStrictEqual(yield* pending, [])
    }).pipe(Effect.provide(world))
  )

  it.effect("is resumable after the scope closed that it was forked in", () =>
    Effect.gen(function* () {
      yield* slowly
      const scoped = Effect.scoped(
        Effect.andThen(Effect.forkScoped(all), Effect.sleep("2500 millis"))
      )
      yield* inTime(scoped)
      yield* canBeResumed
    }).pipe(Effect.provide(world))
  )

  it.effect("is resumable after its outcomes were read in part", () =>
    Effect.gen(function* () {
      yield* slowly
      const first = UploadMany.uploadAll(three, { parts: 2 }).pipe(
        Stream.take(1),
        Stream.runCollect
      )
      assert.deepStrictEqual(keysOf(yield* inTime(first)), ["c"])
      yield* canBeResumed
    }).pipe(Effect.provide(world))
  )
})
