import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as Meter from "../../src/internal/upload/progress.ts"
import * as Stall from "../../src/internal/upload/stall.ts"

const part = (number: number) => ({ number, offset: 0, size: 100 })

describe("Meter", () => {
  it("never counts back when a part fails and starts again", () => {
    const meter = Meter.make(300)
    Meter.sending(meter, 1, 0, 60)
    Meter.sending(meter, 1, 60, 40)
    Meter.sending(meter, 2, 0, 50)
    assert.strictEqual(meter.sent, 150)
    Meter.sending(meter, 1, 0, 10)
    assert.strictEqual(meter.sent, 150)
    Meter.durable(meter, part(1))
    assert.deepStrictEqual([meter.durable, meter.sent, meter.onWire], [100, 150, 160])
  })

  it("counts what an earlier run had sent apart from what this one sent", () => {
    const meter = Meter.make(300)
    Meter.resumed(meter, 200)
    Meter.sending(meter, 3, 0, 100)
    Meter.durable(meter, part(3))
    assert.deepStrictEqual([meter.durable, meter.resumed, meter.onWire], [300, 200, 100])
  })

  it("starts from nothing after a restart, but keeps what was on the wire", () => {
    const meter = Meter.make(300)
    Meter.sending(meter, 1, 0, 100)
    Meter.durable(meter, part(1))
    Meter.restart(meter)
    assert.deepStrictEqual([meter.durable, meter.sent, meter.onWire], [0, 0, 100])
  })

  it("takes the first rate as it is, follows a change within seconds, and ignores a clock that stands still or goes back", () => {
    const start = { at: 0, sent: 0, rate: 0 }
    const first = Meter.sample(start, 1_000, 500)
    assert.strictEqual(first.rate, 500)
    let later = first
    for (let second = 2; second <= 21; second++)
      later = Meter.sample(later, second * 1_000, 500 + (second - 1) * 1_000)
    assert.closeTo(later.rate, 1_000, 20)
    assert.strictEqual(Meter.sample(later, later.at, 99_999), later)
    assert.strictEqual(Meter.sample(later, 0, 99_999), later)
  })

  it("tells the time left, and none while nothing moves", () => {
    const meter = Meter.make(1_000)
    Meter.resumed(meter, 400)
    assert.strictEqual(Meter.progress(meter, 200).eta, 3_000)
    assert.isNull(Meter.progress(meter, 0).eta)
  })
})

describe("Stall.guard", () => {
  const timeout = Duration.seconds(30)

  it.effect("gives up a transfer in which nothing moves, and interrupts it", () =>
    Effect.gen(function* () {
      let interrupted = false
      const transfer = () =>
        Effect.onInterrupt(Effect.never, () => Effect.sync(() => (interrupted = true)))
      const fiber = yield* Effect.forkChild(Stall.guard(timeout, (millis) => millis, transfer))
      yield* TestClock.adjust("29 seconds")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("9 seconds")
      assert.deepStrictEqual(yield* Fiber.await(fiber), Exit.fail(30_000))
      assert.isTrue(interrupted)
    })
  )

  it.effect("lets a slow but steady transfer take its time", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(
        Stall.guard(
          timeout,
          () => "stalled",
          (moved) =>
            Effect.sleep("20 seconds").pipe(
              Effect.tap(() => Effect.sync(moved)),
              Effect.repeat({ times: 29 }),
              Effect.as("done")
            )
        )
      )
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(yield* Fiber.join(fiber), "done")
    })
  )

  it.effect("counts from the last movement", () =>
    Effect.gen(function* () {
      const transfer = (moved: () => void) =>
        Effect.sleep("25 seconds").pipe(
          Effect.tap(() => Effect.sync(moved)),
          Effect.andThen(Effect.never)
        )
      const fiber = yield* Effect.forkChild(Stall.guard(timeout, () => "stalled", transfer))
      yield* TestClock.adjust("54 seconds")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("9 seconds")
      assert.deepStrictEqual(yield* Fiber.await(fiber), Exit.fail("stalled"))
    })
  )
})
