/** Writes an answer or a refusal as HTTP. */
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import type * as Script from "../script.ts"
import type { Reply } from "../answers/asked.ts"
import type { Failure } from "../exchange.ts"
import { lookup } from "../wire/errors.ts"
import { errorDocument } from "../wire/xml.ts"

/** A request as it arrives. */
export interface Incoming {
  readonly method: string
  /** Path and query. */
  readonly url: string
  /** Names in lower case. Values as HTTP carries them, one byte a character. */
  readonly headers: Readonly<Record<string, string>>
  readonly stream: Stream.Stream<Uint8Array, unknown>
  /** Breaks the connection. No later answer arrives. */
  readonly cut: Effect.Effect<void>
  /** Reads and discards a little more of the connection. */
  readonly takeSome: Effect.Effect<void>
}

/** The headers of every answer. */
export interface Shared {
  readonly request: Pick<Incoming, "method" | "headers" | "cut">
  readonly requestId: string
  readonly now: number
  readonly cors: Readonly<Record<string, string>>
}

/** Header values are bytes: OSS takes them as UTF-8, Node as Latin-1. */
export const fromWire = (value: string): string =>
  isAscii(value) ? value : Option.getOrElse(decodeUtf8(Buffer.from(value, "latin1")), () => value)

const toWire = (value: string): string =>
  isAscii(value) ? value : Buffer.from(value).toString("latin1")

const isAscii = (value: string) => /^\p{ASCII}*$/u.test(value)

const utf8 = new TextDecoder("utf-8", { fatal: true })
const decodeUtf8 = Option.liftThrowable((bytes: Uint8Array) => utf8.decode(bytes))

export const respond = (
  { request, requestId, now, cors }: Shared,
  reply: Reply
): HttpServerResponse.HttpServerResponse => {
  const { status = 200, body, crc64 } = reply
  const headers: Record<string, string> = {
    server: "AliyunOSS",
    date: new Date(now).toUTCString(),
    "x-oss-request-id": requestId,
    ...Option.match(crc64, {
      onNone: () => ({}),
      onSome: (crc) => ({ "x-oss-hash-crc64ecma": String(crc) })
    }),
    ...cors,
    ...Object.fromEntries(
      Object.entries(reply.headers).map(([name, value]) => [name, toWire(value)])
    )
  }
  if (body === undefined || status === 304) return empty(request, status, headers)
  if (typeof body !== "string") {
    return HttpServerResponse.stream(body.stream, {
      status,
      headers,
      contentLength: body.size,
      contentType: headers["content-type"] ?? "application/octet-stream"
    })
  }
  return request.method === "HEAD"
    ? HttpServerResponse.empty({ status, headers: { ...headers, ...inHeader(body) } })
    : HttpServerResponse.text(body, {
        status,
        headers,
        contentType: headers["content-type"] ?? "application/xml"
      })
}

/** OSS sends a length of 0; Node alone would send the body in chunks. */
const empty = (
  { method }: Pick<Incoming, "method">,
  status: number,
  headers: Record<string, string>
) =>
  HttpServerResponse.empty({
    status,
    headers:
      method === "HEAD" || status === 204 || status === 304
        ? headers
        : { ...headers, "content-length": "0" }
  })

/** An answer without a body carries its error in a header. */
const inHeader = (body: string): Readonly<Record<string, string>> =>
  body === "" ? {} : { "x-oss-err": Buffer.from(body).toString("base64") }

export const respondFailure = (
  shared: Shared,
  { error }: Failure<unknown>
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  const { request, requestId } = shared
  const answer = (reply: Pick<Reply, "status" | "headers" | "body">) =>
    Effect.succeed(respond(shared, { ...reply, crc64: Option.none() }))
  const hostId = request.headers["host"] ?? "localhost"
  switch (error._tag) {
    case "Cut":
    case "Unread":
      return Effect.as(request.cut, HttpServerResponse.empty())
    case "Refusal": {
      const { status, code, message, details, headers } = error
      const body = errorDocument({ code, message, details, requestId, hostId })
      const ec = details["EC"]
      return answer({
        status,
        headers: { ...headers, ...(ec !== undefined && { "x-oss-ec": ec }) },
        body
      })
    }
    case "Scripted": {
      const { status, headers, body } = error.answer
      return answer({ status, headers: lowerCase(headers), body: textOf(body, requestId, hostId) })
    }
  }
}

const lowerCase = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

const textOf = (body: Script.Answer["body"], requestId: string, hostId: string): string => {
  if (body._tag === "Raw") return body.text
  const message = lookup(body.code)?.message ?? body.code
  return errorDocument({ code: body.code, message, requestId, hostId })
}
