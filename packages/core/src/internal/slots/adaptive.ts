/** Slots whose number adapts to the rate of the upload. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Monotonic from "../monotonic.ts"
import * as Concurrency from "./concurrency.ts"
import type { Slots } from "./slots.ts"
import { lending } from "./slots.ts"
import * as Thread from "./thread.ts"

/** The interval between decisions while more slots help, in milliseconds. It is short because a small upload ends soon. */
const soon = 50

/** The interval after more slots did not help, in milliseconds. It gives new connections the time to become fast. */
const every = 250

/** The counters of an upload. */
export interface Counter {
  /** The bytes sent so far, in all attempts. */
  readonly onWire: number
}

/** The slots of one upload. Their number adapts until the scope closes. */
export const make = Effect.fnUntraced(function* (
  counter: Counter
): Effect.fn.Return<Slots, never, Scope.Scope> {
  let state = Concurrency.initial
  let using = 0
  let waiting = 0
  let throttled = false
  const semaphore = Semaphore.makeUnsafe(state.limit)

  const isBusy = Thread.watch(yield* Thread.Current)
  const adapt = Effect.gen(function* () {
    let at = yield* Monotonic.now
    let bytes = counter.onWire
    while (true) {
      yield* Effect.sleep(Concurrency.isGrowing(state) ? soon : every)
      const now = yield* Monotonic.now
      const rate = ((counter.onWire - bytes) * 1_000) / Math.max(1, now - at)
      const { limit } = state
      const full = using === limit && waiting > 0 && rate > 0
      state = Concurrency.step(state, { rate, full, throttled, busy: isBusy(now - at) })
      throttled = false
      at = now
      bytes = counter.onWire
      if (state.limit !== limit) yield* semaphore.resize(state.limit)
    }
  })
  yield* Effect.forkScoped(adapt)

  const take = Effect.suspend(() => {
    waiting++
    return Effect.ensuring(
      Effect.tap(semaphore.take(1), () => Effect.sync(() => using++)),
      Effect.sync(() => waiting--)
    )
  })
  const give = Effect.suspend(() => {
    using--
    return semaphore.release(1)
  })

  return {
    most: Concurrency.levels[2],
    withSlot: lending(take, give),
    throttled: () => (throttled = true)
  }
})
