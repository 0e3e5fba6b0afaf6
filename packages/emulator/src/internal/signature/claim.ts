/** The signature of a request, whatever its version and place. */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Refusal } from "../../EmulatorError.ts"
import { invalid, refuse } from "../wire/errors.ts"
import type { Signed, SignedRequest } from "./signing.ts"

export interface Claim {
  readonly accessKeyId: string
  readonly signature: string
  readonly token: string | undefined
  readonly checkTime: (now: number) => Result.Result<void, Refusal>
  /** The expected signatures. Version 1 allows more than one reading. */
  readonly sign: (secret: string) => ReadonlyArray<Signed>
}

export type Claimed = Result.Result<Claim, Refusal>

export const parameter = (request: SignedRequest, name: string): string | undefined =>
  request.query.find((entry) => entry[0] === name)?.[1]

/** OSS accepts a signed request for 15 minutes before and after its date. In milliseconds. */
export const maxSkew: number = 15 * 60 * 1000

export const checkSkew =
  (date: string | undefined) =>
  (now: number): Result.Result<void, Refusal> => {
    const millis = timeOf(date)
    if (Option.isNone(millis)) {
      return Result.fail(refuse("AccessDenied", "OSS authentication requires a valid Date."))
    }
    return Math.abs(millis.value - now) <= maxSkew
      ? Result.succeed(undefined)
      : Result.fail(
          refuse("RequestTimeTooSkewed", undefined, {
            RequestTime: new Date(millis.value).toISOString(),
            ServerTime: new Date(now).toISOString(),
            MaxAllowedSkewMilliseconds: String(maxSkew)
          })
        )
  }

/** Parses `20260131T235959Z`, or a date in HTTP's format, to milliseconds. */
export const timeOf = (date = ""): Option.Option<number> => {
  const iso = date.replace(/^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/, "$1-$2-$3T$4:$5:$6Z")
  return Option.filter(Option.some(Date.parse(iso)), Number.isFinite)
}

export const checkExpiry =
  (expiry: Option.Option<number>) =>
  (now: number): Result.Result<void, Refusal> =>
    Option.exists(expiry, (millis) => now <= millis)
      ? Result.succeed(undefined)
      : Result.fail(
          refuse("AccessDenied", "Request has expired.", {
            ...Option.match(expiry, {
              onNone: () => ({}),
              onSome: (millis) => ({ Expires: new Date(millis).toISOString() })
            }),
            ServerTime: new Date(now).toISOString(),
            EC: "0002-00000069"
          })
        )

/** The parameter as a number of seconds, times 1,000. */
export const millisOf = (seconds: string | undefined): Option.Option<number> =>
  /^\d{1,12}$/.test(seconds ?? "") ? Option.some(Number(seconds) * 1000) : Option.none()

export const malformed = (what: string, value: string, ec?: string): Claimed =>
  Result.fail(invalid(what, value, `The ${what} is malformed.`, ec))
