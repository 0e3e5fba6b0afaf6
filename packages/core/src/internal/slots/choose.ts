/**
 * Chooses the slots of one upload: as many as were asked for, or a number that
 * adapts.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Adaptive from "./adaptive.ts"
import * as Slots from "./slots.ts"

/** How many parts go up at once where nobody says and nothing adapts. */
const defaultConcurrency = 5

export const choose = ({
  concurrency,
  share,
  isCheap,
  isSingle,
  counter
}: {
  /** As asked for. */
  readonly concurrency: number | undefined
  /** The slots that many uploads share, if they do. */
  readonly share: Slots.Share | undefined
  /** False: each part on its way takes memory, so that there are few. */
  readonly isCheap: boolean
  /** True: there is one request, so that nothing needs to adapt. */
  readonly isSingle: boolean
  readonly counter: Adaptive.Counter
}): Effect.Effect<Slots.Slots, never, Scope.Scope> => {
  if (isSingle && share === undefined) return Effect.succeed(Slots.alone)
  if (concurrency !== undefined || !isCheap) {
    return Effect.succeed((share ?? Slots.fixed)(concurrency ?? defaultConcurrency))
  }
  return share === undefined
    ? Adaptive.make(counter)
    : Effect.succeed(share(Number.POSITIVE_INFINITY))
}
