/** Executions of the same upload, one after the other: attempts 0, 1, 2, … without a gap. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Executions } from "../Executions.ts"

/**
 * The number of the last attempt, found with a logarithmic number of queries.
 * If the first attempts were cleaned up, there seem to be none, and the numbers
 * start again.
 */
export const last = Effect.fnUntraced(function* (
  idOf: (attempt: number) => Effect.Effect<string>
): Effect.fn.Return<Option.Option<number>, never, Executions> {
  const { find } = yield* Executions
  const isKnown = (attempt: number) =>
    Effect.map(Effect.flatMap(idOf(attempt), find), Option.isSome)
  if (!(yield* isKnown(0))) return Option.none()
  let known = 0
  let unknown = 1
  while (yield* isKnown(unknown)) {
    known = unknown
    unknown *= 2
  }
  while (unknown - known > 1) {
    const middle = Math.floor((known + unknown) / 2)
    if (yield* isKnown(middle)) known = middle
    else unknown = middle
  }
  return Option.some(known)
})
