/**
 * The interface of signers, which make requests authentic. One contract suite
 * tests all implementations.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type { Credentials } from "../../OssCredentials.ts"
import { CredentialsExpired, NoCredentials, type Reason } from "../../OssError.ts"
import type { Provider } from "./credentials.ts"
import type { Request } from "./request.ts"

/** The reactions to OSS's rejection of the keys that signed a request. */
export interface Renewal {
  /** Run it if OSS says that the keys of this request have expired. */
  readonly expired: Effect.Effect<void>
  /** Run it if OSS doesn't know the keys of this request. True if the next request gets others. */
  readonly unknown: Effect.Effect<boolean>
}

/** The URL and the headers of a signed request. */
export interface Signed extends Renewal {
  readonly url: string
  /** All headers: names in lower case, values as text. */
  readonly headers: Readonly<Record<string, string>>
}

export interface Signer {
  /** `time` is the server's time, in milliseconds since 1970. */
  readonly sign: (request: Request, time: number) => Effect.Effect<Signed, Reason>
}

/** The keys of a signer. */
export type Keys = Provider<unknown>

export const renewalOf = (keys: Keys, used: Credentials): Renewal => ({
  expired: keys.expired(used),
  unknown: keys.unknown(used)
})

/** For URLs that are signed anew for each attempt. */
export const lasting: Renewal = { expired: Effect.void, unknown: Effect.succeed(false) }

/** The reason of a request for which no keys could be fetched. */
export const withoutKeys = (error: unknown): CredentialsExpired | NoCredentials => {
  const fault = faultOf(error)
  if (fault !== "refusal") {
    return unavailable(`there are no new keys: ${messageOf(error)}`, fault === "outage")
  }
  return new NoCredentials({
    description: oneLine(messageOf(error)),
    ...(Predicate.hasProperty(error, "remedy") && typeof error.remedy === "string"
      ? { advice: error.remedy }
      : {})
  })
}

const oneLine = (text: string): string =>
  text.replaceAll(/:\s*\n\s*(- )?/g, ": ").replaceAll(/\s*\n\s*(- )?/g, "; ")

export const unavailable = (description: string, isOutage: boolean): CredentialsExpired =>
  new CredentialsExpired({ description, ...(isOutage ? { isOutage } : {}) })

/**
 * Tells whether asking again may help. The error's own `isRetryable` decides, or
 * else the network failure or the HTTP status that caused it.
 */
export const faultOf = (error: unknown, depth = 0): "outage" | "refusal" | undefined => {
  if (!Predicate.isObject(error) || depth > 8) return undefined
  if ("isRetryable" in error && typeof error.isRetryable === "boolean") {
    return error.isRetryable ? "outage" : "refusal"
  }
  if (isOfNetwork(error)) return "outage"
  // HTTP engines wrap errors.
  return (
    ofStatus(error) ??
    ["reason", "response", "cause"]
      .map((name) => faultOf(Reflect.get(error, name), depth + 1))
      .find(Predicate.isNotUndefined)
  )
}

const isOfNetwork = (error: object): boolean =>
  Cause.isTimeoutError(error) ||
  Predicate.isTagged(error, "TransportError") ||
  ("code" in error && networkCodes.has(String(error.code))) ||
  // Browsers give no other detail.
  (error instanceof TypeError && /failed to fetch|networkerror|load failed/i.test(error.message))

/** The HTTP status of a server that signs requests or issues keys. */
const ofStatus = (error: object): "outage" | "refusal" | undefined => {
  const status: unknown = "status" in error ? error.status : Reflect.get(error, "statusCode")
  if (typeof status !== "number" || status < 400 || status > 599) return undefined
  return status >= 500 || status === 408 || status === 425 || status === 429 ? "outage" : "refusal"
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
