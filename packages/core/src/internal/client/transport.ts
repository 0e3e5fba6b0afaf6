/**
 * Sends signed requests with Effect's HttpClient. HTTP engines read a body on
 * fibers of their own, so a gate makes sure that the body is no longer read once
 * the request has ended.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as UrlParams from "effect/http/UrlParams"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as Body from "../../Body.ts"
import * as Bodies from "../body.ts"
import { type Misconnected, Rejected, Transport } from "../../OssError.ts"
import { connectionError } from "./connectionErrors.ts"
import { guard, type Guarded } from "./gate.ts"
import type { Request } from "./request.ts"
import type { Response } from "./responses.ts"
import type { Signed } from "./signer.ts"

/** In bytes. A page has up to 1,000 keys of 1,023 bytes, each byte as three characters, and some 400 bytes beside each. */
export const maxPage: number = 4 * 1024 * 1024

/** In bytes. OSS's errors have a few hundred. A longer page, such as a proxy's, is cut off. */
export const maxError: number = 64 * 1024

/** Why an exchange failed. */
export type Reason = Transport | Misconnected | Rejected

/**
 * Sends one request and reads its response. If the body can't be read, it fails
 * with the body's error, not the engine's. When it ends, the body is no longer read.
 */
export const carry = <E, E2>(
  http: HttpClient.HttpClient,
  { method, content }: Request,
  signed: Signed,
  body: Body.Body<E> | undefined,
  failed: (reason: Reason) => E2
): Effect.Effect<Response, E | E2> => {
  const headers = wireHeaders(signed.headers)
  if (typeof headers === "string") return Effect.fail(failed(uncarriable(headers)))
  const guarded = body && guard(body)
  const request = requestOf(method, { ...signed, headers }, bodyOf(content, guarded))
  const exchange = withoutSecrets(
    Effect.matchEffect(
      Effect.flatMap(http.execute(request), (response) => {
        // The body was not sent in full, so this response says nothing about what is stored.
        const isEarly = response.status < 400 && guarded !== undefined && !guarded.wasRead()
        // It is read anyway: an unread response would keep its connection.
        return isEarly ? Effect.andThen(Effect.ignore(read(response)), early) : read(response)
      }),
      {
        onFailure: (error) =>
          Effect.fail(failed(error instanceof Transport ? error : reasonOf(error))),
        onSuccess: Effect.succeed
      }
    )
  )
  return guarded === undefined ? exchange : reading(guarded, exchange)
}

/** Closes the body when the exchange ends. If reading the body failed, that is the error. */
const reading = <A, E, E2>(
  { close, failure }: Guarded<E>,
  exchange: Effect.Effect<A, E2>
): Effect.Effect<A, E | E2> =>
  Effect.matchCauseEffect(
    Effect.onExit(exchange, () => close),
    {
      onFailure: (cause) => Effect.failCause<E | E2>(failure() ?? cause),
      onSuccess: (answer) => {
        const cause = failure()
        return cause === undefined ? Effect.succeed(answer) : Effect.failCause(cause)
      }
    }
  )

const early = new Transport({ description: "an answer came before the body had been sent" })

const uncarriable = (header: string) =>
  new Rejected({ description: `the header "${header}" has a character that HTTP can't carry` })

/** UTF-8, one character for each byte. Returns the name of a header that HTTP can't carry. */
const wireHeaders = (headers: Signed["headers"]): Record<string, string> | string => {
  const wire: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    wire[name] = /^[\t\x20-\x7e]*$/.test(value) ? value : latin1(value)
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(wire[name])) return name
  }
  return wire
}

const latin1 = (text: string) =>
  Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("")

/** Avoids `setBody`, which would set a Content-Type after signing. */
const requestOf = (
  method: string,
  { url, headers }: Pick<Signed, "url" | "headers">,
  body: HttpBody.HttpBody
) =>
  HttpClientRequest.makeWith(
    method as HttpClientRequest.HttpClientRequest["method"],
    url,
    UrlParams.empty,
    Option.none(),
    Headers.fromInput(headers),
    body
  )

const bodyOf = (
  content: string | undefined,
  body: Body.Body<unknown> | undefined
): HttpBody.HttpBody => {
  if (body !== undefined && body.size > 0) return Bodies.toHttpBody(body)
  return content === undefined ? HttpBody.empty : HttpBody.text(content)
}

/** Reads the response, with at most `maxPage` or `maxError` bytes of its body. */
const read = (
  response: HttpClientResponse
): Effect.Effect<Response, HttpClientError | Transport> => {
  const { status } = response
  const headers = { ...response.headers }
  const limit = status < 400 ? maxPage : maxError
  const isShort =
    Number(headers["content-length"] ?? Infinity) <= limit &&
    headers["content-encoding"] === undefined
  const bytes: Effect.Effect<Uint8Array, HttpClientError | Transport> = isShort
    ? Effect.map(response.arrayBuffer, (buffer) => new Uint8Array(buffer))
    : bounded(response, limit)
  return Effect.map(bytes, (body) => ({ status, headers, body }))
}

/** Cuts off an error that is too long. Fails if a page is too long, since OSS sends none. */
const bounded = (
  { stream, status }: HttpClientResponse,
  limit: number
): Effect.Effect<Uint8Array, HttpClientError | Transport> =>
  Effect.suspend(() => {
    const pieces: Array<Uint8Array> = []
    let size = 0
    return stream.pipe(
      Stream.takeUntil((piece) => {
        pieces.push(piece.slice(0, limit + 1 - size))
        size += piece.length
        return size > limit
      }),
      Stream.runDrain,
      Effect.flatMap(() =>
        size > limit && status < 400
          ? Effect.fail(new Transport({ description: `the answer has more than ${limit} bytes` }))
          : Effect.succeed(joined(pieces))
      )
    )
  })

const joined = (pieces: ReadonlyArray<Uint8Array>): Uint8Array => {
  const bytes = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0))
  let offset = 0
  for (const piece of pieces) {
    bytes.set(piece, offset)
    offset += piece.length
  }
  return bytes
}

const secretHeaders = ["authorization", "x-oss-security-token"]
const secretParameters = [
  /^(signature|security-token|ossaccesskeyid|x-oss-(signature|credential|security-token))$/i
]

/**
 * Redacts these wherever a request is shown, in a log or an error. Turns off the
 * HTTP client's own span: its exit would hold the request with its token and
 * presigned URL.
 */
const withoutSecrets = <A, E>(self: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.withFiber((fiber) =>
    Effect.provideContext(
      self,
      withSecretNames(
        fiber.getRef(Headers.CurrentRedactedNames),
        fiber.getRef(UrlParams.CurrentRedactedNames)
      )
    )
  )

type Names = ReadonlyArray<string | RegExp>

/** A cache: most requests have the same names as the last one. */
let known:
  | { readonly headers: Names; readonly parameters: Names; readonly all: Secretive }
  | undefined

type Secretive = ReturnType<typeof secretiveOf>

const withSecretNames = (headers: Names, parameters: Names): Secretive => {
  if (known?.headers === headers && known.parameters === parameters) return known.all
  const all = secretiveOf(headers, parameters)
  known = { headers, parameters, all }
  return all
}

const secretiveOf = (headers: Names, parameters: Names) =>
  Context.make(Headers.CurrentRedactedNames, [...headers, ...secretHeaders]).pipe(
    Context.add(UrlParams.CurrentRedactedNames, [...parameters, ...secretParameters]),
    Context.add(HttpClient.TracerDisabledWhen, () => true)
  )

const reasonOf = ({ reason }: HttpClientError): Reason => {
  const cause = "cause" in reason ? reason.cause : undefined
  switch (reason._tag) {
    case "InvalidUrlError":
      return new Rejected({ description: "the URL is invalid" })
    case "DecodeError":
      return new Transport({
        description: `the answer broke off: ${connectionError(cause).description}`
      })
    default:
      return connectionError(cause)
  }
}
