/**
 * The keys that requests are signed with: fixed ones, or temporary ones from
 * STS, which are asked for when they are needed and shared by all requests
 * until they expire.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Redacted from "effect/Redacted"

/**
 * What a request is signed with.
 *
 * @category models
 * @since 0.1.0
 */
export interface Credentials {
  readonly accessKeyId: string
  readonly accessKeySecret: Redacted.Redacted
  /** Of temporary keys. */
  readonly securityToken?: Redacted.Redacted | undefined
  /** In milliseconds since 1970. If given, new keys are asked for a minute earlier. */
  readonly expiresAt?: number | undefined
}

/**
 * Fixed keys, or how to get the current ones. The effect is run when the first
 * request needs keys, and again once they have expired; what it fails with
 * should say what happened in its `message`. If the error has `isRetryable: true`,
 * or is one of the network's, requests wait for the keys as for a network that is
 * down; any other fails them after the policy's attempts.
 *
 * @category models
 * @since 0.1.0
 */
export type Source<E = never, R = never> = Credentials | Effect.Effect<Credentials, E, R>

/**
 * The current keys of one client.
 *
 * @category models
 * @since 0.1.0
 */
export interface Provider<out E = never, out R = never> {
  /** The current keys. Whoever asks while they are being refreshed waits for the one refresh that is under way. */
  readonly current: Effect.Effect<Credentials, E, R>
  /** OSS said that these keys have expired: the next `current` gets new ones, unless that has happened already. */
  readonly expired: (used: Credentials) => Effect.Effect<void>
}

/** New keys are asked for so long before the old ones expire, in milliseconds. */
const margin = 60_000

/**
 * Keeps keys until they expire.
 *
 * @category constructors
 * @since 0.1.0
 */
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
