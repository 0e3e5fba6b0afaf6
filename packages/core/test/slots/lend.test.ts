import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as AdaptiveSlots from "../../src/internal/slots/adaptive.ts"
import * as SharedSlots from "../../src/internal/slots/shared.ts"
import * as Slots from "../../src/internal/slots/slots.ts"

const adaptive = Effect.map(AdaptiveSlots.make({ onWire: 0 }), (slots) => ({ slots, count: 5 }))
const kinds = {
  fixed: Effect.sync(() => ({ slots: Slots.fixed(1), count: 1 })),
  shared: Effect.sync(() => ({ slots: SharedSlots.make(1)(1), count: 1 })),
  both: Effect.sync(() => ({ slots: Slots.both(SharedSlots.make(1), Slots.fixed)(1), count: 1 })),
  adaptive
}

describe.each(Object.entries(kinds))("of %s slots", (_, make) => {
  it.effect("one that waits lends its slot, and waits for a slot when it goes on", () =>
    Effect.gen(function* () {
      const { slots, count } = yield* make
      const seen: Array<string> = []
      const note = (text: string) => Effect.sync(() => void seen.push(text))
      const first = slots.withSlot((lend) =>
        note("begins").pipe(
          Effect.andThen(lend(Effect.sleep(1_000))),
          Effect.andThen(note("goes on"))
        )
      )
      const end = yield* Deferred.make<void>()
      const others = Array.from({ length: count }, () =>
        slots.withSlot(() => Effect.andThen(note("another"), Deferred.await(end)))
      )
      const fiber = yield* Effect.forkChild(
        Effect.all([first, ...others], { concurrency: "unbounded" })
      )
      yield* TestClock.adjust(5_000)
      assert.deepStrictEqual(seen, ["begins", ...others.map(() => "another")])
      yield* Deferred.succeed(end, undefined)
      yield* Fiber.join(fiber)
      assert.strictEqual(seen.at(-1), "goes on")
    }).pipe(Effect.scoped)
  )

  it.effect("one that is interrupted while it waits gives back no slot that it doesn't have", () =>
    Effect.gen(function* () {
      const { slots, count } = yield* make
      const waiting = yield* Effect.forkChild(slots.withSlot((lend) => lend(Effect.never)))
      yield* TestClock.adjust(0)
      yield* Fiber.interrupt(waiting)
      let underWay = 0
      const part = Effect.andThen(
        Effect.sync(() => underWay++),
        Effect.never
      )
      const all = Array.from({ length: count + 1 }, () => slots.withSlot(() => part))
      yield* Effect.forkScoped(Effect.all(all, { concurrency: "unbounded" }))
      yield* TestClock.adjust(0)
      assert.strictEqual(underWay, count)
    }).pipe(Effect.scoped)
  )
})
