/**
 * Gives up a transfer that no longer moves, however long it may take in all.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Line } from "./line.ts"

/** A stall is noticed at the latest this share of the timeout too late. */
const checksPerTimeout = 4

/**
 * Runs `transfer` on the line and hands it a function to call with the number
 * of bytes that have been read so far. If nothing is read and no response comes
 * for `timeout`, and for the time that the bytes under way need at the rate
 * seen so far, the transfer is interrupted and `onStall` of that time, in
 * milliseconds, is the failure.
 */
export const guard = <A, E, R, E2>(
  line: Line,
  timeout: Duration.Duration,
  onStall: (millis: number) => E2,
  transfer: (reached: (bytes: number) => void) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | E2, R> =>
  line.carry(({ reached, movements, patience, stalled }) => {
    const tick = Duration.toMillis(timeout) / checksPerTimeout
    const watch = Effect.gen(function* () {
      let seen = 0
      let quiet = 0
      let most = 0
      do {
        yield* Effect.sleep(tick)
        if (movements() !== seen) quiet = most = 0
        else quiet += tick
        seen = movements()
        // Transfers that begin meanwhile take their share of the line.
        most = Math.max(most, line.underWay())
      } while (quiet < Duration.toMillis(timeout) + patience(most))
      yield* stalled
      return yield* Effect.fail(onStall(Math.round(quiet)))
    })
    return Effect.raceFirst(transfer(reached), watch)
  })
