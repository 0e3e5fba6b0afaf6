/** Keeps the keys of one client until they expire. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Credentials, Source } from "../../OssCredentials.ts"
import * as Monotonic from "../monotonic.ts"

/** The current keys of one client. */
export interface Provider<out E = never, out R = never> {
  /**
   * The current keys; `time` is the server's, as far as it is known. Whoever asks
   * while they are being refreshed waits for the one refresh that is under way.
   */
  readonly current: (time: number) => Effect.Effect<Credentials, E, R>
  /** OSS said that these keys have expired: the next `current` gets new ones, unless that has happened already. */
  readonly expired: (used: Credentials) => Effect.Effect<void>
  /** OSS said that it doesn't know these keys. True if the next `current` has others. */
  readonly unknown: (used: Credentials) => Effect.Effect<boolean>
}

/** New keys are asked for so long before the old ones expire, in milliseconds. */
const margin = 60_000

/**
 * Keys are kept for so long, in milliseconds, even if they seem to have expired,
 * or OSS doesn't know them: a clock that is far ahead, or keys that are wrong,
 * must not turn each request into a refresh.
 */
const least = 60_000

/** Keeps keys until they expire. */
export const make = Effect.fnUntraced(function* <E = never, R = never>(
  source: Source<E, R>
): Effect.fn.Return<Provider<E, R>> {
  if (!Effect.isEffect(source)) {
    return {
      current: () => Effect.succeed(source),
      expired: () => Effect.void,
      unknown: () => Effect.succeed(false)
    }
  }
  /** None while they are being refreshed: what expires then is older. */
  let held: { readonly credentials: Credentials; readonly since: number } | undefined
  const [refreshed, invalidate] = yield* Effect.cachedInvalidateWithTTL(
    Effect.tap(source, (credentials) =>
      Effect.map(Monotonic.now, (since) => {
        held = { credentials, since }
      })
    ),
    Exit.match({ onSuccess: () => Infinity, onFailure: () => 0 })
  )
  const forget = Effect.suspend(() => {
    held = undefined
    return invalidate
  })
  const isYoung = Effect.map(Monotonic.now, (now) => held !== undefined && now - held.since < least)
  return {
    current: (time) =>
      Effect.suspend(() => {
        const { expiresAt = Infinity } = held?.credentials ?? {}
        if (time < expiresAt - margin) return refreshed
        return Effect.flatMap(isYoung, (young) =>
          young ? refreshed : Effect.andThen(forget, refreshed)
        )
      }),
    expired: (used) => Effect.suspend(() => (used === held?.credentials ? forget : Effect.void)),
    unknown: (used) =>
      Effect.suspend(() => {
        if (used !== held?.credentials) return Effect.succeed(true)
        return Effect.flatMap(isYoung, (young) =>
          young ? Effect.succeed(false) : Effect.as(forget, true)
        )
      })
  }
})
