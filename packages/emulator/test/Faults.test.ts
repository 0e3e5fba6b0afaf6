import { Crc64 } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Layer, Option, Scope } from "effect"
import { content, open, put, stored } from "./http.ts"
import { eventually } from "./support.ts"

describe("faults", () => {
  const none = Option.none<bigint>()
  const whole = Option.some(Crc64.of(content))
  const damaged = Option.some(
    Crc64.of(content.map((byte, index) => (index === 0 ? byte ^ 0xff : byte)))
  )

  it.live.each([
    [
      "an error before",
      Fault.answer({ status: 500, code: "InternalError" }),
      500,
      /InternalError/,
      none
    ],
    [
      "an error after",
      Fault.answer({ status: 403, code: "AccessDenied", at: "after" }),
      403,
      /AccessDenied/,
      whole
    ],
    ["an error without a body", Fault.answer({ status: 503 }), 503, /^$/, none],
    [
      "an unknown code",
      Fault.answer({ status: 418, code: "Teapot" }),
      418,
      /<Message>Teapot</,
      none
    ],
    ["cut-off XML", Fault.raw({ body: "<?xml version=" }), 200, /^<\?xml version=$/, whole],
    ["nothing", Fault.raw({ body: "" }), 200, /^$/, whole],
    ["a page", Fault.raw({ body: "<html>", status: 502, at: "before" }), 502, /^<html>$/, none],
    ["a failed callback", Fault.callbackFailed(), 203, /CallbackFailed/, whole],
    ["damage", Fault.damage(), 200, /^$/, damaged]
  ] as const)("%s", ([, fault, status, text, committed]) =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(fault)
      const answer = yield* put("k", content)
      assert.strictEqual(answer.status, status)
      assert.match(answer.body.toString(), text)
      const crc64 = Option.map(yield* stored("k"), (object) => object.crc64)
      assert.deepStrictEqual(crc64, committed)
      assert.deepStrictEqual((yield* emulator.log)[0]?.outcome, { _tag: "Answered", status })
    }).pipe(open)
  )

  it.live.each([
    ["before the body", Fault.drop({ at: "before" }), none],
    ["inside the body", Fault.drop({ at: { bytes: 100_000 } }), none],
    ["at the end of the body", Fault.drop({ at: { bytes: Infinity } }), none],
    ["instead of the answer", Fault.drop({ at: "after" }), whole]
  ] as const)("the connection breaks %s", ([, fault, committed]) =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(fault)
      const error = yield* Effect.flip(put("k", content))
      assert.instanceOf(error.cause, TypeError)
      const crc64 = Option.map(yield* stored("k"), (object) => object.crc64)
      assert.deepStrictEqual(crc64, committed)
      assert.deepStrictEqual((yield* emulator.log)[0]?.outcome, { _tag: "Dropped" })
    }).pipe(open)
  )

  it.live("headers of an answer, such as Retry-After, are sent", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(Fault.answer({ status: 503, headers: { "Retry-After": "7" } }))
      assert.strictEqual((yield* put("k", content)).headers["retry-after"], "7")
    }).pipe(open)
  )

  it.live("the CRC64 of the answer is wrong, or missing", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(Fault.wrongCrc(), Fault.noCrc())
      const answers = yield* Effect.all([put("k", content), put("k", content), put("k", content)])
      const [wrong, missing, right] = answers.map(({ headers }) => headers["x-oss-hash-crc64ecma"])
      assert.isUndefined(missing)
      assert.strictEqual(right, String(Crc64.of(content)))
      assert.match(wrong ?? "", /^\d+$/)
      assert.notStrictEqual(wrong, right)
    }).pipe(open)
  )

  it.live("an answer is delayed", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(Fault.delay({ millis: 50 }))
      yield* put("k", content)
      const entry = (yield* emulator.log)[0]
      assert.isAtLeast((entry?.ended ?? 0) - (entry?.time ?? 0), 49)
    }).pipe(open)
  )

  it.live.each([
    ["before the body", "before" as const],
    ["inside the body", { bytes: 100_000 }],
    ["before the answer", "after" as const]
  ] as const)("nothing moves any more %s, until the client gives up", ([, at]) =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(Fault.stall({ at }))
      const given = yield* put("k", content).pipe(Effect.timeoutOption("100 millis"))
      assert.isTrue(Option.isNone(given))
      yield* eventually(emulator.inFlight, (count) => count === 0)
      const entry = (yield* emulator.log)[0]
      assert.deepStrictEqual(entry?.outcome, { _tag: "Stalled" })
      assert.strictEqual(Option.isSome(yield* stored("k")), at === "after")
    }).pipe(open)
  )

  it.live.each([
    ["before a large body", "before"],
    ["inside a large body", { bytes: 200_000 }]
  ] as const)("a client that gives up %s is noticed", ([, at]) =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(Fault.stall({ at }))
      yield* put("k", new Uint8Array(10_000_000)).pipe(Effect.timeoutOption("100 millis"))
      yield* eventually(emulator.inFlight, (count) => count === 0)
    }).pipe(open)
  )

  it.live("a stalled body is not pulled any further", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(Fault.stall({ at: { bytes: 1 } }))
      const big = new Uint8Array(50_000_000)
      yield* put("k", big).pipe(Effect.timeoutOption("200 millis"))
      assert.isBelow((yield* emulator.log)[0]?.bytes ?? 0, 1_000_000)
    }).pipe(open)
  )
})

it.live("the server ends at once, also while a request is stalled", () =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const built = yield* Layer.buildWithScope(OssEmulator.layer(), scope)
    const emulator = Context.get(built, OssEmulator.OssEmulator)
    yield* emulator.inject(Fault.stall({ at: "before" }))
    const sent = yield* put("k", content).pipe(
      Effect.provideService(OssEmulator.OssEmulator, emulator),
      Effect.exit,
      Effect.forkChild
    )
    yield* eventually(emulator.inFlight, (count) => count === 1)
    yield* Effect.timeout(Scope.close(scope, Exit.void), "2 seconds")
    assert.isTrue(Exit.isFailure(yield* Fiber.join(sent)))
    assert.strictEqual(yield* emulator.inFlight, 0)
  })
)
