import { assert, describe, it } from "@effect/vitest"
import {
  Body,
  CheckpointStore,
  OssClient,
  OssError,
  RetryPolicy,
  Source,
  Upload
} from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Fiber, Layer, Option, Random, Schedule } from "effect"
import { TestClock } from "effect/testing"
import {
  assertWhole,
  assertWholeBesides,
  bucket,
  collect,
  contentOf,
  fiveParts,
  inTime,
  key,
  partSize,
  partsSent,
  pending,
  requestFor,
  requests,
  world
} from "../support/world.ts"

const inject = (...faults: ReadonlyArray<Fault.Fault>) =>
  OssEmulator.OssEmulator.use((emulator) => emulator.inject(...faults))

const reasonOf = (error: Upload.UploadError) =>
  error._tag === "OssError" ? error.reason._tag : error._tag

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
          status: 500,
          code: "InternalError",
          times: Infinity
        })
      )
      const retry = Schedule.spaced("1 minute").pipe(Schedule.upTo({ times: 2 }))
      const request = requestFor(fiveParts, { concurrency: 1, retry })
      const fiber = yield* Effect.forkChild(Effect.flip(Upload.upload(request)))
      yield* TestClock.adjust("119 seconds")
      assert.strictEqual((yield* partsSent).length, 2)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(reasonOf(yield* Fiber.join(fiber)), "ServerError")
      assert.strictEqual((yield* partsSent).length, 3)
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
      assert.isAtLeast(sent, RetryPolicy.sharedBudget)
      assert.isAtMost(sent, RetryPolicy.sharedBudget + 40)
    }).pipe(Effect.provide(world))
  )
})

describe("CRC64", () => {
  it.effect(
    "of a part that is wrong each time is a ChecksumMismatch, and the checkpoint stays",
    () =>
      Effect.gen(function* () {
        yield* inject(Fault.wrongCrc({ operation: "uploadPart", partNumber: 2, times: Infinity }))
        const error = yield* inTime(Effect.flip(Upload.upload(requestFor(fiveParts))))
        assert.strictEqual(reasonOf(error), "ChecksumMismatch")
        assert.deepInclude(error, { _tag: "OssError", key, partNumber: 2 })
        assert.strictEqual((yield* partsSent).filter((number) => number === 2).length, 5)
        const left = yield* pending
        assert.strictEqual(left.length, 1)
      }).pipe(Effect.provide(world))
  )

  it.effect(
    "of the whole that is wrong is a ChecksumMismatch, the checkpoint stays, and the next run starts afresh",
    () =>
      Effect.gen(function* () {
        const emulator = yield* OssEmulator.OssEmulator
        yield* inject(Fault.wrongCrc({ operation: "complete" }))
        const error = yield* Effect.flip(Upload.upload(requestFor(fiveParts)))
        assert.strictEqual(reasonOf(error), "ChecksumMismatch")
        assert.deepInclude(error, { _tag: "OssError", key })
        assert.notProperty(error, "partNumber")
        assert.strictEqual((yield* pending).length, 1)
        yield* emulator.deleteObject(bucket, key)
        yield* inTime(Upload.upload(requestFor(fiveParts)))
        yield* assertWhole(fiveParts)
      }).pipe(Effect.provide(world))
  )

  it.effect("of the whole catches a part that was damaged where parts' answers carry none", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const tellsNoCrc64 = OssClient.OssClient.of({
        ...client,
        uploadPart: (part) =>
          Effect.map(client.uploadPart(part), ({ etag }) => ({ etag, crc64: Option.none() }))
      })
      yield* inject(Fault.damage({ operation: "uploadPart", partNumber: 2 }))
      const error = yield* Upload.upload(requestFor(fiveParts)).pipe(
        Effect.provideService(OssClient.OssClient, tellsNoCrc64),
        Effect.flip
      )
      assert.strictEqual(reasonOf(error), "ChecksumMismatch")
      assert.deepInclude(error, { _tag: "OssError", key })
    }).pipe(Effect.provide(world))
  )

  it.effect(
    "is asked for again where the answer carries none, and the result says whether any came",
    () =>
      Effect.gen(function* () {
        const emulator = yield* OssEmulator.OssEmulator
        yield* inject(Fault.noCrc({ operation: "put" }), Fault.noCrc({ operation: "head" }))
        const small = contentOf(10)
        const result = yield* Upload.upload(requestFor(small))
        assert.isFalse(result.verified)
        yield* emulator.clearFaults
        yield* inject(Fault.noCrc({ operation: "put" }))
        assert.isTrue((yield* Upload.upload(requestFor(small))).verified)
      }).pipe(Effect.provide(world))
  )

  it.effect(
    "of an object of parts is asked for again too, and the result says whether any came",
    () =>
      Effect.gen(function* () {
        yield* inject(
          Fault.noCrc({ operation: "complete", times: 2 }),
          Fault.noCrc({ operation: "head" })
        )
        assert.isFalse((yield* Upload.upload(requestFor(fiveParts))).verified)
        assert.isTrue((yield* Upload.upload(requestFor(fiveParts))).verified)
        yield* assertWhole(fiveParts)
      }).pipe(Effect.provide(world))
  )

  it.effect("shows that a small object was damaged on the way, and it is sent again", () =>
    Effect.gen(function* () {
      yield* inject(Fault.damage({ operation: "put" }))
      yield* inTime(Upload.upload(requestFor(contentOf(10))))
      assert.strictEqual((yield* requests)["put"], 2)
      yield* assertWhole(contentOf(10))
    }).pipe(Effect.provide(world))
  )

  it.effect("of a small object that is wrong is sent again, then a ChecksumMismatch", () =>
    Effect.gen(function* () {
      yield* inject(Fault.wrongCrc({ operation: "put" }))
      yield* inTime(Upload.upload(requestFor(contentOf(10))))
      assert.strictEqual((yield* requests)["put"], 2)
      yield* inject(Fault.wrongCrc({ operation: "put", times: Infinity }))
      const error = yield* inTime(Effect.flip(Upload.upload(requestFor(contentOf(10)))))
      assert.strictEqual(reasonOf(error), "ChecksumMismatch")
    }).pipe(Effect.provide(world))
  )
})

describe("Complete", () => {
  const lost: ReadonlyArray<[string, Fault.Fault]> = [
    ["its answer is lost", Fault.drop({ operation: "complete", at: "after" })],
    [
      "it answers 500 after the commit",
      Fault.answer({ operation: "complete", status: 500, code: "InternalError", at: "after" })
    ],
    [
      "it answers cut-off XML",
      Fault.raw({ operation: "complete", body: "<CompleteMultipartUploadRes" })
    ],
    ["it never answers", Fault.stall({ operation: "complete", at: "after" })]
  ]
  it.effect.each(lost)("is a success when %s", ([_, fault]) =>
    Effect.gen(function* () {
      yield* inject(fault)
      const result = yield* inTime(Upload.upload(requestFor(fiveParts)))
      assert.isTrue(result.verified)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("is a success when its answer is lost each time but the object is there", () =>
    Effect.gen(function* () {
      yield* inject(Fault.drop({ operation: "complete", at: "after", times: Infinity }))
      yield* Upload.upload(requestFor(fiveParts, { retry: RetryPolicy.never }))
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  const other = contentOf(fiveParts.length, 99)
  const storeOther = Effect.gen(function* () {
    const client = yield* OssClient.OssClient
    yield* client.put({ key, body: Body.fromBytes(other) })
  })

  it.effect("is no success because another object of the same size is there", () =>
    Effect.gen(function* () {
      yield* storeOther
      yield* inject(Fault.drop({ operation: "complete", at: "before", times: 5 }))
      const request = requestFor(fiveParts, { retry: RetryPolicy.backoff() })
      const error = yield* inTime(Effect.flip(Upload.upload(request)))
      assert.strictEqual(reasonOf(error), "Transport")
      assert.strictEqual((yield* pending)[0]?.parts, 5)
      const result = yield* Upload.upload(requestFor(fiveParts))
      assert.strictEqual(result.sent, 0)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("whose object was replaced by another one before the answer came makes it again", () =>
    Effect.gen(function* () {
      yield* inject(
        Fault.stall({ operation: "complete", at: "after" }),
        Fault.delay({ operation: "complete", millis: 60_000, at: "before" })
      )
      const replacing = Effect.delay(storeOther, "5 minutes")
      const [events] = yield* inTime(
        Effect.all([collect(requestFor(fiveParts)), replacing], { concurrency: 2 })
      )
      assert.deepInclude(events, { _tag: "Restarted", reason: "UploadGone" })
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("fails, and keeps the upload, when it fails before the commit each time", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* inject(
        Fault.answer({ operation: "complete", status: 500, code: "InternalError", times: 5 })
      )
      const request = requestFor(fiveParts, { retry: RetryPolicy.backoff() })
      const error = yield* inTime(Effect.flip(Upload.upload(request)))
      assert.strictEqual(reasonOf(error), "ServerError")
      assert.strictEqual((yield* emulator.uploads(bucket))[0]?.parts.length, 5)
      const result = yield* Upload.upload(requestFor(fiveParts))
      assert.strictEqual(result.sent, 0)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("with forbidOverwrite is a success when only its own answer was lost", () =>
    Effect.gen(function* () {
      yield* inject(Fault.drop({ operation: "complete", at: "after" }))
      yield* inTime(Upload.upload(requestFor(fiveParts, { forbidOverwrite: true })))
      yield* assertWhole(fiveParts)
      yield* inject(Fault.drop({ operation: "put", at: "after" }))
      yield* inTime(
        Upload.upload(requestFor(contentOf(9), { key: "small", forbidOverwrite: true }))
      )
      yield* assertWhole(contentOf(9), "small")
    }).pipe(Effect.provide(world))
  )

  it.effect("with forbidOverwrite fails when there is an object, even the same", () =>
    Effect.gen(function* () {
      yield* Upload.upload(requestFor(contentOf(9)))
      const error = yield* Effect.flip(
        Upload.upload(requestFor(contentOf(9), { forbidOverwrite: true }))
      )
      assert.strictEqual(reasonOf(error), "AlreadyExists")
    }).pipe(Effect.provide(world))
  )

  it.effect(
    "whose callback failed has stored the object: an error of its own, and nothing to resume",
    () =>
      Effect.gen(function* () {
        yield* inject(Fault.callbackFailed({ operation: "complete" }))
        const callback = { url: "http://callback.test/", body: "done" }
        const error = yield* Effect.flip(Upload.upload(requestFor(fiveParts, { callback })))
        assert.strictEqual(reasonOf(error), "CallbackFailed")
        yield* assertWhole(fiveParts)
      }).pipe(Effect.provide(world))
  )
})

describe("an upload that is aborted by someone else", () => {
  it.effect("while parts are on their way starts afresh once, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* inject(Fault.delay({ operation: "uploadPart", millis: 10_000, times: 7 }))
      const abort = Effect.gen(function* () {
        const [upload] = yield* emulator.uploads(bucket)
        yield* emulator.abortUpload({ bucket, key, uploadId: upload!.uploadId })
      })
      const [events] = yield* inTime(
        Effect.all(
          [collect(requestFor(fiveParts, { concurrency: 2 })), Effect.delay(abort, "15 seconds")],
          { concurrency: 2 }
        )
      )
      const restarts = events.filter((event) => event._tag === "Restarted")
      assert.deepStrictEqual(restarts, [{ _tag: "Restarted", reason: "UploadGone" }])
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  const abortAt = Effect.fnUntraced(function* (times: number) {
    const emulator = yield* OssEmulator.OssEmulator
    yield* inject(
      Fault.answer({
        operation: "uploadPart",
        partNumber: 4,
        status: 404,
        code: "NoSuchUpload",
        times
      })
    )
    return emulator
  })

  it.effect("while parts go up starts afresh once, and says why", () =>
    Effect.gen(function* () {
      yield* abortAt(1)
      const events = yield* inTime(collect(requestFor(fiveParts, { concurrency: 1 })))
      assert.strictEqual(events.filter((event) => event._tag === "Restarted").length, 1)
      assert.strictEqual((yield* requests)["initiate"], 2)
      const emulator = yield* OssEmulator.OssEmulator
      const stored = Option.getOrThrow(yield* emulator.object(bucket, key))
      assert.deepStrictEqual(yield* stored.bytes, fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("again and again ends with an error, not in a loop", () =>
    Effect.gen(function* () {
      yield* abortAt(Infinity)
      const error = yield* inTime(Effect.flip(Upload.upload(requestFor(fiveParts))))
      assert.strictEqual(reasonOf(error), "NoSuchUpload")
      assert.strictEqual((yield* requests)["initiate"], 2)
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
