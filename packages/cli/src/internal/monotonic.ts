/** A monotonic clock: it never goes back and never jumps. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** The current time in milliseconds, from an arbitrary origin. */
export const now: Effect.Effect<number> = Effect.map(Clock.monotonicTimeNanos, (nanos) =>
  Math.floor(Number(nanos) / 1_000_000)
)
