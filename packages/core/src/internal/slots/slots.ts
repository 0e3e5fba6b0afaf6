/**
 * How many parts may be on their way at once: of one upload, or of all that
 * share the slots.
 */
import type * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"

export interface Slots {
  /** There are never more, so that more need not be tried at once. */
  readonly most: number
  /** Waits for a slot, and gives it back however the part ends. */
  readonly withSlot: <A, E, R>(part: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** OSS asked for fewer requests. */
  readonly throttled: () => void
}

/** Out of slots that many have: those of one, who uses so many at once. */
export interface Share {
  (most: number): Slots
}

/** Out of both: a part needs a slot of each. */
export const both =
  (one: Share, other: Share): Share =>
  (most) => {
    const outer = one(most)
    const inner = other(outer.most)
    return {
      most: inner.most,
      withSlot: (part) => outer.withSlot(inner.withSlot(part)),
      throttled: () => {
        outer.throttled()
        inner.throttled()
      }
    }
  }

/** Always the same number. */
export const fixed = (count: number): Slots => {
  const semaphore = Semaphore.makeUnsafe(count)
  return { most: count, withSlot: semaphore.withPermit, throttled: () => {} }
}
