/**
 * The keys that requests are signed with: fixed ones, or temporary ones from
 * STS, which are asked for when they are needed and shared by all requests
 * until they expire.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
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
 * down. With `isRetryable: false`, or an HTTP status such as 403, they fail at once,
 * with its `message` and its `remedy`. Any other error fails them after the
 * policy's attempts.
 *
 * @category models
 * @since 0.1.0
 */
export type Source<E = never, R = never> = Credentials | Effect.Effect<Credentials, E, R>
