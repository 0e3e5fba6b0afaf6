/** Credentials of an ECS instance's role, from its metadata service. */
import type * as OssCredentials from "@effect-oss/core/OssCredentials"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Schedule from "effect/Schedule"
import { type Answer, ask, clip, inTrouble, isTrouble, keysOfAnswer } from "./ask.ts"
import { type CredentialsError, refused } from "./error.ts"
import { flag } from "./variables.ts"

/** The time limit for each request, in milliseconds. It is short because a machine that is not an ECS instance must not wait. */
const patience = 1000

export const standard = "http://100.100.100.200"

const roles = "/latest/meta-data/ram/security-credentials/"

/** A service that responds exists: it may be starting, or limit requests. */
const asking = (source: string, request: HttpClientRequest.HttpClientRequest) =>
  Effect.repeat(ask(source, request, patience), {
    while: isTrouble,
    schedule: Schedule.exponential(200),
    times: 3
  })

/** Fails with `CredentialsUnavailable` if nothing responds: this may be no ECS instance. */
export const ofInstance = Effect.fnUntraced(function* (
  address: string,
  roleName: string | undefined
): Effect.fn.Return<OssCredentials.Credentials, CredentialsError, HttpClient.HttpClient> {
  const source = `the metadata service at ${address}`
  const token = yield* tokenOf(source, address)
  const get = (path: string): Effect.Effect<Answer, CredentialsError, HttpClient.HttpClient> =>
    asking(
      source,
      HttpClientRequest.get(`${address}${path}`).pipe((request) =>
        token === undefined
          ? request
          : HttpClientRequest.setHeader(request, "x-aliyun-ecs-metadata-token", token)
      )
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

/** Version 2 of the service needs a token. Undefined if there is only version 1, which may be forbidden. */
const tokenOf = Effect.fnUntraced(function* (source: string, address: string) {
  const request = HttpClientRequest.put(`${address}/latest/api/token`).pipe(
    HttpClientRequest.setHeader("x-aliyun-ecs-metadata-token-ttl-seconds", "21600")
  )
  const answer = yield* asking(source, request)
  const trouble = inTrouble(source, answer)
  if (trouble !== undefined) return yield* trouble
  const { status, text } = answer
  if (status === 200 && /^[\x21-\x7e]+$/.test(text.trim())) return text.trim()
  return (yield* flag("ALIBABA_CLOUD_IMDSV1_DISABLED"))
    ? yield* refused(
        source,
        `gives no token (${status}), and ALIBABA_CLOUD_IMDSV1_DISABLED is set`,
        "have the instance's metadata service give tokens, or unset the variable"
      )
    : undefined
})

const nameOf = (source: string, answer: Answer) => {
  const trouble = inTrouble(source, answer)
  if (trouble !== undefined) return Effect.fail(trouble)
  const [name = ""] = answer.text.trim().split(/\s+/)
  return answer.status === 200 && name !== ""
    ? Effect.succeed(name)
    : Effect.fail(refused(source, "this instance has no RAM role", "attach one to it"))
}
