/** Credentials of a role, which STS gives for other credentials or for an OIDC token. */
import type * as OssCredentials from "@effect-oss/core/OssCredentials"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { createHmac } from "node:crypto"
import { ask, clip, decode, isTrouble, keysOf, parse } from "./ask.ts"
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

/** The time for one request, in milliseconds. */
const patience = 10_000

export const assumeRole = Effect.fnUntraced(function* (
  sts: string,
  role: Role,
  { accessKeyId, accessKeySecret, securityToken }: OssCredentials.Credentials
) {
  const nonce = yield* Effect.replicateEffect(Random.nextIntBetween(0, 2 ** 32), 4)
  const parameters = given({
    ...(yield* parametersOf("AssumeRole", role)),
    ExternalId: role.externalId,
    AccessKeyId: accessKeyId,
    SecurityToken: securityToken && Redacted.value(securityToken),
    SignatureMethod: "HMAC-SHA1",
    SignatureVersion: "1.0",
    SignatureNonce: nonce.map((n) => n.toString(16).padStart(8, "0")).join("")
  })
  const Signature = signatureOf("POST", parameters, Redacted.value(accessKeySecret))
  return yield* send(sts, `STS for ${role.arn}`, { ...parameters, Signature })
})

/** Needs no signature: the token says who asks. */
export const assumeRoleWithOidc = Effect.fnUntraced(function* (
  sts: string,
  role: Role,
  providerArn: string,
  token: string
) {
  const parameters = given({
    ...(yield* parametersOf("AssumeRoleWithOIDC", role)),
    OIDCProviderArn: providerArn,
    OIDCToken: token
  })
  return yield* send(sts, `STS for ${role.arn}`, parameters)
})

const parametersOf = (action: string, role: Role): Effect.Effect<Parameters> =>
  Effect.map(Clock.currentTimeMillis, (now) => ({
    Action: action,
    Version: "2015-04-01",
    Format: "JSON",
    Timestamp: new Date(now).toISOString().replace(/\.\d+/, ""),
    RoleArn: role.arn,
    RoleSessionName: role.sessionName ?? "effect-oss",
    DurationSeconds: role.duration ?? "3600",
    Policy: role.policy
  }))

const given = (parameters: Parameters): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(parameters).flatMap(([name, value]) =>
      value === undefined || value === "" ? [] : [[name, value]]
    )
  )

/** Version 1 of the signature of Alibaba's RPC style. */
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

const send = Effect.fnUntraced(function* (
  sts: string,
  source: string,
  parameters: Readonly<Record<string, string>>
): Effect.fn.Return<OssCredentials.Credentials, CredentialsError, HttpClient.HttpClient> {
  // In the body: URLs are written to logs.
  const request = HttpClientRequest.bodyUrlParams(HttpClientRequest.post(`${sts}/`), parameters)
  const { status, text } = yield* ask(source, request, patience)
  if (isTrouble(status)) return yield* unavailable(source, `responded with ${status}`)
  if (status === 200) {
    const { Credentials } = yield* decode(source, Granted, yield* parse(source, text))
    return yield* keysOf(source, Credentials)
  }
  const refusal = yield* Effect.flatMap(parse(source, text), (answer) =>
    decode(source, Refusal, answer)
  ).pipe(Effect.orElseSucceed(() => undefined))
  if (refusal === undefined) {
    // Not of STS's: a proxy or a captive portal.
    return yield* unavailable(source, `responded with ${status}`)
  }
  if (refusal.Code.startsWith("Throttling")) return yield* unavailable(source, refusal.Code)
  return yield* refusal.Code.startsWith("InvalidTimeStamp")
    ? refused(source, `${clip(refusal.Code)}: set this machine's clock`)
    : refused(source, clip([refusal.Code, shown(refusal)].join(" ")).trim())
})

/** On a signature that is wrong, STS repeats all that was signed, with the token. */
const shown = ({ Code, Message = "" }: { readonly Code: string; readonly Message?: string }) =>
  Code === "SignatureDoesNotMatch" || /string to sign/i.test(Message) ? "" : Message

/** `given`, or the address of a region. */
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
