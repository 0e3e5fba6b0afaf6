/**
 * Checks the signer of a request, and that the request is unchanged since:
 * OSS's signatures version 1 and 4, in the `Authorization` header or in the
 * query of a presigned URL. Pure, and written from the protocol alone, so that
 * it does not share the mistakes of the clients that it checks.
 */
import * as Result from "effect/Result"
import type { Credential } from "../../OssEmulator.ts"
import type { Refusal } from "../../EmulatorError.ts"
import { refuse } from "../wire/errors.ts"
import { type Claim, type Claimed, parameter } from "./claim.ts"
import { headerV1, presignedV1 } from "./claimV1.ts"
import { headerV4, presignedV4 } from "./claimV4.ts"
import type { Signed, SignedRequest } from "./signing.ts"
import { algorithm } from "./v4.ts"

/**
 * Succeeds if one of the credentials signed the request, and if the request is
 * neither too early nor too late. `now` is the server's time in milliseconds
 * since 1970. `region` is the region that a scope of version 4 must name;
 * undefined: any.
 */
export const verify = (
  request: SignedRequest,
  credentials: ReadonlyArray<Credential>,
  now: number,
  region?: string
): Result.Result<Credential, Refusal> =>
  Result.gen(function* () {
    const claim = yield* claimOf(request, region)
    const credential = credentials.find(({ accessKeyId }) => accessKeyId === claim.accessKeyId)
    if (credential === undefined) {
      return yield* Result.fail(
        refuse("InvalidAccessKeyId", undefined, { OSSAccessKeyId: claim.accessKeyId })
      )
    }
    yield* checkToken(credential, claim.token, now)
    yield* claim.checkTime(now)
    const signed = claim.sign(credential.accessKeySecret)
    return signed.some(({ signature }) => signature === claim.signature)
      ? credential
      : yield* Result.fail(mismatch(claim, signed))
  })

const claimOf = (request: SignedRequest, region: string | undefined): Claimed => {
  const authorization = request.headers["authorization"] ?? ""
  if (authorization.startsWith(`${algorithm} `)) return headerV4(request, authorization, region)
  if (authorization.startsWith("OSS ")) return headerV1(request, authorization)
  if (parameter(request, "x-oss-signature-version") === algorithm) {
    return presignedV4(request, region)
  }
  if (parameter(request, "Signature") !== undefined) return presignedV1(request)
  return Result.fail(
    refuse("AccessDenied", "You have no right to access this object because of bucket acl.", {
      EC: "0003-00000001"
    })
  )
}

/** False: the request has no signature. */
export const isSigned = (request: SignedRequest): boolean =>
  request.headers["authorization"] !== undefined ||
  parameter(request, "x-oss-signature-version") !== undefined ||
  parameter(request, "Signature") !== undefined

const mismatch = (claim: Claim, signed: ReadonlyArray<Signed>): Refusal =>
  refuse("SignatureDoesNotMatch", undefined, {
    OSSAccessKeyId: claim.accessKeyId,
    SignatureProvided: claim.signature,
    StringToSign: signed[0]?.stringToSign ?? "",
    ...(signed[0]?.canonicalRequest && { CanonicalRequest: signed[0].canonicalRequest })
  })

export const checkToken = (
  credential: Credential,
  token: string | undefined,
  now: number
): Result.Result<void, Refusal> => {
  if (token !== credential.securityToken) return Result.fail(refuse("InvalidSecurityToken"))
  return credential.expiresAt !== undefined && now >= credential.expiresAt
    ? Result.fail(refuse("SecurityTokenExpired"))
    : Result.succeed(undefined)
}
