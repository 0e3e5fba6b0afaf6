import { assert, describe, it } from "@effect/vitest"
import { Upload } from "@effect-oss/core"
import type { UploadEvent } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Deferred, Effect, Fiber, Option, Stream } from "effect"
import { TestClock } from "effect/testing"
import {
  assertWhole,
  bucket,
  collect,
  fiveParts,
  inTime,
  inject,
  key,
  partsSent,
  requestFor,
  world
} from "../support/world.ts"
import { hanging } from "../support/stopped.ts"

describe("events", () => {
  it.effect("tell the story of an upload in order, and end with Completed", () =>
    Effect.gen(function* () {
      const events = yield* collect(requestFor(fiveParts))
      const story = events.map(({ _tag }) => _tag)
      assert.deepStrictEqual(
        story.filter((tag) => tag !== "Progress"),
        ["Started", ...Array.from({ length: 5 }, () => "PartUploaded"), "Completing", "Completed"]
      )
      assert.strictEqual(story.at(-1), "Completed")
      const durable = events.flatMap((event) =>
        event._tag === "PartUploaded" ? [event.durable] : []
      )
      assert.deepStrictEqual(
        durable,
        durable.toSorted((a, b) => a - b)
      )
      assert.strictEqual(durable.at(-1), fiveParts.length)
    }).pipe(Effect.provide(world))
  )

  it.effect("sample progress that never goes back, and reaches the total at the end only", () =>
    Effect.gen(function* () {
      yield* inject(
        Fault.delay({ operation: "uploadPart", millis: 1_000, times: Infinity }),
        Fault.drop({ operation: "uploadPart", partNumber: 2, at: { bytes: 65_536 } })
      )
      const events = yield* inTime(collect(requestFor(fiveParts, { concurrency: 2 })))
      const samples = events.filter((event) => event._tag === "Progress")
      assert.isAbove(samples.length, 10)
      samples.slice(1).forEach((sample, index) => {
        assert.isAtLeast(sample.durable, samples[index]!.durable)
        assert.isAtLeast(sample.sent, samples[index]!.sent)
        assert.isAtLeast(sample.sent, sample.durable)
      })
      assert.deepInclude(samples.at(-1), { durable: fiveParts.length, total: fiveParts.length })
      assert.isTrue(samples.some(({ rate, eta }) => rate > 0 && eta !== null))
    }).pipe(Effect.provide(world))
  )

  it.effect("sample no progress that is complete before the object is there", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* inject(Fault.delay({ operation: "complete", millis: 30_000 }))
      const early: Array<UploadEvent.UploadEvent> = []
      let samples = 0
      yield* Upload.events(requestFor(fiveParts)).pipe(
        Stream.runForEach((event) =>
          Effect.gen(function* () {
            if (event._tag !== "Progress") return
            samples++
            const isThere = Option.isSome(yield* emulator.object(bucket, key))
            if (!isThere && event.durable === event.total) early.push(event)
          })
        ),
        inTime
      )
      assert.deepStrictEqual(early, [])
      assert.isAbove(samples, 0)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("do not count what an earlier run sent as the speed of this one", () =>
    Effect.gen(function* () {
      const { fiber, request } = yield* hanging
      yield* Fiber.interrupt(fiber)
      yield* inject(Fault.delay({ operation: "uploadPart", millis: 1_000, times: Infinity }))
      const events = yield* inTime(collect(request))
      const rates = events.flatMap((event) => (event._tag === "Progress" ? [event.rate] : []))
      assert.strictEqual(rates[0], 0)
      assert.isAbove(Math.max(...rates), 0)
    }).pipe(Effect.provide(world))
  )

  it.effect("fail as the upload does", () =>
    Effect.gen(function* () {
      yield* inject(Fault.answer({ operation: "initiate", status: 403, code: "AccessDenied" }))
      const error = yield* Effect.flip(Stream.runDrain(Upload.events(requestFor(fiveParts))))
      assert.isTrue(error._tag === "OssError" && error.reason._tag === "AccessDenied")
    }).pipe(Effect.provide(world))
  )

  it.effect("that are not read on stop neither the upload nor its last events", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const seen: Array<string> = []
      const fiber = yield* Upload.events(requestFor(fiveParts)).pipe(
        Stream.runForEach((event) =>
          Effect.andThen(
            Deferred.await(gate),
            Effect.sync(() => seen.push(event._tag))
          )
        ),
        Effect.forkChild
      )
      yield* TestClock.adjust("1 minute")
      yield* assertWhole(fiveParts)
      assert.deepStrictEqual(seen, [])
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(fiber)
      assert.strictEqual(seen.at(-1), "Completed")
      assert.strictEqual(seen.filter((tag) => tag === "PartUploaded").length, 5)
    }).pipe(Effect.provide(world))
  )

  it.effect(
    "that are not read on pile up no samples of progress, however long the upload takes",
    () =>
      Effect.gen(function* () {
        yield* inject(Fault.delay({ operation: "uploadPart", millis: 20_000, times: Infinity }))
        const gate = yield* Deferred.make<void>()
        const fiber = yield* Upload.events(requestFor(fiveParts, { concurrency: 1 })).pipe(
          Stream.tap(() => Deferred.await(gate)),
          Stream.runCollect,
          Effect.forkChild
        )
        yield* TestClock.adjust("1 hour")
        yield* Deferred.succeed(gate, undefined)
        const samples = (yield* Fiber.join(fiber)).filter(({ _tag }) => _tag === "Progress")
        assert.isAtMost(samples.length, 2)
      }).pipe(Effect.provide(world))
  )

  it.effect("that are cut short interrupt the upload", () =>
    Effect.gen(function* () {
      yield* inject(Fault.delay({ operation: "uploadPart", millis: 1_000, times: Infinity }))
      const request = requestFor(fiveParts, { concurrency: 1 })
      const untilSecondPart = Upload.events(request).pipe(
        Stream.filter((event) => event._tag === "PartUploaded"),
        Stream.take(2),
        Stream.runCollect
      )
      assert.strictEqual((yield* inTime(untilSecondPart)).length, 2)
      const emulator = yield* OssEmulator.OssEmulator
      assert.strictEqual(yield* emulator.inFlight, 0)
      assert.isAtMost((yield* partsSent).length, 3)
      yield* inTime(Upload.upload(request))
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )
})
