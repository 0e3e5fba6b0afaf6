/**
 * How many parts may be on their way at once: of one upload, or of all that
 * share the slots.
 */
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Semaphore from "effect/Semaphore"

export interface Slots {
  /** There are never more, so that more need not be tried at once. */
  readonly most: number
  /** Waits for a slot, and gives it back however the part ends. */
  readonly withSlot: WithSlot
  /** OSS asked for fewer requests. */
  readonly throttled: () => void
}

export interface WithSlot {
  <A, E, R>(part: (lend: Lend) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R>
}

/** While the part waits for something else, another one may have its slot. Afterwards the part waits for a slot again. */
export interface Lend {
  <A, E, R>(wait: Effect.Effect<A, E, R>): Effect.Effect<A, E, R>
}

/** Slots that are taken and given one by one; `take` can be interrupted. */
export const lending =
  (take: Effect.Effect<unknown>, give: Effect.Effect<unknown>): WithSlot =>
  (part) =>
    Effect.uninterruptibleMask((restore) => {
      let isHeld = false
      const hold = Effect.map(restore(take), () => {
        isHeld = true
      })
      const end = Effect.suspend(() => {
        if (!isHeld) return Effect.void
        isHeld = false
        return give
      })
      const lend: Lend = (wait) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.andThen(
            end,
            Effect.tap(restore(wait), () =>
              Effect.map(restore(take), () => {
                isHeld = true
              })
            )
          )
        )
      return Effect.andThen(hold, Effect.ensuring(restore(Effect.suspend(() => part(lend))), end))
    })

/** Out of slots that many have: those of one, who uses so many at once. */
export interface Share {
  (most: number): Slots
}

/** A slot of each. Both are lent, and taken again in the order of the first time: else two parts could wait for each other. */
export const nested =
  (outer: WithSlot, inner: WithSlot): WithSlot =>
  (part) =>
    outer((lendOuter) => inner((lendInner) => part((wait) => lendInner(lendOuter(wait)))))

/** Out of both: a part needs a slot of each. */
export const both =
  (one: Share, other: Share): Share =>
  (most) => {
    const outer = one(most)
    const inner = other(outer.most)
    return {
      most: inner.most,
      withSlot: nested(outer.withSlot, inner.withSlot),
      throttled: () => {
        outer.throttled()
        inner.throttled()
      }
    }
  }

/** For one request that shares no slots with others: it waits for nobody. */
export const alone: Slots = {
  most: 1,
  withSlot: (part) => part(identity),
  throttled: () => {}
}

/** Always the same number. */
export const fixed = (count: number): Slots => {
  const semaphore = Semaphore.makeUnsafe(count)
  const withSlot = lending(semaphore.take(1), semaphore.release(1))
  return { most: count, withSlot, throttled: () => {} }
}
