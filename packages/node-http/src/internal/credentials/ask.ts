/** Small requests for credentials. They have a time limit of seconds and a size limit, and appear in no trace. */
import type * as OssCredentials from "@effect-oss/core/OssCredentials"
import * as ByteSize from "effect/ByteSize"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { type CredentialsError, invalid, refused, unavailable } from "./error.ts"

export interface Answer {
  readonly status: number
  readonly text: string
  /** The server's time, in milliseconds since 1970. */
  readonly date: number | undefined
}

/** `source` is for messages. `millis` limits connecting and answering together. */
export const ask = (
  source: string,
  request: HttpClientRequest,
  millis: number
): Effect.Effect<Answer, CredentialsError, HttpClient.HttpClient> =>
  HttpClient.execute(request).pipe(
    Effect.flatMap((response) =>
      Effect.map(response.text, (text): Answer => ({
        status: response.status,
        text,
        date: Date.parse(response.headers["date"] ?? "") || undefined
      }))
    ),
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.kibibytes(256)),
    // A span would contain tokens, in headers or in the URL.
    Effect.provideService(HttpClient.TracerDisabledWhen, () => true),
    Effect.timeoutOrElse({
      duration: millis,
      orElse: () => Effect.fail(unavailable(source, `no response within ${millis} ms`))
    }),
    Effect.catchTag("HttpClientError", ({ reason }) =>
      Effect.fail(
        reason._tag === "InvalidUrlError"
          ? invalid(source, "is no URL")
          : unavailable(source, `no response (${codeOf(reason)})`)
      )
    )
  )

/** The code of the innermost cause. The message of an HTTP client may contain the URL or a proxy's password. */
const codeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return "no further details"
  const [inner = error.cause] = error instanceof AggregateError ? error.errors : []
  if (inner instanceof Error) return codeOf(inner)
  return "code" in error && typeof error.code === "string" ? error.code : error.name
}

/** True if a later attempt may succeed. */
export const isTrouble = ({ status }: Answer): boolean =>
  status >= 500 || status === 429 || status === 408

/** True for a page, which comes from a proxy, a firewall or a captive portal. A service answers with a page only if it doesn't have the address. */
const isPage = ({ status, text }: Answer): boolean =>
  status !== 404 && status !== 405 && /^\s*<(!doctype|html|head|body)\b/i.test(text)

/** The error for a response that does not come from the service and may be temporary. */
export const inTrouble = (source: string, answer: Answer): CredentialsError | undefined =>
  isTrouble(answer)
    ? unavailable(source, `responded with ${answer.status}`)
    : isPage(answer)
      ? unavailable(source, `a page came in place of its response (${answer.status})`)
      : undefined

const text = Schema.NonEmptyString

const Keys = Schema.Struct({
  AccessKeyId: text,
  AccessKeySecret: text,
  SecurityToken: text,
  Expiration: text
})

const Json = Schema.fromJsonString(Schema.Unknown)

/** Reads credentials in the format of STS, the metadata service and credentials URIs. */
export const keysOf = Effect.fnUntraced(function* (
  source: string,
  value: unknown
): Effect.fn.Return<OssCredentials.Credentials, CredentialsError> {
  const keys = yield* decode(source, Keys, value)
  const expiresAt = DateTime.make(keys.Expiration)
  if (expiresAt._tag === "None") return yield* invalid(source, "is no time", "Expiration")
  return {
    accessKeyId: keys.AccessKeyId,
    accessKeySecret: Redacted.make(keys.AccessKeySecret),
    securityToken: Redacted.make(keys.SecurityToken),
    expiresAt: DateTime.toEpochMillis(expiresAt.value)
  }
})

const serviceRemedy = "see to that service, or give other credentials"

/** Reads a response with `Code`, from the metadata service or a credentials URI. */
export const keysOfAnswer = Effect.fnUntraced(function* (
  source: string,
  answer: Answer
): Effect.fn.Return<OssCredentials.Credentials, CredentialsError> {
  const { status, text } = answer
  const trouble = inTrouble(source, answer)
  if (trouble !== undefined) return yield* trouble
  if (status !== 200) return yield* refused(source, `responded with ${status}`, serviceRemedy)
  const value = yield* parse(source, text)
  const { Code = "Success" } = yield* decode(
    source,
    Schema.Struct({ Code: Schema.optionalKey(Schema.String) }),
    value
  )
  if (Code !== "Success")
    return yield* refused(source, `responded with Code ${clip(Code)}`, serviceRemedy)
  return yield* keysOf(source, value)
})

/** The error message contains nothing of the text. */
export const parse = (source: string, text: string): Effect.Effect<unknown, CredentialsError> =>
  Effect.mapError(Schema.decodeEffect(Json)(text), () => invalid(source, "is not JSON"))

/** The error message names the first invalid field, and no value. */
export const decode = <A, I>(
  source: string,
  schema: Schema.Codec<A, I>,
  value: unknown
): Effect.Effect<A, CredentialsError> =>
  Effect.mapError(Schema.decodeUnknownEffect(schema)(value), (error) => {
    const field = /at \[(.*)\]/
      .exec(error.message)?.[1]
      ?.replaceAll(/\]\[/g, ".")
      .replaceAll('"', "")
    return invalid(source, "is missing, or not as it has to be", field)
  })

/** Shortens text from outside for a message. */
export const clip = (text: string): string => text.replaceAll(/\s+/g, " ").slice(0, 200)
