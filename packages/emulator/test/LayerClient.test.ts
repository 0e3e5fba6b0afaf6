import { Body, Crc64, OssClient, OssError } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Option, Result } from "effect"
import { TestClock } from "effect/testing"
import { bytesOf } from "./support.ts"

const content = bytesOf(200_000)
const body = Body.fromBytes(content)

const emulated = <A, E>(
  effect: Effect.Effect<A, E, OssClient.OssClient | OssEmulator.OssEmulator>
) => Effect.provide(effect, OssEmulator.layerClient())

/** One part is sent while the faults are due; gives what came of it and what the server has. */
const sendPart = (...faults: ReadonlyArray<Fault.Fault>) =>
  Effect.gen(function* () {
    const client = yield* OssClient.OssClient
    const emulator = yield* OssEmulator.OssEmulator
    const { uploadId } = yield* client.initiate("k")
    yield* emulator.inject(...faults)
    const part = { key: "k", uploadId, number: 1, body }
    const result = yield* Effect.result(client.uploadPart(part))
    const parts = (yield* emulator.uploads(client.bucket))[0]?.parts ?? []
    const entry = (yield* emulator.log).at(-1)
    return { result, stored: parts.map(({ crc64 }) => crc64), entry, uploadId }
  })

const errorOf = <A>(result: Result.Result<A, OssError.OssError>) =>
  Result.match(result, {
    onSuccess: () => assert.fail("the request succeeded"),
    onFailure: (error) => error
  })

describe("without faults", () => {
  it.effect("an upload in parts becomes an object", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const emulator = yield* OssEmulator.OssEmulator
      const { uploadId } = yield* client.initiate("k", {
        mime: "text/plain",
        meta: { Author: "me" },
        storageClass: "IA"
      })
      const send = (number: number) => client.uploadPart({ key: "k", uploadId, number, body })
      const receipts = yield* Effect.forEach([1, 2, 3], send)
      const listed = yield* client.listParts({ key: "k", uploadId, after: 1 })
      assert.deepStrictEqual(
        listed.parts.map(({ number, size, etag }) => [number, size, etag]),
        [2, 3].map((number) => [number, content.length, receipts[number - 1]?.etag ?? ""])
      )
      assert.isTrue(Option.isNone(listed.next))
      const parts = receipts.map(({ etag }, index) => ({ number: index + 1, etag }))
      const done = yield* client.complete({ key: "k", uploadId, parts })
      const object = Option.getOrThrow(yield* emulator.object(client.bucket, "k"))
      const whole = Buffer.concat([content, content, content])
      assert.deepStrictEqual(Buffer.from(yield* object.bytes), whole)
      assert.deepStrictEqual(Option.getOrNull(done.crc64), Crc64.of(whole))
      assert.deepStrictEqual(object.headers, {
        "content-type": "text/plain",
        "x-oss-meta-author": "me",
        "x-oss-storage-class": "IA"
      })
      assert.deepStrictEqual(yield* client.head("k"), {
        size: whole.length,
        etag: done.etag,
        crc64: Option.some(Crc64.of(whole))
      })
      assert.deepStrictEqual(yield* emulator.uploads(client.bucket), [])
    }).pipe(emulated)
  )

  it.effect.each([0, 1, 65_536, 65_537])("an object of %d bytes is put", (size) =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const emulator = yield* OssEmulator.OssEmulator
      const bytes = bytesOf(size)
      yield* client.put({ key: "k", body: Body.fromBytes(bytes) })
      const object = Option.getOrThrow(yield* emulator.object(client.bucket, "k"))
      assert.deepStrictEqual(yield* object.bytes, bytes)
      const entry = (yield* emulator.log)[0]
      assert.deepStrictEqual([entry?.bytes, entry?.whole], [size, true])
    }).pipe(emulated)
  )

  it.effect("uploads are listed in pages of 1,000, with the server's time", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      yield* TestClock.adjust("1 minute")
      yield* Effect.repeat(client.initiate("k"), { times: 1000 })
      const first = yield* client.listUploads({})
      assert.deepStrictEqual([first.uploads.length, first.serverTime], [1000, 60_000])
      const after = Option.getOrThrow(first.next)
      const second = yield* client.listUploads({ after })
      assert.deepStrictEqual([second.uploads.length, Option.isNone(second.next)], [1, true])
    }).pipe(emulated)
  )

  it.effect("refusals carry OSS's code, status and request id", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const place = { key: "k", uploadId: "none" }
      const errors = yield* Effect.all([
        Effect.flip(client.head("k")),
        Effect.flip(client.uploadPart({ ...place, number: 1, body })),
        Effect.flip(client.abort(place)),
        Effect.flip(client.complete({ ...place, parts: [{ number: 1, etag: "x" }] }))
      ])
      assert.deepStrictEqual(
        errors.map(({ operation, status, code, reason }) => [operation, status, code, reason._tag]),
        [
          ["head", 404, "NoSuchKey", "NoSuchKey"],
          ["uploadPart", 404, "NoSuchUpload", "NoSuchUpload"],
          ["abort", 404, "NoSuchUpload", "NoSuchUpload"],
          ["complete", 404, "NoSuchUpload", "NoSuchUpload"]
        ]
      )
      assert.deepStrictEqual(
        errors.map(({ bucket, key, requestId }) => [bucket, key, requestId?.length]),
        errors.map(() => ["test-bucket", "k", 24])
      )
    }).pipe(emulated)
  )

  it.effect("a bucket that was not named does not exist", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const error = yield* Effect.flip(client.initiate("k"))
      assert.strictEqual(error.reason._tag, "NoSuchBucket")
    }).pipe(Effect.provide(OssEmulator.layerClient({ bucket: "mine", buckets: ["theirs"] })))
  )

  it.effect("the world changes from outside", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const emulator = yield* OssEmulator.OssEmulator
      const { bucket } = client
      const { uploadId } = yield* client.initiate("k")
      yield* client.uploadPart({ key: "k", uploadId, number: 1, body })
      yield* emulator.removePart({ bucket, key: "k", uploadId, number: 1 })
      assert.deepStrictEqual((yield* client.listParts({ key: "k", uploadId })).parts, [])
      yield* emulator.abortUpload({ bucket, key: "k", uploadId })
      const error = yield* Effect.flip(client.listParts({ key: "k", uploadId }))
      assert.strictEqual(error.reason._tag, "NoSuchUpload")
      yield* client.put({ key: "k", body })
      yield* emulator.deleteObject(bucket, "k")
      assert.isTrue(Option.isNone(yield* emulator.object(bucket, "k")))
    }).pipe(emulated)
  )
})

describe("faults", () => {
  const committed = [Crc64.of(content)]
  const cases: ReadonlyArray<{
    readonly name: string
    readonly fault: Fault.Fault
    readonly error: Partial<OssError.OssError>
    readonly stored: ReadonlyArray<bigint>
    readonly bytes: number
    readonly outcome: object
  }> = [
    {
      name: "a throttled request says how long to wait",
      fault: Fault.answer({
        status: 503,
        code: "ServiceUnavailable",
        headers: { "Retry-After": "2" }
      }),
      error: {
        status: 503,
        code: "ServiceUnavailable",
        reason: new OssError.Throttled({ retryAfter: 2000 })
      },
      stored: [],
      bytes: 0,
      outcome: { _tag: "Answered", status: 503 }
    },
    {
      name: "an error after the commit",
      fault: Fault.answer({ status: 500, code: "InternalError", at: "after" }),
      error: { status: 500, code: "InternalError" },
      stored: committed,
      bytes: 200_000,
      outcome: { _tag: "Answered", status: 500 }
    },
    {
      name: "an error without a body",
      fault: Fault.answer({ status: 403 }),
      error: {
        status: 403,
        reason: new OssError.AccessDenied({ description: "HTTP status 403" })
      },
      stored: [],
      bytes: 0,
      outcome: { _tag: "Answered", status: 403 }
    },
    {
      name: "an answer that is cut off",
      fault: Fault.raw({ body: "<?xml" }),
      error: {
        status: 200,
        reason: new OssError.UnreadableResponse({ description: "not what OSS answers: <?xml" })
      },
      stored: committed,
      bytes: 200_000,
      outcome: { _tag: "Answered", status: 200 }
    },
    {
      name: "a proxy's page",
      fault: Fault.raw({ status: 502, body: "<html>", at: "before" }),
      error: {
        status: 502,
        reason: new OssError.ServerError({ description: "HTTP status 502" })
      },
      stored: [],
      bytes: 0,
      outcome: { _tag: "Answered", status: 502 }
    },
    {
      name: "a connection that breaks before the body",
      fault: Fault.drop({ at: "before" }),
      error: {
        reason: new OssError.Transport({ description: "the connection was reset" })
      },
      stored: [],
      bytes: 0,
      outcome: { _tag: "Dropped" }
    },
    {
      name: "a connection that breaks inside the body, after whole pieces",
      fault: Fault.drop({ at: { bytes: 65_537 } }),
      error: {
        reason: new OssError.Transport({ description: "the connection was reset" })
      },
      stored: [],
      bytes: 131_072,
      outcome: { _tag: "Dropped" }
    },
    {
      name: "a connection that breaks at the end of the body",
      fault: Fault.drop({ at: { bytes: Infinity } }),
      error: {
        reason: new OssError.Transport({ description: "the connection was reset" })
      },
      stored: [],
      bytes: 200_000,
      outcome: { _tag: "Dropped" }
    },
    {
      name: "an answer that is lost",
      fault: Fault.drop({ at: "after" }),
      error: {
        reason: new OssError.Transport({ description: "the connection was reset" })
      },
      stored: committed,
      bytes: 200_000,
      outcome: { _tag: "Dropped" }
    },
    {
      name: "a clock that is off by an hour",
      fault: Fault.skew({ millis: 3_600_000 }),
      error: {
        status: 403,
        code: "RequestTimeTooSkewed",
        reason: new OssError.ClockSkew({ offset: 3_600_000 })
      },
      stored: [],
      bytes: 0,
      outcome: { _tag: "Answered", status: 403 }
    }
  ]

  it.effect.each(cases)("$name", ({ fault, error, stored, bytes, outcome }) =>
    Effect.gen(function* () {
      const sent = yield* sendPart(fault)
      const actual = errorOf(sent.result)
      assert.deepInclude(actual, {
        operation: "uploadPart",
        bucket: "test-bucket",
        key: "k",
        partNumber: 1,
        ...error
      })
      assert.deepStrictEqual(sent.stored, [...stored])
      assert.deepStrictEqual(
        [sent.entry?.bytes, sent.entry?.outcome, sent.entry?.ended],
        [bytes, outcome, 0]
      )
    }).pipe(emulated)
  )

  it.effect("a wrong CRC64 in the answer", () =>
    Effect.gen(function* () {
      const { result, stored } = yield* sendPart(Fault.wrongCrc())
      const { crc64 } = Result.getOrThrow(result)
      assert.notDeepEqual(crc64, Option.some(Crc64.of(content)))
      assert.isTrue(Option.isSome(crc64))
      assert.deepStrictEqual(stored, committed)
    }).pipe(emulated)
  )

  it.effect("no CRC64 in the answer", () =>
    Effect.gen(function* () {
      const { result } = yield* sendPart(Fault.noCrc())
      assert.isTrue(Option.isNone(Result.getOrThrow(result).crc64))
    }).pipe(emulated)
  )

  it.effect("damage on the way shows in the CRC64 of the answer", () =>
    Effect.gen(function* () {
      const { result, stored } = yield* sendPart(Fault.damage())
      const damaged = Crc64.of(content.map((byte, index) => (index === 0 ? byte ^ 0xff : byte)))
      assert.deepStrictEqual(Result.getOrThrow(result).crc64, Option.some(damaged))
      assert.deepStrictEqual(stored, [damaged])
    }).pipe(emulated)
  )

  it.effect("a failed callback: the object is stored", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(Fault.callbackFailed({ operation: "put" }))
      const error = yield* Effect.flip(client.put({ key: "k", body }))
      assert.deepStrictEqual([error.status, error.reason._tag], [203, "CallbackFailed"])
      assert.isTrue(Option.isSome(yield* emulator.object(client.bucket, "k")))
    }).pipe(emulated)
  )

  it.effect("a delay passes in simulated time", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(
        sendPart(Fault.delay({ millis: 300, at: { bytes: 1 } }), Fault.delay({ millis: 200 }))
      )
      yield* TestClock.adjust("499 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const { entry, stored } = yield* Fiber.join(fiber)
      assert.deepStrictEqual([entry?.time, entry?.ended, stored], [0, 500, committed])
    }).pipe(emulated)
  )

  it.effect("a skew of less than 15 minutes only moves the server's time", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(Fault.skew({ millis: 900_000 }))
      assert.strictEqual((yield* client.listUploads({})).serverTime, 900_000)
    }).pipe(emulated)
  )

  it.effect.each([
    ["before" as const, 0, []],
    [{ bytes: 1 }, 65_536, []],
    [{ bytes: Infinity }, 200_000, []],
    ["after" as const, 200_000, committed]
  ] as const)("a stall at %j ends when the client gives up", ([at, bytes, stored]) =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const emulator = yield* OssEmulator.OssEmulator
      const fiber = yield* Effect.forkChild(sendPart(Fault.stall({ at })))
      yield* TestClock.adjust("1 day")
      assert.strictEqual(yield* emulator.inFlight, 1)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(yield* emulator.inFlight, 0)
      const entry = (yield* emulator.log).at(-1)
      assert.deepStrictEqual(
        [entry?.outcome, entry?.bytes, entry?.ended],
        [{ _tag: "Stalled" }, bytes, 86_400_000]
      )
      const parts = (yield* emulator.uploads(client.bucket))[0]?.parts ?? []
      assert.deepStrictEqual(
        parts.map(({ crc64 }) => crc64),
        [...stored]
      )
    }).pipe(emulated)
  )
})

describe("bodies", () => {
  it.effect("a body that can't be read fails with its own error, and nothing is committed", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const emulator = yield* OssEmulator.OssEmulator
      const broken: Body.Body<"broken"> = {
        size: 100_000,
        read: (_, offset) => (offset === 0 ? Effect.void : Effect.fail("broken"))
      }
      const error = yield* Effect.flip(client.put({ key: "k", body: broken }))
      assert.strictEqual(error, "broken")
      assert.isTrue(Option.isNone(yield* emulator.object(client.bucket, "k")))
      const entry = (yield* emulator.log)[0]
      assert.deepStrictEqual([entry?.outcome, entry?.whole], [{ _tag: "Aborted" }, false])
    }).pipe(emulated)
  )

  it.effect("interruption inside the body commits nothing and reads no further", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const emulator = yield* OssEmulator.OssEmulator
      const offsets: Array<number> = []
      const slow: Body.Body = {
        size: 1_000_000,
        read: (_, offset) =>
          Effect.delay(
            Effect.sync(() => void offsets.push(offset)),
            "1 second"
          )
      }
      const fiber = yield* Effect.forkChild(client.put({ key: "k", body: slow }))
      yield* TestClock.adjust("2500 millis")
      yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(offsets, [0, 65_536])
      assert.isTrue(Option.isNone(yield* emulator.object(client.bucket, "k")))
      const entry = (yield* emulator.log)[0]
      assert.deepStrictEqual(
        [entry?.outcome, entry?.bytes, entry?.ended],
        [{ _tag: "Aborted" }, 131_072, 2500]
      )
    }).pipe(emulated)
  )

  it.effect("requests side by side are counted", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(Fault.delay({ millis: 100, times: Infinity }))
      const puts = ["a", "b", "c"].map((key) => client.put({ key, body }))
      const fiber = yield* Effect.forkChild(Effect.all(puts, { concurrency: 2 }))
      yield* TestClock.adjust("50 millis")
      assert.strictEqual(yield* emulator.inFlight, 2)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(
        (yield* emulator.log).map(({ inFlight }) => inFlight),
        [1, 2, 2]
      )
      yield* emulator.clearFaults
      yield* client.put({ key: "d", body })
    }).pipe(emulated)
  )
})
