import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as AdaptiveSlots from "../../src/internal/slots/adaptive.ts"
import * as Thread from "../../src/internal/slots/thread.ts"
import * as Progress from "../../src/internal/upload/progress.ts"

/** An upload of endless parts, and how many of them are on their way. */
const uploading = Effect.gen(function* () {
  const meter = Progress.make(null)
  let worked = 0
  const slots = yield* Effect.provideService(
    AdaptiveSlots.make(meter),
    Thread.Current,
    () => worked
  )
  let underWay = 0
  const part = Effect.andThen(
    Effect.sync(() => underWay++),
    Effect.never
  )
  yield* Effect.forEach(Array.from({ length: 100 }), () => slots.withSlot(() => part), {
    concurrency: slots.most,
    discard: true
  }).pipe(Effect.forkScoped)
  yield* TestClock.adjust(0)
  /** So many bytes go out, in the time between two looks. */
  const send = Effect.fnUntraced(function* (bytes: number, millis = 50, busy = 0) {
    meter.onWire += bytes
    worked += busy
    yield* TestClock.adjust(millis)
    return underWay
  })
  return { slots, send, underWay: () => underWay }
})

it.effect("sends five parts at once, then more as long as that is faster", () =>
  Effect.gen(function* () {
    const { send, underWay } = yield* uploading
    assert.strictEqual(underWay(), 5)
    assert.deepStrictEqual([yield* send(100), yield* send(300), yield* send(900)], [16, 64, 64])
  }).pipe(Effect.scoped)
)

it.effect("looks less often once more parts didn't help: new connections get faster", () =>
  Effect.gen(function* () {
    const { send } = yield* uploading
    assert.deepStrictEqual([yield* send(100), yield* send(100)], [16, 16])
    const later = [yield* send(1_000, 50), yield* send(0, 150), yield* send(0, 50)]
    assert.deepStrictEqual(later, [16, 16, 64])
  }).pipe(Effect.scoped)
)

it.effect("tries no more while its thread is busy", () =>
  Effect.gen(function* () {
    const { send } = yield* uploading
    const limits = [yield* send(100, 50, 50), yield* send(100, 50, 31), yield* send(100, 50, 29)]
    assert.deepStrictEqual(limits, [5, 5, 16])
  }).pipe(Effect.scoped)
)

it.effect("tries no more while nothing moves", () =>
  Effect.gen(function* () {
    const { send } = yield* uploading
    assert.deepStrictEqual([yield* send(0), yield* send(0), yield* send(100)], [5, 5, 16])
  }).pipe(Effect.scoped)
)

it.effect("begins no more parts once throttled, and lets those under way end", () =>
  Effect.gen(function* () {
    const { send, slots } = yield* uploading
    assert.strictEqual(yield* send(100), 16)
    slots.throttled()
    assert.deepStrictEqual([yield* send(300), yield* send(900)], [16, 16])
  }).pipe(Effect.scoped)
)
