import { Crc64, OssClient, OssError } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Option, Result } from "effect"
import { TestClock } from "effect/testing"
import { body, content, emulated, errorOf, sendPart } from "./inProcess.ts"

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
