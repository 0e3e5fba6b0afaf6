/**
 * Gives up a transfer that no longer moves, however long it may take in all.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** A stall is noticed at the latest this share of the timeout too late. */
const checksPerTimeout = 4

/**
 * Runs `transfer` and hands it a function to call whenever something moved.
 * If nothing did for `timeout`, the transfer is interrupted and `onStall` of
 * the timeout in milliseconds is the failure.
 */
export const guard = <A, E, R, E2>(
  timeout: Duration.Duration,
  onStall: (millis: number) => E2,
  transfer: (moved: () => void) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | E2, R> =>
  Effect.suspend(() => {
    let movements = 0
    const watch = Effect.gen(function* () {
      for (let quiet = 0, seen = 0; quiet < checksPerTimeout;) {
        yield* Effect.sleep(Duration.divideUnsafe(timeout, checksPerTimeout))
        quiet = movements === seen ? quiet + 1 : 0
        seen = movements
      }
      return yield* Effect.fail(onStall(Duration.toMillis(timeout)))
    })
    return Effect.raceFirst(
      transfer(() => movements++),
      watch
    )
  })
