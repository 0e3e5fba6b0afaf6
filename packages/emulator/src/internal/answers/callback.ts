/** Posts the callback to the user's server after an object is stored, and reads its reply. */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Option from "effect/Option"
import type { StoredObject } from "../state/model.ts"
import { base64Of } from "../verbs.ts"
import type { Refusal } from "../../EmulatorError.ts"
import { refuse } from "../wire/errors.ts"
import type { Callback } from "../wire/requestRules.ts"
import type { Call, Located, Reply } from "./asked.ts"

/** The variables that OSS fills in. */
export const factsOf = (
  { attempt, route, bucket, key }: Located,
  object: StoredObject
): Readonly<Record<string, string | number>> => ({
  bucket,
  object: key,
  etag: object.etag.replaceAll('"', ""),
  size: object.size,
  mimeType: object.headers["content-type"] ?? "application/octet-stream",
  crc64: String(object.crc64),
  contentMd5: object.blobs.length === 1 ? base64Of(object.blobs[0]?.md5 ?? "") : "",
  reqId: attempt.requestId,
  operation: route.operation === "complete" ? "CompleteMultipartUpload" : "PutObject"
})

/** The reply, or the callback server's reply in its place. */
export const afterCallback = (
  { call }: Located,
  callback: Callback | undefined,
  facts: Readonly<Record<string, string | number>>,
  answer: Reply
): Effect.Effect<Reply, Refusal> =>
  callback === undefined
    ? Effect.succeed(answer)
    : Effect.map(call(callback, facts), (said) => ({
        ...answer,
        status: 200,
        headers: { ...answer.headers, "content-type": "application/json" },
        body: said
      }))

/** Makes calls over HTTP. OSS waits five seconds, and accepts only JSON with status 200. */
export const caller =
  (client: HttpClient.HttpClient): Call =>
  (callback, facts) => {
    const attempts = callback.urls.map((url) => post(client, callback, url, facts))
    const [first = Effect.fail(failed("there is no URL")), ...others] = attempts
    return others.reduce((all, next) => Effect.catch(all, () => next), first)
  }

const post = (
  client: HttpClient.HttpClient,
  callback: Callback,
  url: string,
  facts: Readonly<Record<string, string | number>>
): Effect.Effect<string, Refusal> =>
  HttpClientRequest.post(/^https?:\/\//.test(url) ? url : `http://${url}`).pipe(
    HttpClientRequest.setHeaders({
      "user-agent": "aliyun-oss-callback",
      ...(callback.host !== undefined && { host: callback.host })
    }),
    HttpClientRequest.bodyText(filledIn(callback, facts), callback.type),
    client.execute,
    // OSS follows no redirection.
    Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
    Effect.flatMap((response) =>
      Effect.map(response.text, (text) => [response.status, text] as const)
    ),
    Effect.timeout("5 seconds"),
    Effect.mapError((error) => failed(error.message)),
    Effect.flatMap(([status, text]) =>
      status === 200
        ? Option.match(parsed(text), {
            onNone: () => Effect.fail(failed("Response body is not valid json format.")),
            onSome: () => Effect.succeed(text)
          })
        : Effect.fail(failed(`Error status : ${status}.`, "0007-00000203"))
    )
  )

const failed = (message: string, ec?: string) =>
  refuse("CallbackFailed", message, ec === undefined ? {} : { EC: ec })

const parsed = Option.liftThrowable((text: string): unknown => JSON.parse(text))

/** Replaces `${name}` by the variable's value, written as the type of the body requires. */
const filledIn = (
  { body, type, variables }: Callback,
  facts: Readonly<Record<string, string | number>>
): string => {
  const write = type === "application/json" ? JSON.stringify : encodeURIComponent
  const values = { ...facts, ...variables }
  return body.replace(/\$\{([^}]*)\}/g, (_, name: string) => write(values[name] ?? ""))
}
