/**
 * The keys that sign requests: fixed keys, or temporary keys from STS. The client
 * fetches temporary keys when it needs them, and all requests share them until
 * they expire.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"

/**
 * The keys that sign a request.
 *
 * @category models
 * @since 0.1.0
 */
export interface Credentials {
  /** The id of the access key, such as `LTAI…` or `STS.…`. */
  readonly accessKeyId: string
  /** The secret of the access key. */
  readonly accessKeySecret: Redacted.Redacted
  /** The security token, which temporary keys need. */
  readonly securityToken?: Redacted.Redacted | undefined
  /** When the keys expire, in milliseconds since 1970. The client fetches new keys a minute earlier. Default: the keys don't expire. */
  readonly expiresAt?: number | undefined
}

/**
 * Fixed keys, or an effect that fetches the current keys. The client runs the
 * effect when the first request needs keys, and again when they expire.
 *
 * **Details**
 *
 * If the effect fails, its error should say what happened in `message`. The error
 * decides what requests do:
 *
 * - `isRetryable: true`, or an error of the network: they wait for the keys, as
 *   they wait for a network that is down.
 * - `isRetryable: false`, or an HTTP status such as 403: they fail at once, with
 *   the error's `message` and `remedy`.
 * - Any other error: they fail after the attempts of the retry policy.
 *
 * @category models
 * @since 0.1.0
 */
export type Source<E = never, R = never> = Credentials | Effect.Effect<Credentials, E, R>
