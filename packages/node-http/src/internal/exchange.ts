/**
 * One request and its response over node:http.
 */
import type * as Body from "@effect-oss/core/Body"
import * as Bodies from "@effect-oss/core/internal/body"
import type { HttpAgent } from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import type * as Http from "node:http"
import type { Route } from "./agents.ts"
import { http, https, net } from "./http.ts"
import { isShort, type Pump } from "./pump.ts"
import { NodeResponse } from "./response.ts"

/** The request and its URL. */
export interface Outgoing {
  readonly request: HttpClientRequest
  readonly url: URL
  readonly signal: AbortSignal | undefined
}

/** True if this module sends the request: it has no body, bytes, or a `Body`. */
export const takes = (request: HttpClientRequest): boolean =>
  isPlain(request) &&
  (request.body._tag === "Empty" || request.body._tag === "Uint8Array" || hasBody(request))

/** True if the request has a `Body` and its URL needs no additions. */
export const hasBody = (request: HttpClientRequest): boolean =>
  isPlain(request) &&
  request.urlParams.params.length === 0 &&
  request.hash._tag === "None" &&
  Option.isSome(Bodies.behind(request.body))

const isPlain = ({ headers }: HttpClientRequest) => headers["upgrade"] === undefined

/** Sends the request. If a reused connection turns out to be closed, sends it once more over a new one. */
export const make = (
  { kept, fresh }: Route,
  pump: Pump,
  outgoing: Outgoing
): Effect.Effect<HttpClientResponse, HttpClientError.HttpClientError> =>
  Effect.catch(attempt(kept, pump, outgoing), ({ stale, reason }) =>
    stale
      ? Effect.mapError(attempt(fresh, pump, outgoing), ({ reason }) => failure(reason))
      : Effect.fail(failure(reason))
  )

const failure = (reason: Failed["reason"]) => new HttpClientError.HttpClientError({ reason })

interface Failed {
  readonly reason: HttpClientError.TransportError | HttpClientError.EncodeError
  /** True if a reused connection broke before the response, and the request is safe to repeat. */
  readonly stale: boolean
}

/** If it ends without a response, the request has been stopped and its body is no longer read. A short body is read before its request begins. */
const attempt = (
  agent: HttpAgent["Service"],
  pump: Pump,
  outgoing: Outgoing
): Effect.Effect<NodeResponse, Failed> => {
  const { request } = outgoing
  const body = Option.getOrUndefined(Bodies.behind(request.body))
  if (body === undefined) {
    const bytes = request.body._tag === "Uint8Array" ? request.body.body : undefined
    return Effect.flatMap(open(agent, outgoing), (sent) => answerTo(sent, outgoing, bytes ?? null))
  }
  const readable: Body.Body<Failed> = {
    ...body,
    read: (target, offset) =>
      Effect.mapError(body.read(target, offset), (cause) => unsendable(request, cause))
  }
  if (isShort(readable)) {
    return pump.whole(readable, (bytes, carriedBy) =>
      Effect.flatMap(open(agent, outgoing), (sent) => {
        carriedBy(sent)
        return answerTo(sent, outgoing, bytes)
      })
    )
  }
  return Effect.flatMap(open(agent, outgoing), (sent) =>
    Effect.raceFirst(
      answerTo(sent, outgoing, undefined),
      Effect.andThen(pump.run(sent, readable), Effect.never)
    )
  )
}

/** Node throws at once if headers or path are invalid. */
const open = (
  agent: HttpAgent["Service"],
  { request, url, signal }: Outgoing
): Effect.Effect<Http.ClientRequest, Failed> =>
  Effect.try({
    try: () => {
      const isSecure = url.protocol === "https:"
      const hostname = url.hostname.replace(/^\[|\]$/g, "")
      const options = {
        hostname,
        port: url.port,
        path: `${url.pathname}${url.search}`,
        method: request.method,
        headers: request.headers,
        agent: isSecure ? agent.https : agent.http,
        ...(signal === undefined ? undefined : { signal })
      }
      const sent = isSecure
        ? https.request({ ...options, ...identity(hostname) })
        : http.request(options)
      // Without a listener, an error after the response would end the process.
      return sent.on("error", ignored)
    },
    catch: (cause) => unsendable(request, cause)
  })

const ignored = () => {}

/** Without it, Node checks the certificate against the `Host` header. */
const identity = (hostname: string): { readonly servername?: string } =>
  net.isIP(hostname) === 0 ? {} : { servername: "" }

const unsendable = (request: HttpClientRequest, cause: unknown): Failed => ({
  reason: new HttpClientError.EncodeError({ request, cause }),
  stale: false
})

/** Ends the request with these bytes, or with none if they are null, and waits for the response. If there is none, it stops the request. */
const answerTo = (
  sent: Http.ClientRequest,
  outgoing: Outgoing,
  bytes: Uint8Array | null | undefined
): Effect.Effect<NodeResponse, Failed> =>
  Effect.onError(answering(sent, outgoing, bytes), () => Effect.sync(() => sent.destroy()))

const answering = (
  sent: Http.ClientRequest,
  { request, url }: Outgoing,
  bytes: Uint8Array | null | undefined
) =>
  Effect.callback<NodeResponse, Failed>((resume) => {
    let readBefore = 0
    const onSocket = ({ bytesRead }: { readonly bytesRead: number }) => (readBefore = bytesRead)
    const onResponse = (incoming: Http.IncomingMessage) => {
      if (!sent.writableEnded) cutOff(sent, incoming)
      resume(Effect.succeed(new NodeResponse(request, incoming, url)))
    }
    const onError = (cause: Error) => {
      const answered = (sent.socket?.bytesRead ?? 0) > readBefore
      const stale = sent.reusedSocket && !answered && request.method !== "POST"
      const reason = new HttpClientError.TransportError({ request, cause })
      resume(Effect.fail({ reason, stale: stale && isBreak(cause) }))
    }
    sent.once("socket", onSocket).once("response", onResponse).once("error", onError)
    if (bytes !== undefined) sent.end(bytes)
    return Effect.sync(() => {
      sent.off("socket", onSocket).off("response", onResponse).off("error", onError)
    })
  })

const isBreak = (cause: Error): boolean =>
  "code" in cause && (cause.code === "ECONNRESET" || cause.code === "EPIPE")

/** The response began before the end of the body. The rest of the body is not sent, and the connection is closed once the response has been read. */
const cutOff = (sent: Http.ClientRequest, incoming: Http.IncomingMessage) => {
  const destroy = () => sent.destroy()
  incoming.once("end", destroy).once("close", destroy)
}
