/**
 * Turns SIGINT, SIGTERM and SIGHUP into values, so that a command ends like any
 * failed effect: it closes its scopes and leaves nothing in flight. A second
 * signal ends the process at once.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { Interrupted } from "./CliFailure.ts"
import { explain } from "./Explain.ts"
import { Output } from "./Output.ts"
import * as Draining from "./draining.ts"
import { onOrphaned } from "./orphaned.ts"

type Signal = Interrupted["signal"]

/** pnpm and the terminal both pass Ctrl-C on. A signal that follows so soon is the same one. */
const echo = Duration.millis(300)

const offer = (signals: Queue.Queue<Signal>) => (signal: NodeJS.Signals) => {
  Queue.offerUnsafe(signals, signal === "SIGTERM" || signal === "SIGHUP" ? signal : "SIGINT")
}

const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const

/** All signals until the scope closes. */
const listen = Effect.gen(function* () {
  const signals = yield* Queue.unbounded<Signal>()
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      const onSignal = offer(signals)
      for (const name of names) process.on(name, onSignal)
      return { onSignal, stopWatching: onOrphaned(() => onSignal("SIGTERM")) }
    }),
    ({ onSignal, stopWatching }) =>
      Effect.sync(() => {
        stopWatching()
        for (const name of names) process.off(name, onSignal)
      })
  )
  return signals
})

/** Ends the process at once on the next signal. Acknowledged parts are on the disk already. */
const endAtNext = Effect.fnUntraced(function* (signals: Queue.Queue<Signal>) {
  const { error, screen } = yield* Output
  yield* Effect.sleep(echo)
  yield* Queue.clear(signals)
  const { what, todo, exitCode } = explain(new Interrupted({ signal: yield* Queue.take(signals) }))
  yield* screen.pin([])
  yield* error(`error: ${what} again, stopped at once\n  → ${todo}\n`)
  return yield* Effect.sync(() => process.exit(exitCode))
})

/** Runs an effect until it ends or a signal comes. */
const until = <A, B, E, E2, R>(
  self: Effect.Effect<A, E, R>,
  onSignal: (signal: Signal) => Effect.Effect<B, E2>
) =>
  Effect.scoped(
    Effect.flatMap(listen, (signals) =>
      Effect.raceFirst(
        self,
        Queue.take(signals).pipe(
          Effect.tap(() => Effect.forkScoped(endAtNext(signals))),
          Effect.flatMap(onSignal)
        )
      )
    )
  )

/** Runs an effect until it ends. A signal is a failure, and parts in flight may arrive first. */
export const orInterrupted = <A, E, R>(
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E | Interrupted, R | Output> =>
  Effect.suspend(() => {
    const draining = new Draining.Draining()
    return until(Effect.provideService(self, Draining.Current, draining), (signal) =>
      Effect.andThen(draining.begin, Effect.fail(new Interrupted({ signal })))
    )
  })

/** Runs an effect until a signal comes, which is its normal end. */
export const untilSignal = <A, E, R>(
  self: Effect.Effect<A, E, R>
): Effect.Effect<void, E, R | Output> => Effect.asVoid(until(self, Effect.succeed))
