/** Keeps the keys of one client until they expire. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Credentials, Source } from "../../OssCredentials.ts"
import * as Monotonic from "../monotonic.ts"

/** The current keys of one client. */
export interface Provider<out E = never, out R = never> {
  /**
   * The current keys. `time` is the server's time, as far as it is known. Calls
   * during a refresh wait for that refresh.
   */
  readonly current: (time: number) => Effect.Effect<Credentials, E, R>
  /**
   * Call it when OSS says that these keys have expired. If they are still in use,
   * the next `current` fetches new ones.
   */
  readonly expired: (used: Credentials) => Effect.Effect<void>
  /** Call it when OSS doesn't know these keys. True if the next `current` gets others. */
  readonly unknown: (used: Credentials) => Effect.Effect<boolean>
}

/** Keys are refreshed this long before they expire, in milliseconds. */
const margin = 60_000

/**
 * Keys are kept at least this long, in milliseconds, even if they seem to have
 * expired or OSS doesn't know them. Otherwise a clock far ahead, or wrong keys,
 * would make each request refresh them.
 */
const least = 60_000

/** After a failed refresh, valid old keys are used this long before a retry, in milliseconds. */
const pause = 10_000

/** The keys in use. `isSpare`: a refresh failed, and the old keys are still in use. */
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
  /** Undefined during a refresh: keys that OSS rejects then are older ones. */
  let held: Held | undefined
  /** Keys that a refresh replaces before they expire, at `until`, monotonic. */
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
  /** Drops the keys, the spare ones too. */
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
  /** A refresh failed a moment ago, and the spare keys are still valid. */
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
