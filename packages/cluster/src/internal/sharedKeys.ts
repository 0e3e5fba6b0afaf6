/** Shares one credentials source among the clients of several buckets. */
import type { Credentials } from "@effect-oss/core/OssCredentials"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/** How long other clients may take the keys that one client received. Each client keeps its keys until they expire. */
const sharedFor = Duration.seconds(10)

/** Makes an effect for each client. It never returns the same keys to one client twice, because a client that asks again needs new keys. */
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
        // Nothing is held while a request is in flight.
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
