/**
 * CORS: the first rule of the bucket that fits a request decides the headers of
 * its answer.
 */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { CorsRule, State } from "./state/model.ts"
import type { Refusal } from "../EmulatorError.ts"
import { refuse } from "./wire/errors.ts"
import type { Headers } from "./wire/requestRules.ts"

const bucketIn = (state: State, bucket: string | undefined) =>
  Option.flatMap(Option.fromUndefinedOr(bucket), (name) => HashMap.get(state, name))

/** The rules of a bucket, or those of buckets that have none of their own. */
export const rulesOf = (
  state: State,
  bucket: string | undefined,
  otherwise: ReadonlyArray<CorsRule>
): ReadonlyArray<CorsRule> =>
  Option.match(bucketIn(state, bucket), {
    onNone: () => otherwise,
    onSome: ({ cors }) => (cors.length > 0 ? cors : otherwise)
  })

/** The headers of an answer to a request that names its origin; none if no rule fits. */
export const corsHeaders = (
  rules: ReadonlyArray<CorsRule>,
  method: string,
  headers: Headers
): Readonly<Record<string, string>> => {
  const { origin } = headers
  const rule = origin === undefined ? undefined : rules.find(fits(origin, method, []))
  return rule === undefined || origin === undefined ? {} : granted(rule, origin)
}

/** The `Vary` header of each answer of a bucket, if its rules ask for one. */
export const varyOf = (
  state: State,
  bucket: string | undefined
): Readonly<Record<string, string>> =>
  Option.exists(bucketIn(state, bucket), ({ responseVary }) => responseVary)
    ? { vary: "Origin" }
    : {}

/** The answer to a preflight. */
export const preflight = (
  rules: ReadonlyArray<CorsRule>,
  headers: Headers
): Result.Result<Readonly<Record<string, string>>, Refusal> => {
  const { origin } = headers
  const method = headers["access-control-request-method"]
  if (rules.length === 0) return Result.fail(refuse("AccessForbidden"))
  if (origin === undefined || method === undefined) return Result.fail(refuse("BadRequest"))
  const asked = (headers["access-control-request-headers"] ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "")
  const rule = rules.find(fits(origin, method, asked))
  if (rule === undefined) return Result.fail(refuse("AccessForbidden", notAllowed))
  return Result.succeed({
    ...granted(rule, origin),
    ...(asked.length > 0 && { "access-control-allow-headers": asked.join(", ") })
  })
}

const notAllowed =
  "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec."

const fits =
  (origin: string, method: string, asked: ReadonlyArray<string>) =>
  (rule: CorsRule): boolean =>
    rule.allowedOrigins.some(matches(origin)) &&
    rule.allowedMethods.includes(method) &&
    asked.every((name) =>
      rule.allowedHeaders.some((pattern) => matches(name)(pattern.toLowerCase()))
    )

/** A pattern has at most one `*`. */
const matches =
  (text: string) =>
  (pattern: string): boolean => {
    const [before = "", after] = pattern.split("*")
    return after === undefined
      ? text === pattern
      : text.length >= before.length + after.length &&
          text.startsWith(before) &&
          text.endsWith(after)
  }

const granted = (rule: CorsRule, origin: string): Readonly<Record<string, string>> => ({
  "access-control-allow-origin": rule.allowedOrigins.includes("*") ? "*" : origin,
  "access-control-allow-methods": rule.allowedMethods.join(", "),
  ...(rule.exposeHeaders.length > 0 && {
    "access-control-expose-headers": rule.exposeHeaders.join(", ")
  }),
  ...(rule.maxAgeSeconds !== undefined && {
    "access-control-max-age": String(rule.maxAgeSeconds)
  }),
  vary: "Origin"
})
