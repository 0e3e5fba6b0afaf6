/** SIGINT and SIGTERM as the proper end of what runs for ever: scopes are closed, and its shards handed over. */
import * as Effect from "effect/Effect"

const signal = Effect.callback<void>((resume) => {
  const onSignal = () => resume(Effect.void)
  process.once("SIGINT", onSignal)
  process.once("SIGTERM", onSignal)
  return Effect.sync(() => {
    process.off("SIGINT", onSignal)
    process.off("SIGTERM", onSignal)
  })
})

/** Runs until a signal. */
export const untilSignal = <E, R>(self: Effect.Effect<unknown, E, R>): Effect.Effect<void, E, R> =>
  Effect.asVoid(Effect.raceFirst(self, signal))
