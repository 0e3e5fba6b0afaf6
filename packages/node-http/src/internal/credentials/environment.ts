/** Keys, an OIDC token and a credentials URI from the environment. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { Absent, type CredentialsError, invalid } from "./error.ts"
import type { Method } from "./method.ts"
import { variable } from "./variables.ts"

type Finding = Effect.Effect<
  { readonly source: string; readonly method: Method },
  Absent | CredentialsError
>

interface Names {
  readonly id: string
  readonly secret: string
  readonly token: string
}

const keys = ({ id, secret, token }: Names): Finding =>
  Effect.gen(function* () {
    const accessKeyId = yield* variable(id)
    const accessKeySecret = yield* variable(secret)
    if (accessKeyId === undefined && accessKeySecret === undefined) {
      return yield* new Absent({ why: `${id} and ${secret} are not set` })
    }
    if (accessKeyId === undefined) return yield* missing(id, secret)
    if (accessKeySecret === undefined) return yield* missing(secret, id)
    const securityToken = yield* variable(token)
    const credentials = {
      accessKeyId,
      accessKeySecret: Redacted.make(accessKeySecret),
      securityToken: securityToken === undefined ? undefined : Redacted.make(securityToken)
    }
    return { source: "the environment", method: { _tag: "Keys", credentials } }
  })

const missing = (name: string, beside: string) =>
  Effect.fail(invalid("the environment", `is not set, but ${beside} is`, name))

export const oss: Finding = keys({
  id: "OSS_ACCESS_KEY_ID",
  secret: "OSS_ACCESS_KEY_SECRET",
  token: "OSS_SESSION_TOKEN"
})

export const alibabaCloud: Finding = keys({
  id: "ALIBABA_CLOUD_ACCESS_KEY_ID",
  secret: "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
  token: "ALIBABA_CLOUD_SECURITY_TOKEN"
})

/** A cluster that assigns roles to service accounts sets these variables in its pods. */
export const oidc: Finding = Effect.gen(function* () {
  const tokenFile = yield* variable("ALIBABA_CLOUD_OIDC_TOKEN_FILE")
  if (tokenFile === undefined) {
    return yield* new Absent({ why: "ALIBABA_CLOUD_OIDC_TOKEN_FILE is not set" })
  }
  const needed = Effect.fnUntraced(function* (name: string) {
    return (yield* variable(name)) ?? (yield* missing(name, "ALIBABA_CLOUD_OIDC_TOKEN_FILE"))
  })
  const providerArn = yield* needed("ALIBABA_CLOUD_OIDC_PROVIDER_ARN")
  const arn = yield* needed("ALIBABA_CLOUD_ROLE_ARN")
  const sessionName = yield* variable("ALIBABA_CLOUD_ROLE_SESSION_NAME")
  return {
    source: "the environment",
    method: { _tag: "Oidc", role: { arn, sessionName }, providerArn, tokenFile }
  }
})

export const uri: Finding = Effect.gen(function* () {
  const uri = yield* variable("ALIBABA_CLOUD_CREDENTIALS_URI")
  if (uri === undefined) {
    return yield* new Absent({ why: "ALIBABA_CLOUD_CREDENTIALS_URI is not set" })
  }
  return { source: "ALIBABA_CLOUD_CREDENTIALS_URI", method: { _tag: "Uri", uri } }
})
