import { assert, describe, it } from "@effect/vitest"
import { RetryPolicy, Upload, UploadMany } from "@effect-oss/core"
import type { UploadEvent } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Fiber, Random, Stream } from "effect"
import { TestClock } from "effect/testing"
import {
  assertWhole,
  contentOf,
  fiveParts,
  inTime,
  partsSent,
  requestFor,
  requests,
  world
} from "../support/world.ts"
import * as Defaults from "../../src/internal/upload/defaults.ts"

const emulator = OssEmulator.OssEmulator

/** Nothing gets through to the server for so long. */
const away = (millis: number) =>
  Effect.gen(function* () {
    const { inject, clearFaults } = yield* emulator
    yield* inject(Fault.drop({ at: "before", times: Infinity }))
    yield* Effect.sleep(millis)
    yield* clearFaults
  })

/** Every part takes a second. */
const slowly = Fault.delay({ operation: "uploadPart", millis: 1_000, times: Infinity })

/** Runs an upload; one of these outages comes after each number of parts is durable. */
const through = Effect.fnUntraced(function* (
  request: Upload.UploadRequest,
  outages: Readonly<Record<number, number>>
) {
  const { inject } = yield* emulator
  yield* inject(slowly)
  const events: Array<UploadEvent.UploadEvent> = []
  let parts = 0
  yield* Upload.events(request).pipe(
    Stream.runForEach((event) => {
      events.push(event)
      const millis = event._tag === "PartUploaded" ? outages[++parts] : undefined
      return millis === undefined
        ? Effect.void
        : Effect.asVoid(Effect.forkChild(Effect.andThen(away(millis), inject(slowly))))
    })
  )
  return events
})

describe("a server that is away", () => {
  it.effect("for two minutes is waited for: 40 MB with the defaults", () =>
    Effect.gen(function* () {
      const content = new Uint8Array(40_000_000)
      content.set(contentOf(1_000_000), 20_500_000)
      const request = { ...requestFor(content), partSize: 1_000_000 }
      const events = yield* inTime(through(request, { 7: 120_000 }))
      const waits = events.flatMap((event) => (event._tag === "Waiting" ? [event] : []))
      assert.isAtLeast(waits.length, 6)
      assert.isAtLeast(waits[0]!.elapsed, 10_000)
      assert.isAtLeast(waits.at(-1)!.elapsed, 90_000)
      assert.strictEqual(waits[0]!.reason._tag, "Transport")
      const end = events.at(-1)!
      assert.isTrue(end._tag === "Completed" && end.result.verified)
    }).pipe(Effect.provide(world), Random.withSeed("two minutes"))
  )

  it.effect("again and again is waited for anew: a success resets the time", () =>
    Effect.gen(function* () {
      const request = requestFor(fiveParts, { concurrency: 1 })
      yield* inTime(through(request, { 1: 100_000, 2: 100_000, 3: 100_000 }))
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world), Random.withSeed("anew"))
  )

  it.effect("for good ends the upload two minutes after it went", () =>
    Effect.gen(function* () {
      const { inject } = yield* emulator
      yield* inject(Fault.drop({ at: "before", times: Infinity }))
      const fiber = yield* Effect.forkChild(Effect.flip(Upload.upload(requestFor(fiveParts))))
      yield* TestClock.adjust("119 seconds")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("21 seconds")
      const error = yield* Fiber.join(fiber)
      assert.isTrue(error._tag === "OssError" && error.reason._tag === "Transport")
    }).pipe(Effect.provide(world), Random.withSeed("for good"))
  )

  it.effect("is waited for as long as the request says", () =>
    Effect.gen(function* () {
      const retry = RetryPolicy.patient({ for: "1 hour" })
      yield* inTime(through(requestFor(fiveParts, { retry }), { 2: 55 * 60_000 }))
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world), Random.withSeed("an hour"))
  )

  it.effect("is waited for once by many uploads, not by each of them", () =>
    Effect.gen(function* () {
      const { inject } = yield* emulator
      yield* inject(Fault.drop({ at: "before", times: Infinity }))
      const many = Array.from({ length: 100 }, (_, n) =>
        requestFor(contentOf(10, n), { key: `files/${n}` })
      )
      const fiber = yield* Effect.forkChild(
        Stream.runCollect(UploadMany.uploadAll(Stream.fromIterable(many)))
      )
      yield* TestClock.adjust("5 minutes")
      const outcomes = yield* Fiber.join(fiber)
      assert.isTrue(outcomes.every(({ _tag }) => _tag === "Failed"))
    }).pipe(Effect.provide(world), Random.withSeed("many"))
  )

  it.effect("answers no more once it asks for fewer requests: the budget protects it", () =>
    Effect.gen(function* () {
      const { inject } = yield* emulator
      yield* inject(Fault.answer({ operation: "uploadPart", status: 503, times: Infinity }))
      const request = requestFor(contentOf(4_000_000), {
        concurrency: 40,
        retry: RetryPolicy.patient({ for: "1 day" })
      })
      yield* inTime(Effect.flip(Upload.upload(request)))
      assert.isAtMost((yield* partsSent).length, Defaults.sharedBudget + 40)
    }).pipe(Effect.provide(world))
  )

  it.effect("holds nothing up that needs no server", () =>
    Effect.gen(function* () {
      const { inject } = yield* emulator
      yield* inject(Fault.drop({ at: "before", times: Infinity }))
      const fiber = yield* Effect.forkChild(Upload.upload(requestFor(fiveParts)))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.interrupt(fiber)
      const before = yield* requests
      yield* TestClock.adjust("1 day")
      assert.deepStrictEqual(yield* requests, before)
    }).pipe(Effect.provide(world))
  )
})
