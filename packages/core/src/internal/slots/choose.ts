/**
 * Chooses the slots of one upload: the number that the request sets, or a number
 * that adapts.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Adaptive from "./adaptive.ts"
import * as Slots from "./slots.ts"

/** The number of slots if the request sets none and nothing adapts. */
const defaultConcurrency = 5

export const choose = ({
  concurrency,
  share,
  isCheap,
  isSingle,
  counter
}: {
  /** The `concurrency` of the request. */
  readonly concurrency: number | undefined
  /** The pool that this upload shares with others, if any. */
  readonly share: Slots.Share | undefined
  /** False if each part in flight takes memory. */
  readonly isCheap: boolean
  /** True if the upload is one request. */
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
