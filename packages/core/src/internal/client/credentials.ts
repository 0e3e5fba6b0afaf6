/** Keeps the keys of one client until they expire. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Credentials, Source } from "../../OssCredentials.ts"

/** The current keys of one client. */
export interface Provider<out E = never, out R = never> {
  /** The current keys. Whoever asks while they are being refreshed waits for the one refresh that is under way. */
  readonly current: Effect.Effect<Credentials, E, R>
  /** OSS said that these keys have expired: the next `current` gets new ones, unless that has happened already. */
  readonly expired: (used: Credentials) => Effect.Effect<void>
}

/** New keys are asked for so long before the old ones expire, in milliseconds. */
const margin = 60_000

/** Keeps keys until they expire. */
export const make = Effect.fnUntraced(function* <E = never, R = never>(
  source: Source<E, R>
): Effect.fn.Return<Provider<E, R>> {
  if (!Effect.isEffect(source)) {
    return { current: Effect.succeed(source), expired: () => Effect.void }
  }
  /** None while they are being refreshed: what expires then is older. */
  let held: Credentials | undefined
  const refresh = Effect.gen(function* () {
    held = undefined
    const credentials = yield* source
    const now = yield* Clock.currentTimeMillis
    held = credentials
    return { credentials, timeToLive: timeToLive(credentials, now) }
  })
  const [current, invalidate] = yield* Effect.cachedInvalidateWithTTL(
    refresh,
    Exit.match({ onSuccess: ({ timeToLive }) => timeToLive, onFailure: () => 0 })
  )
  return {
    current: Effect.map(current, ({ credentials }) => credentials),
    expired: (used) =>
      Effect.suspend(() => {
        if (used !== held) return Effect.void
        held = undefined
        return invalidate
      })
  }
})

/** Never nothing: a clock that is far ahead must not turn each request into a refresh. */
const timeToLive = ({ expiresAt = Infinity }: Credentials, now: number): number =>
  Math.max(expiresAt - now - margin, margin)
