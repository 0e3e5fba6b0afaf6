/** Credentials of the role of an ECS instance, out of its metadata service. */
import type * as OssCredentials from "@effect-oss/core/OssCredentials"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { type Answer, ask, clip, isTrouble, keysOfAnswer } from "./ask.ts"
import { type CredentialsError, refused, unavailable } from "./error.ts"
import { flag } from "./variables.ts"

/** The time for each request, in milliseconds: a machine that is not an ECS must not wait. */
const patience = 1000

export const standard = "http://100.100.100.200"

const roles = "/latest/meta-data/ram/security-credentials/"

/** Fails with `CredentialsUnavailable` if nothing responds: this may be no ECS instance. */
export const ofInstance = Effect.fnUntraced(function* (
  address: string,
  roleName: string | undefined
): Effect.fn.Return<OssCredentials.Credentials, CredentialsError, HttpClient.HttpClient> {
  const source = `the metadata service at ${address}`
  const token = yield* tokenOf(source, address)
  const get = (path: string): Effect.Effect<Answer, CredentialsError, HttpClient.HttpClient> =>
    ask(
      source,
      HttpClientRequest.get(`${address}${path}`).pipe((request) =>
        token === undefined
          ? request
          : HttpClientRequest.setHeader(request, "x-aliyun-ecs-metadata-token", token)
      ),
      patience
    )
  const name = roleName ?? (yield* nameOf(source, yield* get(roles)))
  const answer = yield* get(`${roles}${encodeURIComponent(name)}`)
  if (answer.status === 404) {
    return yield* refused(
      source,
      `this instance doesn't have the RAM role ${clip(name)}`,
      "attach that role to the instance, or name the role that it has"
    )
  }
  return yield* keysOfAnswer(source, answer)
})

/** Version 2 of the service wants a token. Undefined if there is only version 1, which may be forbidden. */
const tokenOf = Effect.fnUntraced(function* (source: string, address: string) {
  const request = HttpClientRequest.put(`${address}/latest/api/token`).pipe(
    HttpClientRequest.setHeader("x-aliyun-ecs-metadata-token-ttl-seconds", "21600")
  )
  const { status, text } = yield* ask(source, request, patience)
  if (status === 200 && /^[\x21-\x7e]+$/.test(text.trim())) return text.trim()
  if (isTrouble(status)) return yield* unavailable(source, `responded with ${status}`)
  return (yield* flag("ALIBABA_CLOUD_IMDSV1_DISABLED"))
    ? yield* refused(
        source,
        `gives no token (${status}), and ALIBABA_CLOUD_IMDSV1_DISABLED is set`,
        "have the instance's metadata service give tokens, or unset the variable"
      )
    : undefined
})

const nameOf = (source: string, { status, text }: Answer) => {
  const [name = ""] = text.trim().split(/\s+/)
  if (isTrouble(status)) return Effect.fail(unavailable(source, `responded with ${status}`))
  return status === 200 && name !== ""
    ? Effect.succeed(name)
    : Effect.fail(refused(source, "this instance has no RAM role", "attach one to it"))
}
