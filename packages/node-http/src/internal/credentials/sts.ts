/** Credentials of a role. STS gives them in exchange for other credentials or an OIDC token. */
import type * as OssCredentials from "@effect-oss/core/OssCredentials"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { createHmac } from "node:crypto"
import { type Answer, ask, clip, decode, inTrouble, keysOf, parse } from "./ask.ts"
import { type CredentialsError, invalid, refused, unavailable } from "./error.ts"

export interface Role {
  readonly arn: string
  readonly sessionName?: string | undefined
  /** In seconds. */
  readonly duration?: string | undefined
  readonly policy?: string | undefined
  readonly externalId?: string | undefined
}

type Parameters = Readonly<Record<string, string | undefined>>

/** The time limit for one request, in milliseconds. */
const patience = 10_000

export const assumeRole = Effect.fnUntraced(function* (
  sts: string,
  role: Role,
  credentials: OssCredentials.Credentials
) {
  const source = `STS for ${role.arn}`
  const asked = (now: number) => Effect.flatMap(signed(role, credentials, now), post(sts, source))
  const answer = yield* asked(yield* Clock.currentTimeMillis)
  // This machine's clock is wrong: the response has the right time.
  const isOfTime = answer.date !== undefined && codeIn(answer)?.startsWith("InvalidTimeStamp")
  return yield* read(source, isOfTime ? yield* asked(answer.date) : answer)
})

const signed = Effect.fnUntraced(function* (
  role: Role,
  { accessKeyId, accessKeySecret, securityToken }: OssCredentials.Credentials,
  now: number
) {
  const nonce = yield* Effect.replicateEffect(Random.nextIntBetween(0, 2 ** 32), 4)
  const parameters = given({
    ...parametersOf("AssumeRole", role, now),
    ExternalId: role.externalId,
    AccessKeyId: accessKeyId,
    SecurityToken: securityToken && Redacted.value(securityToken),
    SignatureMethod: "HMAC-SHA1",
    SignatureVersion: "1.0",
    SignatureNonce: nonce.map((n) => n.toString(16).padStart(8, "0")).join("")
  })
  const Signature = signatureOf("POST", parameters, Redacted.value(accessKeySecret))
  return { ...parameters, Signature }
})

/** Needs no signature: the token identifies the caller. */
export const assumeRoleWithOidc = Effect.fnUntraced(function* (
  sts: string,
  role: Role,
  providerArn: string,
  token: string
) {
  const source = `STS for ${role.arn}`
  const parameters = given({
    ...parametersOf("AssumeRoleWithOIDC", role, yield* Clock.currentTimeMillis),
    OIDCProviderArn: providerArn,
    OIDCToken: token
  })
  return yield* read(source, yield* post(sts, source)(parameters))
})

const parametersOf = (action: string, role: Role, now: number): Parameters => ({
  Action: action,
  Version: "2015-04-01",
  Format: "JSON",
  Timestamp: new Date(now).toISOString().replace(/\.\d+/, ""),
  RoleArn: role.arn,
  RoleSessionName: role.sessionName ?? "effect-oss",
  DurationSeconds: role.duration ?? "3600",
  Policy: role.policy
})

const given = (parameters: Parameters): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(parameters).flatMap(([name, value]) =>
      value === undefined || value === "" ? [] : [[name, value]]
    )
  )

/** The signature of Alibaba's RPC style, version 1. */
export const signatureOf = (
  method: "GET" | "POST",
  parameters: Readonly<Record<string, string>>,
  secret: string
): string => {
  const query = Object.keys(parameters)
    .sort()
    .map((name) => `${encode(name)}=${encode(parameters[name] ?? "")}`)
    .join("&")
  return createHmac("sha1", `${secret}&`)
    .update(`${method}&%2F&${encode(query)}`)
    .digest("base64")
}

/** RFC 3986. */
const encode = (text: string): string =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  )

const Granted = Schema.Struct({ Credentials: Schema.Unknown })
const Refusal = Schema.Struct({ Code: Schema.String, Message: Schema.optionalKey(Schema.String) })

/** Sends the parameters in the body, because URLs appear in logs. */
const post = (sts: string, source: string) => (parameters: Readonly<Record<string, string>>) =>
  ask(
    source,
    HttpClientRequest.bodyUrlParams(HttpClientRequest.post(`${sts}/`), parameters),
    patience
  )

const read = Effect.fnUntraced(function* (
  source: string,
  answer: Answer
): Effect.fn.Return<OssCredentials.Credentials, CredentialsError> {
  const { status, text } = answer
  const trouble = inTrouble(source, answer)
  if (trouble !== undefined) return yield* trouble
  if (status === 200) {
    const { Credentials } = yield* decode(source, Granted, yield* parse(source, text))
    return yield* keysOf(source, Credentials)
  }
  const refusal = refusalIn(answer)
  // The response is not from STS, but from a proxy or a captive portal.
  if (refusal === undefined) return yield* unavailable(source, `responded with ${status}`)
  if (refusal.Code.startsWith("Throttling")) return yield* unavailable(source, refusal.Code)
  const problem = clip([refusal.Code, shown(refusal)].join(" ")).trim()
  return yield* refused(source, problem, remedyFor(refusal.Code))
})

const refusalIn = ({ text }: Answer) =>
  Option.getOrUndefined(Schema.decodeOption(Schema.fromJsonString(Refusal))(text))

const codeIn = (answer: Answer): string | undefined => refusalIn(answer)?.Code

/** The beginnings of error codes, and their remedies. */
const remedies: ReadonlyArray<readonly [RegExp, string]> = [
  [/^InvalidTimeStamp/, "set this machine's clock"],
  [/^EntityNotExist/, "check the role's ARN, and the OIDC provider's"],
  [/^NoPermission/, "let the role's trust policy name who asks, and grant sts:AssumeRole to it"],
  [/^InvalidAccessKeyId/, "give an access key that exists and is enabled"],
  [/^(SignatureDoesNotMatch|IncompleteSignature)/, "check the access key's secret"],
  [/^InvalidSecurityToken/, "give new temporary keys to ask STS with"],
  [/^AuthenticationFail/, "check the OIDC token, and what the role's trust policy says of it"]
]

const remedyFor = (code: string): string =>
  remedies.find(([pattern]) => pattern.test(code))?.[1] ??
  "check the role's settings: its ARN, session name, duration and policy"

/** After a wrong signature, STS repeats everything that was signed, including the token. */
const shown = ({ Code, Message = "" }: { readonly Code: string; readonly Message?: string }) =>
  Code === "SignatureDoesNotMatch" || /string to sign/i.test(Message) ? "" : Message

/** `given`, or the address for a region. */
export const endpointOf = (
  given: string | undefined,
  region: string | undefined,
  vpc: boolean
): Effect.Effect<string, CredentialsError> => {
  if (given !== undefined) return Effect.succeed(given.replace(/\/+$/, ""))
  if (region === undefined) return Effect.succeed("https://sts.aliyuncs.com")
  return /^[\w-]+$/.test(region)
    ? Effect.succeed(`https://${vpc ? "sts-vpc" : "sts"}.${region}.aliyuncs.com`)
    : Effect.fail(invalid("STS", "is no region", "region"))
}
