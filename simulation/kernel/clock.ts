/** Effect's `Clock` of one lane. */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** The wall clock may jump; sleeping goes by the monotonic one. */
export const virtualClock = (given: {
  /** In milliseconds since 1970. */
  readonly wall: () => number
  /** In milliseconds. */
  readonly monotonic: () => number
  readonly after: (millis: number, task: () => void) => () => void
}): Clock.Clock => {
  const { wall, monotonic, after } = given
  const nanos = (millis: number) => BigInt(Math.round(millis * 1000)) * 1000n
  return {
    currentTimeMillisUnsafe: wall,
    currentTimeMillis: Effect.sync(wall),
    currentTimeNanosUnsafe: () => nanos(wall()),
    currentTimeNanos: Effect.sync(() => nanos(wall())),
    monotonicTimeNanosUnsafe: () => nanos(monotonic()),
    monotonicTimeNanos: Effect.sync(() => nanos(monotonic())),
    sleep: (duration) =>
      Effect.callback<void>((resume) => {
        const cancel = after(Duration.toMillis(duration), () => resume(Effect.void))
        return Effect.sync(cancel)
      })
  }
}
