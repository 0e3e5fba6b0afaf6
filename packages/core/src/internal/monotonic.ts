/**
 * The clock for waits, rates and ages: it never goes back and never jumps. The
 * wall clock does both when it is corrected; it is for signatures and for
 * times that people read.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** In milliseconds, from an arbitrary origin. */
export const now: Effect.Effect<number> = Effect.map(
  Clock.monotonicTimeNanos,
  (nanos) => Number(nanos) / 1_000_000
)
