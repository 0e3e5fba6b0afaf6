/**
 * Checks who signed a request, and that nobody changed it since: OSS's
 * signatures version 1 and 4, in the `Authorization` header or in the query of
 * a presigned URL. Pure, and written from the protocol alone, so that it does
 * not share the mistakes of the clients that it checks.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { refuse, type Refusal } from "./ErrorCode.ts"
import { signV1 } from "./internal/signatureV1.ts"
import { algorithm, signV4 } from "./internal/signatureV4.ts"
import type { Signed, SignedRequest } from "./internal/signing.ts"

/**
 * A request, in so far as it is signed.
 *
 * @category models
 * @since 0.1.0
 */
export type { SignedRequest } from "./internal/signing.ts"

/**
 * Whom the server knows.
 *
 * @category models
 * @since 0.1.0
 */
export interface Credential {
  readonly accessKeyId: string
  readonly accessKeySecret: string
  /** Temporary credentials come with a token that each request must carry. */
  readonly securityToken?: string | undefined
  /** In milliseconds since 1970. Default: never. */
  readonly expiresAt?: number | undefined
}

/**
 * Succeeds if the request was signed with one of the credentials and is
 * neither too early nor too late. `now` is the server's time in milliseconds
 * since 1970.
 *
 * @category checking
 * @since 0.1.0
 */
export const verify = (
  request: SignedRequest,
  credentials: ReadonlyArray<Credential>,
  now: number
): Result.Result<Credential, Refusal> =>
  Result.gen(function* () {
    const claim = yield* claimOf(request)
    const credential = credentials.find(({ accessKeyId }) => accessKeyId === claim.accessKeyId)
    if (credential === undefined) return yield* Result.fail(refuse("InvalidAccessKeyId"))
    yield* checkToken(credential, claim.token, now)
    yield* claim.checkTime(now)
    const signed = claim.sign(credential.accessKeySecret)
    return signed.some(({ signature }) => signature === claim.signature)
      ? credential
      : yield* Result.fail(mismatch(claim, signed))
  })

/** What a request says about its signature. */
interface Claim {
  readonly accessKeyId: string
  readonly signature: string
  readonly token: string | undefined
  readonly checkTime: (now: number) => Result.Result<void, Refusal>
  /** What the signature must be; version 1 leaves more than one reading. */
  readonly sign: (secret: string) => ReadonlyArray<Signed>
}

const claimOf = (request: SignedRequest): Result.Result<Claim, Refusal> => {
  const authorization = request.headers["authorization"] ?? ""
  if (authorization.startsWith(`${algorithm} `)) return headerV4(request, authorization)
  if (authorization.startsWith("OSS ")) return headerV1(request, authorization)
  if (parameter(request, "x-oss-signature-version") === algorithm) return presignedV4(request)
  if (parameter(request, "Signature") !== undefined) return presignedV1(request)
  return Result.fail(refuse("AccessDenied", "The request is not signed."))
}

const parameter = (request: SignedRequest, name: string): string | undefined =>
  request.query.find((entry) => entry[0] === name)?.[1]

const mismatch = (claim: Claim, signed: ReadonlyArray<Signed>): Refusal =>
  refuse("SignatureDoesNotMatch", undefined, {
    OSSAccessKeyId: claim.accessKeyId,
    SignatureProvided: claim.signature,
    StringToSign: signed[0]?.stringToSign ?? "",
    ...(signed[0]?.canonicalRequest && { CanonicalRequest: signed[0].canonicalRequest })
  })

const checkToken = (
  credential: Credential,
  token: string | undefined,
  now: number
): Result.Result<void, Refusal> => {
  if (token !== credential.securityToken) return Result.fail(refuse("InvalidSecurityToken"))
  return credential.expiresAt !== undefined && now >= credential.expiresAt
    ? Result.fail(refuse("SecurityTokenExpired"))
    : Result.succeed(undefined)
}

/**
 * OSS takes a signed request for 15 minutes before and after its date, in
 * milliseconds.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxSkew: number = 15 * 60 * 1000

const checkSkew =
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

/** Milliseconds of `20260131T235959Z`, or of a date as HTTP writes it. */
const timeOf = (date = ""): Option.Option<number> => {
  const iso = date.replace(/^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/, "$1-$2-$3T$4:$5:$6Z")
  return Option.filter(Option.some(Date.parse(iso)), Number.isFinite)
}

const checkExpiry =
  (expiry: Option.Option<number>) =>
  (now: number): Result.Result<void, Refusal> =>
    Option.exists(expiry, (millis) => now <= millis)
      ? Result.succeed(undefined)
      : Result.fail(refuse("AccessDenied", "Request has expired."))

/** The parameter as a number of seconds, times 1,000. */
const millisOf = (seconds: string | undefined): Option.Option<number> =>
  /^\d{1,12}$/.test(seconds ?? "") ? Option.some(Number(seconds) * 1000) : Option.none()

const malformed = (what: string) =>
  Result.fail(refuse("InvalidArgument", `The ${what} is malformed.`))

// Version 1.

const headerV1 = (request: SignedRequest, authorization: string): Result.Result<Claim, Refusal> => {
  const [, accessKeyId, signature] = /^OSS ([^:]+):(\S+)$/.exec(authorization) ?? []
  if (accessKeyId === undefined || signature === undefined) return malformed("Authorization header")
  const { date, "x-oss-date": ossDate } = request.headers
  // Clients differ in which of the two they sign where they send both.
  const slots = ossDate === undefined ? [date ?? ""] : [ossDate, date ?? "", ""]
  return Result.succeed({
    accessKeyId,
    signature,
    token: request.headers["x-oss-security-token"],
    checkTime: checkSkew(ossDate ?? date),
    sign: (secret) => slots.map((slot) => signV1(request, slot, secret))
  })
}

const presignedV1 = (request: SignedRequest): Result.Result<Claim, Refusal> => {
  const accessKeyId = parameter(request, "OSSAccessKeyId")
  const signature = parameter(request, "Signature")
  const expires = parameter(request, "Expires")
  if (accessKeyId === undefined || signature === undefined || expires === undefined) {
    return malformed("presigned URL")
  }
  return Result.succeed({
    accessKeyId,
    signature,
    token: parameter(request, "security-token"),
    checkTime: checkExpiry(millisOf(expires)),
    sign: (secret) => [signV1(request, expires, secret)]
  })
}

// Version 4.

const headerV4 = (request: SignedRequest, authorization: string): Result.Result<Claim, Refusal> => {
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
  return claimV4(request, {
    credential: fields.get("Credential"),
    additional: fields.get("AdditionalHeaders"),
    signature: fields.get("Signature"),
    token: request.headers["x-oss-security-token"],
    date,
    checkTime: checkSkew(date)
  })
}

const presignedV4 = (request: SignedRequest): Result.Result<Claim, Refusal> => {
  const date = parameter(request, "x-oss-date")
  const lifetime = millisOf(parameter(request, "x-oss-expires"))
  const expiry = Option.zipWith(timeOf(date), lifetime, (start, length) => start + length)
  return claimV4(request, {
    credential: parameter(request, "x-oss-credential"),
    additional: parameter(request, "x-oss-additional-headers"),
    signature: parameter(request, "x-oss-signature"),
    token: parameter(request, "x-oss-security-token"),
    date,
    checkTime: checkExpiry(expiry)
  })
}

const claimV4 = (
  request: SignedRequest,
  claim: {
    readonly credential: string | undefined
    readonly additional: string | undefined
    readonly signature: string | undefined
    readonly token: string | undefined
    readonly date: string | undefined
    readonly checkTime: Claim["checkTime"]
  }
): Result.Result<Claim, Refusal> => {
  const { date, signature, token, checkTime } = claim
  const [accessKeyId, ...scope] = (claim.credential ?? "").split("/")
  if (!accessKeyId || scope.length !== 4 || signature === undefined || date === undefined) {
    return malformed("signature")
  }
  const iso = Option.match(timeOf(date), {
    onNone: () => "",
    onSome: (millis) => new Date(millis).toISOString().replace(/[-:]|\.\d+/g, "")
  })
  const additional = (claim.additional ?? "").toLowerCase().split(";").filter(Boolean)
  return Result.succeed({
    accessKeyId,
    signature,
    token,
    checkTime,
    sign: (secret) =>
      scope[0] === iso.slice(0, 8)
        ? [signV4(request, { scope, additional, date: iso, secret })]
        : []
  })
}
