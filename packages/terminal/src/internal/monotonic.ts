/** A clock for durations: it never goes back, and doesn't jump when the wall clock is corrected. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** In milliseconds, from an arbitrary origin. */
export const now: Effect.Effect<number> = Effect.map(Clock.monotonicTimeNanos, (nanos) =>
  Math.floor(Number(nanos) / 1_000_000)
)
