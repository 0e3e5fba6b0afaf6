/** Requests signed by version 4. */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Refusal } from "../../EmulatorError.ts"
import { invalid } from "../wire/errors.ts"
import {
  checkExpiry,
  checkSkew,
  type Claim,
  type Claimed,
  malformed,
  millisOf,
  parameter,
  timeOf
} from "./claim.ts"
import type { SignedRequest } from "./signing.ts"
import { algorithm, signV4 } from "./v4.ts"

/** OSS: a presigned URL is valid for at most seven days. In milliseconds. */
const maxLifetime = 7 * 24 * 60 * 60 * 1000

export const headerV4 = (
  request: SignedRequest,
  authorization: string,
  region: string | undefined
): Claimed => {
  const fields = new Map(
    authorization
      .slice(algorithm.length)
      .split(",")
      .map((field): [string, string] => {
        const [name = "", ...value] = field.trim().split("=")
        return [name, value.join("=")]
      })
  )
  const date = request.headers["x-oss-date"] ?? request.headers["date"]
  const payload = request.headers["x-oss-content-sha256"]
  if (payload !== undefined && payload !== "UNSIGNED-PAYLOAD") {
    return Result.fail(
      invalid(
        "x-oss-content-sha256",
        payload,
        "x-oss-content-sha256 must be UNSIGNED-PAYLOAD.",
        "0002-00000214"
      )
    )
  }
  return claimOf(request, {
    where: "Authorization",
    region,
    credential: fields.get("Credential"),
    additional: fields.get("AdditionalHeaders"),
    signature: fields.get("Signature"),
    token: request.headers["x-oss-security-token"],
    date,
    checkTime: checkSkew(date)
  })
}

export const presignedV4 = (request: SignedRequest, region: string | undefined): Claimed => {
  const date = parameter(request, "x-oss-date")
  const expires = parameter(request, "x-oss-expires")
  const lifetime = millisOf(expires)
  if (!Option.exists(lifetime, (millis) => millis >= 1 && millis <= maxLifetime)) {
    return Result.fail(
      invalid(
        "x-oss-expires",
        expires ?? "",
        "x-oss-expires must be from 1 to 604800 seconds.",
        expires === undefined ? "0002-00000215" : "0002-00000232"
      )
    )
  }
  const expiry = Option.zipWith(timeOf(date), lifetime, (start, length) => start + length)
  return claimOf(request, {
    where: "x-oss-credential",
    region,
    credential: parameter(request, "x-oss-credential"),
    additional: parameter(request, "x-oss-additional-headers"),
    signature: parameter(request, "x-oss-signature"),
    token: parameter(request, "x-oss-security-token"),
    date,
    checkTime: checkExpiry(expiry)
  })
}

interface Given {
  readonly where: "Authorization" | "x-oss-credential"
  /** The region of the request; undefined: any region. */
  readonly region: string | undefined
  readonly credential: string | undefined
  readonly additional: string | undefined
  readonly signature: string | undefined
  readonly token: string | undefined
  readonly date: string | undefined
  readonly checkTime: Claim["checkTime"]
}

const claimOf = (request: SignedRequest, given: Given): Claimed => {
  const { date, signature, token, checkTime, credential = "" } = given
  const [accessKeyId, ...scope] = credential.split("/")
  if (!accessKeyId || scope.length !== 4 || signature === undefined || date === undefined) {
    return malformed(
      given.where,
      credential,
      given.where === "Authorization" ? "0002-00000202" : undefined
    )
  }
  const day = Option.match(timeOf(date), {
    onNone: () => "",
    onSome: (millis) => new Date(millis).toISOString().slice(0, 10).replaceAll("-", "")
  })
  const additional = (given.additional ?? "").toLowerCase().split(";").filter(Boolean)
  const missing = additional.find((name) => request.headers[name] === undefined)
  if (missing !== undefined) {
    return Result.fail(
      invalid("x-oss-additional-headers", missing, `The additional header ${missing} is missing.`)
    )
  }
  return Result.map(checkScope(scope, given), () => ({
    accessKeyId,
    signature,
    token,
    checkTime,
    // The signature covers the date as it was sent: `Date` stays in HTTP's format.
    sign: (secret) =>
      scope[0] === day ? [signV4(request, { scope, additional, date, secret })] : []
  }))
}

/** The day, the region, the product and the request type of a credential. */
export const checkScope = (
  [day = "", region = "", product = "", type = ""]: ReadonlyArray<string>,
  given: Pick<Given, "where" | "region" | "credential">
): Result.Result<void, Refusal> => {
  const inHeader = given.where === "Authorization"
  const wrong = (what: string, ec?: string) =>
    Result.fail(
      invalid(
        given.where,
        given.credential ?? "",
        inHeader
          ? `Invalid signing ${what} in Authorization header.`
          : `The signing ${what} in credential is invalid.`,
        ec
      )
    )
  if (!/^\d{8}$/.test(day)) return wrong("date", inHeader ? "0002-00000212" : undefined)
  const fits = given.region === undefined ? isRegion(region) : region === given.region
  if (!fits) return wrong("region", inHeader ? "0002-00000228" : "0002-00000226")
  if (product !== "oss") return wrong("product")
  if (type !== "aliyun_v4_request") {
    return wrong("request type", inHeader ? "0002-00000213" : undefined)
  }
  return Result.succeed(undefined)
}

/** OSS: `cn-hangzhou`, never `oss-cn-hangzhou`. */
const isRegion = (text: string) => /^[a-z]{2,}(-[a-z0-9]+)+$/.test(text) && !text.startsWith("oss-")
