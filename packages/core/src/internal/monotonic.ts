/**
 * The clock for waits, rates and ages. It never goes back and never jumps. The
 * wall clock does both when it is corrected: use it for signatures and for times
 * that people read.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** The current time in milliseconds, from an arbitrary origin. */
export const now: Effect.Effect<number> = Effect.map(
  Clock.monotonicTimeNanos,
  (nanos) => Number(nanos) / 1_000_000
)
