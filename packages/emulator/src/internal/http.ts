/**
 * The face over HTTP: reads a request, checks its signature, carries it out
 * and writes the answer. An answer may go out before the body has been read;
 * a body that breaks off commits nothing.
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Effect from "effect/Effect"
import type { HttpServerError } from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { lookup, type Refusal } from "../ErrorCode.ts"
import type * as Fault from "../Fault.ts"
import * as Messages from "../Messages.ts"
import * as Router from "../Router.ts"
import * as Signature from "../Signature.ts"
import { answerTo, type Reply } from "./answers.ts"
import type { Exchange, Failure } from "./exchange.ts"
import type { Verbs } from "./verbs.ts"

/** Answers one request. */
export const make = (options: {
  readonly exchange: Exchange
  readonly verbs: Verbs
  /** None: every request is let in, signed or not. */
  readonly credentials: ReadonlyArray<Signature.Credential>
}) => {
  const { exchange, verbs, credentials } = options

  const admit = (head: Router.Head, route: Router.Route, now: number) => {
    const { bucket, operation } = route
    const signed: Result.Result<unknown, Refusal> =
      credentials.length === 0
        ? Result.succeed(undefined)
        : Signature.verify({ ...head, ...route }, credentials, now)
    return Effect.andThen(
      Effect.fromResult(signed),
      bucket === undefined || operation === "putBucket" ? Effect.void : verbs.admitBucket(bucket)
    )
  }

  return Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const { method, url, headers } = request
    const head: Router.Head = { method, url, headers: mapValues(headers, fromWire) }
    const routed = Router.route(head)
    const call = Result.getOrElse(routed, (): Router.Route => ({ operation: "other", query: [] }))
    const { operation, bucket, key, uploadId, partNumber } = call
    return yield* exchange
      .run<Reply, HttpServerError>(
        { operation, bucket, key, uploadId, partNumber },
        Effect.fnUntraced(function* (attempt) {
          const route = yield* Effect.fromResult(routed)
          yield* admit(head, route, yield* attempt.now)
          const body = attempt.receive(request.stream)
          return yield* answerTo({ attempt, verbs, head, route, body })
        }),
        takeSome(request)
      )
      .pipe(
        Effect.matchEffect({
          onSuccess: ({ attempt, answer }) =>
            Effect.map(attempt.now, (now) =>
              respond(request, { ...answer, requestId: attempt.requestId, now })
            ),
          onFailure: (failure) =>
            Effect.flatMap(failure.attempt.now, (now) => respondFailure(request, failure, now))
        })
      )
  })
}

/** In bytes. */
const maxTaken = 1024 * 1024

/**
 * Takes a little more off the wire without looking at it: Node notices that a
 * client has gone only behind what it has sent.
 */
const takeSome = (request: HttpServerRequest.HttpServerRequest): Effect.Effect<void> =>
  Effect.suspend(() => {
    let taken = 0
    return NodeStream.fromReadable({
      evaluate: () => NodeHttpServerRequest.toIncomingMessage(request),
      closeOnDone: false
    }).pipe(
      Stream.takeWhile((piece) => (taken += piece.length) < maxTaken),
      Stream.runDrain,
      Effect.ignore
    )
  })

/** Header values are bytes: OSS takes them as UTF-8, Node as Latin-1. */
const fromWire = (value: string): string =>
  isAscii(value) ? value : Option.getOrElse(decodeUtf8(Buffer.from(value, "latin1")), () => value)

const toWire = (value: string): string =>
  isAscii(value) ? value : Buffer.from(value).toString("latin1")

const isAscii = (value: string) => /^\p{ASCII}*$/u.test(value)

const utf8 = new TextDecoder("utf-8", { fatal: true })
const decodeUtf8 = Option.liftThrowable((bytes: Uint8Array) => utf8.decode(bytes))

const mapValues = (headers: Readonly<Record<string, string>>, f: (value: string) => string) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, f(value)]))

const respond = (
  request: HttpServerRequest.HttpServerRequest,
  reply: Reply & { readonly requestId: string; readonly now: number }
): HttpServerResponse.HttpServerResponse => {
  const { status = 200, body, crc64, requestId, now } = reply
  const headers: Record<string, string> = {
    server: "AliyunOSS",
    date: new Date(now).toUTCString(),
    "x-oss-request-id": requestId,
    ...Option.match(crc64, {
      onNone: () => ({}),
      onSome: (crc) => ({ "x-oss-hash-crc64ecma": String(crc) })
    }),
    ...mapValues(reply.headers, toWire)
  }
  if (body === undefined) return HttpServerResponse.empty({ status, headers })
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

/** An answer without a body carries its error in a header. */
const inHeader = (body: string): Readonly<Record<string, string>> =>
  body === "" ? {} : { "x-oss-err": Buffer.from(body).toString("base64") }

const respondFailure = (
  request: HttpServerRequest.HttpServerRequest,
  { error, attempt: { requestId } }: Failure<HttpServerError>,
  now: number
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  const answer = (reply: Pick<Reply, "status" | "headers" | "body">) =>
    Effect.succeed(respond(request, { ...reply, crc64: Option.none(), requestId, now }))
  const hostId = request.headers["host"] ?? "localhost"
  switch (error._tag) {
    case "Cut":
    case "Unread":
      return cut(request)
    case "Refusal":
      return answer({
        status: error.status,
        headers: {},
        body: Messages.error({ ...error, message: error.message, requestId, hostId })
      })
    case "Scripted": {
      const { status, headers, body } = error.answer
      return answer({ status, headers: lowerCase(headers), body: textOf(body, requestId, hostId) })
    }
  }
}

/** The connection breaks; what is answered after that reaches nobody. */
const cut = (request: HttpServerRequest.HttpServerRequest) =>
  Effect.sync(() => {
    NodeHttpServerRequest.toIncomingMessage(request).socket.destroy()
    return HttpServerResponse.empty()
  })

const lowerCase = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

const textOf = (body: Fault.Answer["body"], requestId: string, hostId: string): string => {
  if (body._tag === "Raw") return body.text
  const message = lookup(body.code)?.message ?? body.code
  return Messages.error({ code: body.code, message, requestId, hostId })
}
