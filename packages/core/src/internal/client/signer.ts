/**
 * What makes a request authentic: one interface, and one contract suite for all
 * that implement it.
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

/** What OSS may say of the keys that signed a request. */
export interface Renewal {
  /** To be run when OSS says that what signed this request has expired. */
  readonly expired: Effect.Effect<void>
  /** To be run when OSS says that it doesn't know what signed this request. True if others are to be had. */
  readonly unknown: Effect.Effect<boolean>
}

/** Where a request goes, and with which headers. */
export interface Signed extends Renewal {
  readonly url: string
  /** All of them; names in lower case, values as text. */
  readonly headers: Readonly<Record<string, string>>
}

export interface Signer {
  /** `time` is the server's, in milliseconds since 1970. */
  readonly sign: (request: Request, time: number) => Effect.Effect<Signed, Reason>
}

/** The keys of a signer. */
export type Keys = Provider<unknown>

export const renewalOf = (keys: Keys, used: Credentials): Renewal => ({
  expired: keys.expired(used),
  unknown: keys.unknown(used)
})

/** Of what is signed anew for each attempt. */
export const lasting: Renewal = { expired: Effect.void, unknown: Effect.succeed(false) }

/** A signer has no keys because asking for them failed. */
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
 * Whether asking again may help: what the error says of itself, or the HTTP
 * status or the failure of the network that it comes of.
 */
export const faultOf = (error: unknown, depth = 0): "outage" | "refusal" | undefined => {
  if (!Predicate.isObject(error) || depth > 8) return undefined
  if ("isRetryable" in error && typeof error.isRetryable === "boolean") {
    return error.isRetryable ? "outage" : "refusal"
  }
  if (isOfNetwork(error)) return "outage"
  // Engines wrap what happened.
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
  // Browsers say no more than this.
  (error instanceof TypeError && /failed to fetch|networkerror|load failed/i.test(error.message))

/** A signer's server, or one that has keys, speaks HTTP. */
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
