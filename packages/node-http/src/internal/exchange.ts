/**
 * One request and its answer over node:http.
 */
import * as Body from "@effect-oss/core/Body"
import type { HttpAgent } from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import type * as Http from "node:http"
import type { Route } from "./agents.ts"
import { http, https, net } from "./http.ts"
import type { Pump } from "./pump.ts"
import { NodeResponse } from "./response.ts"

/** What to send where. */
export interface Outgoing {
  readonly request: HttpClientRequest
  readonly url: URL
  readonly signal: AbortSignal
}

/** Whether this is a request for here: one without a body, with bytes, or with a `Body`. */
export const takes = ({ body, headers }: HttpClientRequest): boolean =>
  headers["upgrade"] === undefined &&
  (body._tag === "Empty" || body._tag === "Uint8Array" || Option.isSome(Body.behind(body)))

/** Sends the request; where that meets a connection that had gone stale, once more over a new one. */
export const make = (
  { kept, fresh }: Route,
  pump: Pump,
  outgoing: Outgoing
): Effect.Effect<HttpClientResponse, HttpClientError.HttpClientError> =>
  attempt(kept, pump, outgoing).pipe(
    Effect.catchIf(
      ({ stale }) => stale,
      () => attempt(fresh, pump, outgoing)
    ),
    Effect.mapError(({ reason }) => new HttpClientError.HttpClientError({ reason }))
  )

interface Failed {
  readonly reason: HttpClientError.TransportError | HttpClientError.EncodeError
  /** The connection was a kept one and broke before an answer, and the request may be made twice. */
  readonly stale: boolean
}

/** However it ends without an answer, the request is off the wire then and its body is no longer read. */
const attempt = (agent: HttpAgent["Service"], pump: Pump, outgoing: Outgoing) =>
  Effect.flatMap(open(agent, outgoing), (sent) =>
    answerTo(sent, outgoing.request).pipe(
      Effect.raceFirst(Effect.andThen(send(sent, pump, outgoing.request), Effect.never)),
      Effect.onError(() => Effect.sync(() => sent.destroy())),
      Effect.map((incoming) => {
        if (!sent.writableEnded) cutOff(sent, incoming)
        return new NodeResponse(outgoing.request, incoming, outgoing.url)
      })
    )
  )

/** Node throws at once what is wrong with headers or path. */
const open = (
  agent: HttpAgent["Service"],
  { request, url, signal }: Outgoing
): Effect.Effect<Http.ClientRequest, Failed> =>
  Effect.try({
    try: () => {
      const { method, headers } = request
      const sent =
        url.protocol === "https:"
          ? https.request(url, { agent: agent.https, method, headers, signal, ...identity(url) })
          : http.request(url, { agent: agent.http, method, headers, signal })
      // Without a listener an error that comes after the answer would end the process.
      return sent.on("error", () => {})
    },
    catch: (cause) => unsendable(request, cause)
  })

/** Otherwise Node takes the name to check the certificate against out of the header Host. */
const identity = ({ hostname }: URL): { readonly servername?: string } =>
  net.isIP(hostname.replace(/^\[|\]$/g, "")) === 0 ? {} : { servername: "" }

const send = (
  sent: Http.ClientRequest,
  pump: Pump,
  request: HttpClientRequest
): Effect.Effect<void, Failed> => {
  const body = Option.getOrUndefined(Body.behind(request.body))
  return body === undefined
    ? Effect.sync(() => {
        sent.end(request.body._tag === "Uint8Array" ? request.body.body : undefined)
      })
    : Effect.mapError(pump.run(sent, body), (cause) => unsendable(request, cause))
}

const unsendable = (request: HttpClientRequest, cause: unknown): Failed => ({
  reason: new HttpClientError.EncodeError({ request, cause }),
  stale: false
})

const answerTo = (sent: Http.ClientRequest, request: HttpClientRequest) =>
  Effect.callback<Http.IncomingMessage, Failed>((resume) => {
    let readBefore = 0
    const onSocket = ({ bytesRead }: { readonly bytesRead: number }) => (readBefore = bytesRead)
    const onResponse = (incoming: Http.IncomingMessage) => resume(Effect.succeed(incoming))
    const onError = (cause: Error) => {
      const answered = (sent.socket?.bytesRead ?? 0) > readBefore
      const stale = sent.reusedSocket && !answered && request.method !== "POST"
      const reason = new HttpClientError.TransportError({ request, cause })
      resume(Effect.fail({ reason, stale: stale && isBreak(cause) }))
    }
    sent.once("socket", onSocket).once("response", onResponse).once("error", onError)
    return Effect.sync(() => {
      sent.off("socket", onSocket).off("response", onResponse).off("error", onError)
    })
  })

const isBreak = (cause: Error): boolean =>
  "code" in cause && (cause.code === "ECONNRESET" || cause.code === "EPIPE")

/** An answer before the end of the body: there is nothing more to say over this connection. */
const cutOff = (sent: Http.ClientRequest, incoming: Http.IncomingMessage) => {
  const destroy = () => sent.destroy()
  incoming.once("end", destroy).once("close", destroy)
}
