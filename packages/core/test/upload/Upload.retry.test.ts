import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, OssError, RetryPolicy, Source, Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Fiber, Layer, Random, Schedule, Stream } from "effect"
import { TestClock } from "effect/testing"
import {
  assertWhole,
  assertWholeBesides,
  bucket,
  collect,
  contentOf,
  fiveParts,
  inTime,
  inject,
  key,
  partSize,
  partsSent,
  pending,
  reasonOf,
  requestFor,
  requests,
  world
} from "../support/world.ts"
import * as Defaults from "../../src/internal/upload/defaults.ts"

describe("a part that fails", () => {
  const passing: ReadonlyArray<[string, (scope: Fault.Scope) => Fault.Fault]> = [
    ["500", (scope) => Fault.answer({ ...scope, status: 500, code: "InternalError" })],
    ["503", (scope) => Fault.answer({ ...scope, status: 503, code: "ServiceUnavailable" })],
    ["429", (scope) => Fault.answer({ ...scope, status: 429 })],
    ["408", (scope) => Fault.answer({ ...scope, status: 408 })],
    ["401", (scope) => Fault.answer({ ...scope, status: 401 })],
    ["RequestTimeout", (scope) => Fault.answer({ ...scope, status: 400, code: "RequestTimeout" })],
    [
      "a proxy's page",
      (scope) => Fault.raw({ ...scope, status: 502, body: "<html>", at: "before" })
    ],
    ["a reset before the body", (scope) => Fault.drop({ ...scope, at: "before" })],
    ["a reset in the middle", (scope) => Fault.drop({ ...scope, at: { bytes: 65_536 } })],
    ["a lost answer", (scope) => Fault.drop({ ...scope, at: "after" })],
    ["a stall in the middle", (scope) => Fault.stall({ ...scope, at: { bytes: 65_536 } })],
    ["a stall before the answer", (scope) => Fault.stall({ ...scope, at: "after" })],
    ["damaged bytes", (scope) => Fault.damage(scope)],
    ["a wrong CRC64", (scope) => Fault.wrongCrc(scope)],
    ["a clock that is off", (scope) => Fault.skew({ ...scope, millis: 20 * 60_000 })]
  ]
  it.effect.each(passing)("once by %s is sent again, and the upload is whole", ([_, fault]) =>
    Effect.gen(function* () {
      yield* inject(fault({ operation: "uploadPart", partNumber: 2 }))
      yield* inTime(Upload.upload(requestFor(fiveParts)))
      assert.deepStrictEqual((yield* partsSent).toSorted(), [1, 2, 2, 3, 4, 5])
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("once each costs every part two attempts, and says so", () =>
    Effect.gen(function* () {
      const faults = [1, 2, 3, 4, 5].map((partNumber) =>
        Fault.answer({ operation: "uploadPart", partNumber, status: 500, code: "InternalError" })
      )
      yield* inject(...faults)
      const events = yield* inTime(collect(requestFor(fiveParts)))
      const retried = events.flatMap((event) =>
        event._tag === "Retrying" ? [[event.partNumber, event.attempt, event.reason._tag]] : []
      )
      assert.sameDeepMembers(
        retried,
        [1, 2, 3, 4, 5].map((number) => [number, 1, "ServerError"])
      )
      assert.strictEqual((yield* partsSent).length, 10)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("for good ends the upload once its attempts are used up, and keeps the others", () =>
    Effect.gen(function* () {
      yield* inject(
        Fault.answer({
          operation: "uploadPart",
          partNumber: 5,
          status: 500,
          code: "InternalError",
          times: 5
        })
      )
      const request = requestFor(fiveParts, { retry: RetryPolicy.backoff() })
      const error = yield* inTime(Effect.flip(Upload.upload(request)))
      assert.deepInclude(error, { operation: "uploadPart", partNumber: 5, status: 500, key })
      assert.deepInclude(error, { attempt: 5 })
      assert.include(error.message, ", attempt 5); ")
      assert.strictEqual((yield* partsSent).filter((number) => number === 5).length, 5)
      const [left] = yield* pending
      assert.deepInclude(left, { parts: 4, durable: 4 * partSize })
      const result = yield* Upload.upload(requestFor(fiveParts))
      assert.strictEqual(result.sent, 1_000)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("with an error that can't go away ends the upload at once", () =>
    Effect.gen(function* () {
      yield* inject(
        Fault.answer({ operation: "uploadPart", partNumber: 1, status: 403, code: "AccessDenied" })
      )
      const error = yield* Effect.flip(Upload.upload(requestFor(fiveParts, { concurrency: 1 })))
      assert.strictEqual(reasonOf(error), "AccessDenied")
      assert.deepStrictEqual(yield* partsSent, [1])
    }).pipe(Effect.provide(world))
  )

  it.effect("is sent again no sooner than the server asks", () =>
    Effect.gen(function* () {
      yield* inject(
        Fault.answer({
          operation: "uploadPart",
          partNumber: 3,
          status: 503,
          code: "ServiceUnavailable",
          headers: { "Retry-After": "17" }
        })
      )
      const fiber = yield* Effect.forkChild(Upload.upload(requestFor(fiveParts)))
      yield* TestClock.adjust("16999 millis")
      assert.strictEqual((yield* partsSent).length, 5)
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(fiber)
      assert.strictEqual((yield* partsSent).length, 6)
    }).pipe(Effect.provide(world))
  )

  it.effect("follows the user's own schedule", () =>
    Effect.gen(function* () {
      yield* inject(
        Fault.answer({
          operation: "uploadPart",
          partNumber: 1,
          status: 500,
          code: "InternalError",
          times: Infinity
        })
      )
      const retry = Schedule.spaced("1 minute").pipe(Schedule.upTo({ times: 2 }))
      const request = requestFor(fiveParts, { concurrency: 1, retry })
      const attempts = Effect.map(partsSent, (sent) => sent.filter((number) => number === 1).length)
      const fiber = yield* Effect.forkChild(Effect.flip(Upload.upload(request)))
      yield* TestClock.adjust("119 seconds")
      assert.strictEqual(yield* attempts, 2)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(reasonOf(yield* Fiber.join(fiber)), "ServerError")
      assert.strictEqual(yield* attempts, 3)
    }).pipe(Effect.provide(world))
  )

  it.effect("waits between nothing and a limit that doubles, and no two parts alike", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      const parts = [1, 2, 3, 4, 5]
      const lost = { operation: "uploadPart", at: "before", times: 4 } as const
      yield* inject(...parts.map((partNumber) => Fault.drop({ ...lost, partNumber })))
      yield* inTime(Upload.upload(requestFor(fiveParts)))
      const log = yield* emulator.log
      const waits = parts.map((part) => {
        const times = log.flatMap((entry) => (entry.partNumber === part ? [entry.time] : []))
        return times.slice(1).map((time, index) => time - times[index]!)
      })
      const limits = [200, 400, 800, 1_600]
      for (const wait of waits) {
        assert.strictEqual(wait.length, limits.length)
        wait.forEach((millis, index) => assert.isBelow(millis, limits[index]! + 1))
      }
      assert.strictEqual(new Set(waits.flat()).size, 20)
      const shares = waits.flatMap((wait) => wait.map((millis, index) => millis / limits[index]!))
      assert.isBelow(Math.min(...shares), 0.25)
      assert.isAbove(Math.max(...shares), 0.75)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world), Random.withSeed("waits"))
  )

  it.effect(
    "is given up when it stalls, not when it is slow: ten steady minutes are all right",
    () =>
      Effect.gen(function* () {
        const content = contentOf(25 * 65_536)
        const request = requestFor(content, { partSize: 24 * 65_536 })
        const slow: Source.Source = {
          name: "slow",
          open: Effect.map(Source.bytes(content, "source").open, (opened) => ({
            ...opened,
            read: (target, offset) => Effect.delay(opened.read(target, offset), "25 seconds")
          }))
        }
        yield* inTime(Upload.upload({ ...request, source: slow }))
        assert.deepStrictEqual((yield* partsSent).toSorted(), [1, 2])
        yield* assertWhole(content)
      }).pipe(Effect.provide(world))
  )
})

describe("a dead server", () => {
  it.effect("is left alone after the budget that all parts share", () =>
    Effect.gen(function* () {
      yield* inject(
        Fault.answer({
          operation: "uploadPart",
          status: 500,
          code: "InternalError",
          times: Infinity
        })
      )
      const content = contentOf(40 * partSize)
      const request = requestFor(content, { concurrency: 40, retry: Schedule.forever })
      yield* inTime(Effect.flip(Upload.upload(request)))
      const sent = (yield* partsSent).length
      assert.isAtLeast(sent, Defaults.sharedBudget)
      assert.isAtMost(sent, Defaults.sharedBudget + 40)
    }).pipe(Effect.provide(world))
  )
})

describe("Initiate", () => {
  it.effect("whose answer is lost is sent again, and leaves an upload without parts", () =>
    Effect.gen(function* () {
      yield* inject(Fault.drop({ operation: "initiate", at: "after", times: 2 }))
      yield* inTime(Upload.upload(requestFor(fiveParts)))
      assert.strictEqual((yield* requests)["initiate"], 3)
      yield* assertWholeBesides(2, fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect(
    "lists nothing before it: an upload that succeeds needs no more than its requests",
    () =>
      Effect.gen(function* () {
        yield* Upload.upload(requestFor(fiveParts))
        assert.deepStrictEqual(yield* requests, { initiate: 1, uploadPart: 5, complete: 1 })
      }).pipe(Effect.provide(world))
  )

  it.effect("leaves the fresh upload of another store alone, which finishes too", () =>
    Effect.gen(function* () {
      // The other one has its upload id, and no part yet.
      const another = yield* Layer.build(Layer.fresh(CheckpointStore.layerMemory))
      yield* inject(Fault.stall({ operation: "uploadPart", at: "before", times: 5 }))
      const other = yield* Effect.forkChild(
        Effect.provide(Upload.upload(requestFor(fiveParts, { stallTimeout: "1 hour" })), another)
      )
      yield* TestClock.adjust("1 second")
      yield* inject(Fault.drop({ operation: "initiate", at: "after" }))
      yield* inTime(Upload.upload(requestFor(fiveParts)))
      yield* inTime(Fiber.join(other))
      assert.strictEqual((yield* requests)["abort"] ?? 0, 0)
      yield* assertWholeBesides(1, fiveParts)
    }).pipe(Effect.scoped, Effect.provide(world))
  )
})

describe("bad requests", () => {
  const bad: ReadonlyArray<[string, Partial<Upload.UploadRequest>]> = [
    ["key", { key: "" }],
    ["key", { key: "/absolute" }],
    ["key", { key: "a/../b" }],
    ["key", { key: "x".repeat(1024) }],
    ["partSize", { partSize: 1_024 }],
    ["partSize", { partSize: 6 * 2 ** 30 }],
    ["concurrency", { concurrency: 0 }],
    ["concurrency", { concurrency: 1.5 }],
    ["stallTimeout", { stallTimeout: 0 }]
  ]
  it.effect.each(bad)("with a wrong %s fail before anything is sent", ([field, change]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Upload.upload(requestFor(fiveParts, change)))
      assert.deepInclude(error, { _tag: "InvalidRequest", field })
      assert.deepStrictEqual(yield* requests, {})
    }).pipe(Effect.provide(world))
  )
})

describe("a source that no object can hold", () => {
  it.effect("is refused before the upload begins", () =>
    Effect.gen(function* () {
      const opened = yield* Source.bytes(fiveParts, "huge").open
      const size = 49 * 2 ** 40
      const source = { name: "huge", open: Effect.succeed({ ...opened, size }) }
      const seen: Array<string> = []
      const error = yield* Upload.events({ key, source }).pipe(
        Stream.runForEach(({ _tag }) => Effect.sync(() => seen.push(_tag))),
        Effect.flip
      )
      assert.deepInclude(error, { _tag: "InvalidRequest", field: "source" })
      assert.deepStrictEqual(seen, [])
      assert.deepStrictEqual(yield* requests, {})
    }).pipe(Effect.scoped, Effect.provide(world))
  )
})

describe("an error", () => {
  it("says what, where, which request, and what to do", () => {
    const error = new OssError.OssError({
      operation: "uploadPart",
      bucket,
      key,
      partNumber: 7,
      status: 503,
      code: "SlowDown",
      requestId: "5F",
      reason: new OssError.Throttled({})
    })
    assert.strictEqual(
      error.message,
      "uploadPart test-bucket/backups/db.tar part 7: OSS asks for fewer requests (SlowDown, 503, request id 5F); wait a while, or send fewer parts at once, then upload again to carry on"
    )
    assert.strictEqual(error.message, `${error.problem}; ${error.remedy}`)
  })
})

describe("a server that is down", () => {
  it.effect("is asked only once more what became of a small object", () =>
    Effect.gen(function* () {
      yield* inject(Fault.drop({ at: "before", times: Infinity }))
      const request = requestFor(contentOf(9), { retry: RetryPolicy.backoff() })
      const error = yield* inTime(Effect.flip(Upload.upload(request)))
      assert.strictEqual(reasonOf(error), "Transport")
      assert.deepStrictEqual(yield* requests, { put: 5, head: 1 })
    }).pipe(Effect.provide(world))
  )
})

describe("an upload that OSS refuses to begin", () => {
  it.effect("leaves no checkpoint behind", () =>
    Effect.gen(function* () {
      yield* inject(Fault.answer({ status: 403, code: "SignatureDoesNotMatch", times: Infinity }))
      const error = yield* Effect.flip(Upload.upload(requestFor(fiveParts)))
      assert.strictEqual(reasonOf(error), "AccessDenied")
      assert.deepStrictEqual(yield* pending, [])
    }).pipe(Effect.provide(world))
  )
})
