/**
 * Limits how many parts are sent at once, by one upload or by all uploads that
 * share the slots. A part needs a slot while it is sent.
 */
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Semaphore from "effect/Semaphore"

export interface Slots {
  /** The largest number of slots that there can be. */
  readonly most: number
  /** Waits for a slot, sends the part, and releases the slot. */
  readonly withSlot: WithSlot
  /** Call this when OSS asks for fewer requests. */
  readonly throttled: () => void
}

export interface WithSlot {
  <A, E, R>(part: (lend: Lend) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R>
}

/** Releases the slot while the part waits for something else. Afterwards the part waits for a slot again. */
export interface Lend {
  <A, E, R>(wait: Effect.Effect<A, E, R>): Effect.Effect<A, E, R>
}

/** Slots that are acquired by `take` and released by `give`. `take` can be interrupted. */
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

/** The slots one upload may take from a shared pool, at most `most` at a time. */
export interface Share {
  (most: number): Slots
}

/** Takes a slot of `outer`, then one of `inner`. After `lend` it takes them in the same order, because otherwise two parts could wait for each other. */
export const nested =
  (outer: WithSlot, inner: WithSlot): WithSlot =>
  (part) =>
    outer((lendOuter) => inner((lendInner) => part((wait) => lendInner(lendOuter(wait)))))

/** Combines two pools: a part needs a slot of each. */
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

/** One slot, for an upload of one request that shares no pool. */
export const alone: Slots = {
  most: 1,
  withSlot: (part) => part(identity),
  throttled: () => {}
}

/** A fixed number of slots. */
export const fixed = (count: number): Slots => {
  const semaphore = Semaphore.makeUnsafe(count)
  const withSlot = lending(semaphore.take(1), semaphore.release(1))
  return { most: count, withSlot, throttled: () => {} }
}
