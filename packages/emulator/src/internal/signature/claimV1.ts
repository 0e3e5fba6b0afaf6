/** Requests signed by version 1. */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { checkExpiry, checkSkew, type Claimed, malformed, millisOf, parameter } from "./claim.ts"
import type { SignedRequest } from "./signing.ts"
import { signV1 } from "./v1.ts"

export const headerV1 = (request: SignedRequest, authorization: string): Claimed => {
  const [, accessKeyId, signature] = /^OSS ([^:]+):(\S+)$/.exec(authorization) ?? []
  if (accessKeyId === undefined || signature === undefined) {
    return malformed("Authorization", authorization)
  }
  const { date, "x-oss-date": ossDate } = request.headers
  // If a client sends both dates, either may be the signed one.
  const slots = ossDate === undefined ? [date ?? ""] : [ossDate, date ?? "", ""]
  return Result.succeed({
    accessKeyId,
    signature,
    token: request.headers["x-oss-security-token"],
    checkTime: checkSkew(ossDate ?? date),
    sign: (secret) => slots.map((slot) => signV1(request, slot, secret))
  })
}

export const presignedV1 = (request: SignedRequest): Claimed => {
  const accessKeyId = parameter(request, "OSSAccessKeyId")
  const signature = parameter(request, "Signature")
  const expires = parameter(request, "Expires")
  if (accessKeyId === undefined || signature === undefined || expires === undefined) {
    return malformed("Expires", expires ?? "")
  }
  if (Option.isNone(millisOf(expires))) return malformed("Expires", expires, "0002-00000070")
  return Result.succeed({
    accessKeyId,
    signature,
    token: parameter(request, "security-token"),
    checkTime: checkExpiry(millisOf(expires)),
    sign: (secret) => [signV1(request, expires, secret)]
  })
}
