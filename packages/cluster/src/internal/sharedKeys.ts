/** The keys of clients that are made for one bucket each, and ask one service. */
import type { Credentials } from "@effect-oss/core/OssCredentials"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/** What one client took makes do for the others for so long. Each keeps its own until they expire. */
const sharedFor = Duration.seconds(10)

/** Makes an effect for each client: no client gets the same keys twice, since it asks for others. */
export const make = Effect.fnUntraced(function* <E, R>(source: Effect.Effect<Credentials, E, R>) {
  let held: { readonly credentials: Credentials; readonly since: bigint } | undefined
  const [latest, invalidate] = yield* Effect.cachedInvalidateWithTTL(
    Effect.tap(source, (credentials) =>
      Effect.map(Clock.monotonicTimeNanos, (since) => {
        held = { credentials, since }
      })
    ),
    Exit.match({ onSuccess: () => Infinity, onFailure: () => 0 })
  )
  const anew = Effect.suspend(() => {
    held = undefined
    return Effect.andThen(invalidate, latest)
  })
  return (): Effect.Effect<Credentials, E, R> => {
    let last: Credentials | undefined
    return Clock.monotonicTimeNanos.pipe(
      Effect.flatMap((now) => {
        // None are held while somebody asks for them.
        if (held === undefined) return latest
        const isYoung = now - held.since < Duration.toNanosUnsafe(sharedFor)
        return isYoung && held.credentials !== last ? latest : anew
      }),
      Effect.tap((credentials) => {
        last = credentials
        return Effect.void
      })
    )
  }
})
