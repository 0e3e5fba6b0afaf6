import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as Line from "../../src/internal/upload/line.ts"

describe("a line", () => {
  const timeout = Duration.seconds(30)

  it.effect("gives up a transfer in which nothing moves, and interrupts it", () =>
    Effect.gen(function* () {
      let interrupted = false
      const transfer = () =>
        Effect.onInterrupt(Effect.never, () => Effect.sync(() => (interrupted = true)))
      const fiber = yield* Effect.forkChild(
        Line.make().carry(timeout, (millis) => millis, transfer)
      )
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
        Line.make().carry(
          timeout,
          () => "stalled",
          (reached) =>
            Effect.sleep("20 seconds").pipe(
              Effect.tap(() => Effect.sync(() => reached(0))),
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
      const transfer = (reached: (bytes: number) => void) =>
        Effect.sleep("25 seconds").pipe(
          Effect.tap(() => Effect.sync(() => reached(0))),
          Effect.andThen(Effect.never)
        )
      const fiber = yield* Effect.forkChild(Line.make().carry(timeout, () => "stalled", transfer))
      yield* TestClock.adjust("54 seconds")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("9 seconds")
      assert.deepStrictEqual(yield* Fiber.await(fiber), Exit.fail("stalled"))
    })
  )

  it.effect(
    "waits for the bytes under way: at 16 KiB/s, with as much again, while no rate is known",
    () =>
      Effect.gen(function* () {
        const transfer = (reached: (bytes: number) => void) =>
          Effect.andThen(
            Effect.sync(() => reached(16 * 1024 * 100)),
            Effect.never
          )
        const fiber = yield* Effect.forkChild(Line.make().carry(timeout, () => "stalled", transfer))
        yield* TestClock.adjust("229 seconds")
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust("17 seconds")
        assert.deepStrictEqual(yield* Fiber.await(fiber), Exit.fail("stalled"))
      })
  )

  /** A transfer of so many bytes, all of which are read at once; the response takes so long. */
  const transfer = (line: Line.Line, bytes: number, takes: Duration.Input) =>
    line.carry(
      timeout,
      () => "stalled",
      (reached) =>
        Effect.andThen(
          Effect.sync(() => reached(bytes)),
          Effect.sleep(takes)
        )
    )

  it.effect("waits less once the line has shown to be fast", () =>
    Effect.gen(function* () {
      const line = Line.make()
      const first = yield* Effect.forkChild(transfer(line, 10_000_000, "1 second"))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(first)
      const second = yield* Effect.forkChild(transfer(line, 10_000_000, "1 day"))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* Fiber.await(second), Exit.fail("stalled"))
    })
  )

  const dead = (line: Line.Line, bytes: number) =>
    line.carry(
      timeout,
      (millis) => millis / 60_000,
      (reached) =>
        Effect.andThen(
          Effect.sync(() => reached(bytes)),
          Effect.never
        )
    )

  it.effect.each([
    ["five parts of 8 MB", 5, 8e6, 30],
    ["16 parts of 8 MB", 16, 8e6, 96],
    ["one part of 100 MB, by its own bytes", 1, 100e6, 203]
  ] as const)(
    "notices in time that a line is dead that took %s before any response",
    ([_, count, bytes, minutes]) =>
      Effect.gen(function* () {
        const line = Line.make()
        const fiber = yield* Effect.forkChild(
          Effect.forEach(Array.from({ length: count }), () => Effect.flip(dead(line, bytes)), {
            concurrency: "unbounded"
          })
        )
        yield* TestClock.adjust("1 day")
        for (const waited of yield* Fiber.join(fiber)) assert.closeTo(waited, minutes, 1)
      })
  )

  it.effect(
    "lets fewer transfers at once on the line after a stall, and more again with success",
    () =>
      Effect.gen(function* () {
        const line = Line.make()
        let atOnce = 0
        let most = 0
        const counted = (takes: Duration.Input) =>
          line
            .carry(
              timeout,
              () => "stalled",
              () =>
                Effect.suspend(() => {
                  most = Math.max(most, ++atOnce)
                  return Effect.ensuring(
                    Effect.sleep(takes),
                    Effect.sync(() => atOnce--)
                  )
                })
            )
            .pipe(Effect.ignore)
        const all = (count: number, takes: Duration.Input) =>
          Effect.gen(function* () {
            most = 0
            const fiber = yield* Effect.forkChild(
              Effect.all(
                Array.from({ length: count }, () => counted(takes)),
                { concurrency: "unbounded" }
              )
            )
            yield* TestClock.adjust("1 hour")
            yield* Fiber.join(fiber)
            return most
          })
        assert.strictEqual(yield* all(8, "1 day"), 8)
        assert.strictEqual(yield* all(1, "1 second"), 1)
        const next = yield* all(8, "1 second")
        assert.isAbove(next, 1)
        assert.isBelow(next, 8)
        assert.strictEqual(yield* all(8, "1 second"), 8)
      })
  )
})
