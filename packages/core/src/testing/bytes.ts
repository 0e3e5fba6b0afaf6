/** Content and bodies for the contract tests. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Body from "../Body.ts"

/** Pseudo-random bytes. The same size and seed give the same bytes. */
export const contentOf = (size: number, seed = 1): Uint8Array => {
  let state = seed
  return Uint8Array.from({ length: size }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return state >>> 24
  })
}

/**
 * A body of `size` bytes. Its first read succeeds, and any read at a later
 * offset never ends. `waits` completes when such a read starts.
 */
export const hanging = Effect.fnUntraced(function* (size: number) {
  const waits = yield* Deferred.make<void>()
  let reads = 0
  const body: Body.Body = {
    size,
    read: (_, offset) =>
      Effect.suspend(() => {
        reads++
        return offset === 0
          ? Effect.void
          : Effect.andThen(Deferred.succeed(waits, void 0), Effect.never)
      })
  }
  return { body, waits: Deferred.await(waits), reads: () => reads }
})
