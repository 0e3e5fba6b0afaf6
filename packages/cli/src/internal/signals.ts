/** SIGINT and SIGTERM as values, so that a command ends as any failed effect does: scopes closed, nothing in flight. */
import * as Effect from "effect/Effect"
import { Interrupted } from "../CliFailure.ts"

/** Once there was one, further signals are ignored: pnpm and a terminal may send the same one twice. */
const next: Effect.Effect<Interrupted["signal"]> = Effect.callback((resume) => {
  const onSignal = (signal: NodeJS.Signals) =>
    resume(Effect.succeed(signal === "SIGTERM" ? signal : "SIGINT"))
  process.on("SIGINT", onSignal)
  process.on("SIGTERM", onSignal)
  return Effect.sync(() => {
    process.off("SIGINT", onSignal)
    process.off("SIGTERM", onSignal)
  })
})

/** Runs until it is done, or until a signal, which is a failure. */
export const orInterrupted = <A, E, R>(
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E | Interrupted, R> =>
  Effect.raceFirst(
    self,
    Effect.flatMap(next, (signal) => Effect.fail(new Interrupted({ signal })))
  )

/** Runs until a signal, which is its proper end. */
export const untilSignal = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<void, E, R> =>
  Effect.asVoid(Effect.raceFirst(self, next))
