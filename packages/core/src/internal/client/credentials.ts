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

/** Asking for new keys failed: the old ones, while they are good, are used for so long before it is tried again, in milliseconds. */
const pause = 10_000

/** What was got last, or is still used for want of others. */
interface Held {
  readonly credentials: Credentials
  /** Monotonic. */
  readonly since: number
  readonly isSpare: boolean
}

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
  let held: Held | undefined
  /** What a refresh ahead of the expiry is to replace, and until when that is good, monotonic. */
  let spare: { readonly credentials: Credentials; readonly until: number } | undefined
  const hold = (credentials: Credentials, isSpare: boolean) =>
    Effect.map(Monotonic.now, (since) => {
      held = { credentials, since, isSpare }
      return credentials
    })
  const [refreshed, invalidate] = yield* Effect.cachedInvalidateWithTTL(
    Effect.matchEffect(source, {
      onSuccess: (credentials) => hold(credentials, false),
      onFailure: (error) =>
        Effect.flatMap(Monotonic.now, (now) =>
          spare !== undefined && now < spare.until
            ? hold(spare.credentials, true)
            : Effect.fail(error)
        )
    }),
    Exit.match({ onSuccess: () => Infinity, onFailure: () => 0 })
  )
  /** For good: OSS doesn't take them any more. */
  const forget = Effect.suspend(() => {
    held = undefined
    spare = undefined
    return invalidate
  })
  const renew = (time: number, now: number) =>
    Effect.suspend(() => {
      const { credentials } = held ?? {}
      const left = (credentials?.expiresAt ?? time) - time
      return Effect.flatMap(forget, () => {
        if (credentials !== undefined && left > 0) spare = { credentials, until: now + left }
        return refreshed
      })
    })
  const isYoung = (now: number) => held !== undefined && !held.isSpare && now - held.since < least
  /** Nothing helps sooner. */
  const isPaused = (time: number, now: number) =>
    held !== undefined &&
    held.isSpare &&
    now - held.since < pause &&
    time < (held.credentials.expiresAt ?? Infinity)
  return {
    current: (time) =>
      Effect.suspend(() => {
        const { expiresAt = Infinity } = held?.credentials ?? {}
        if (time < expiresAt - margin) return refreshed
        return Effect.flatMap(Monotonic.now, (now) =>
          isYoung(now) || isPaused(time, now) ? refreshed : renew(time, now)
        )
      }),
    expired: (used) => Effect.suspend(() => (used === held?.credentials ? forget : Effect.void)),
    unknown: (used) =>
      Effect.suspend(() => {
        if (used !== held?.credentials) return Effect.succeed(true)
        return Effect.flatMap(Monotonic.now, (now) =>
          isYoung(now) ? Effect.succeed(false) : Effect.as(forget, true)
        )
      })
  }
})
