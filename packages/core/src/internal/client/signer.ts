/**
 * What makes a request authentic: one interface, and one contract suite for all
 * that implement it.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import { CredentialsExpired, type Reason } from "../../OssError.ts"
import type { Provider } from "./credentials.ts"
import type { Request } from "./request.ts"

/** Where a request goes, and with which headers. */
export interface Signed {
  readonly url: string
  /** All of them; names in lower case, values as text. */
  readonly headers: Readonly<Record<string, string>>
  /** To be run when OSS says that what signed this request has expired. */
  readonly expired: Effect.Effect<void>
}

export interface Signer {
  /** `time` is the server's, in milliseconds since 1970. */
  readonly sign: (request: Request, time: number) => Effect.Effect<Signed, Reason>
}

/** The keys of a signer. */
export type Keys = Provider<unknown>

/** A signer has no keys because asking for them failed. */
export const withoutKeys = (error: unknown): CredentialsExpired =>
  new CredentialsExpired({
    description: `there are no new keys: ${messageOf(error)}`,
    ...(mayGoAway(error) ? { isOutage: true } : {})
  })

/** What the error says of itself, or that it comes of the network. */
const mayGoAway = (error: unknown, depth = 0): boolean => {
  if (!Predicate.isObject(error) || depth > 8) return false
  if ("isRetryable" in error) return error.isRetryable === true
  if (Cause.isTimeoutError(error) || ("code" in error && networkCodes.has(String(error.code)))) {
    return true
  }
  // Engines wrap what happened.
  return ["reason", "cause"].some((name) => mayGoAway(Reflect.get(error, name), depth + 1))
}

const networkCodes: ReadonlySet<string> = new Set([
  "EAI_AGAIN",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_SOCKET"
])

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)
