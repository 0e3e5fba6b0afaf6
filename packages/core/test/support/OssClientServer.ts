/** A server that answers as a test says, for what no emulator would answer. */
import { NodeHttpClient } from "@effect/platform-node"
import { Context, Effect, Layer, Redacted, type Scope } from "effect"
import type { HttpClient } from "effect/http"
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import * as OssClient from "../../src/OssClient.ts"

/** A request, as far as it has arrived. */
export interface Received {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  bytes: number
  state: "open" | "whole" | "aborted"
}

export interface Reply {
  readonly status?: number
  readonly headers?: Record<string, string>
  readonly body?: string
}

export type Answerer = (
  request: Received,
  response: ServerResponse,
  count: number
) => Reply | undefined

export interface Server {
  readonly url: string
  readonly requests: ReadonlyArray<Received>
  /** That are open. */
  readonly connections: () => number
  /** That there have ever been. */
  readonly accepted: () => number
}

/**
 * Answers with what `answer` returns; if it returns nothing, it has taken over.
 * On `arrival`, the body is not read.
 */
export const serve = (
  answer: Answerer,
  when: "whole" | "arrival" = "whole"
): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Server & { readonly close: Effect.Effect<void> }>((resume) => {
      const requests: Array<Received> = []
      const sockets = new Set<Socket>()
      let accepted = 0
      const server = createServer((incoming, response) => {
        const { method = "", url = "", headers } = incoming
        const request: Received = { method, url, headers, bytes: 0, state: "open" }
        requests.push(request)
        const reply = () => {
          const {
            status = 200,
            headers = {},
            body = ""
          } = answer(request, response, requests.length) ?? taken
          if (status > 0) response.writeHead(status, headers).end(body)
        }
        incoming.on("close", () => {
          if (request.state === "open") request.state = "aborted"
        })
        if (when === "arrival") reply()
        else {
          incoming.on("data", (bytes: Uint8Array) => (request.bytes += bytes.length))
          incoming.on("end", () => {
            request.state = "whole"
            reply()
          })
        }
      })
      // Whether a connection is closed is up to the client.
      server.keepAliveTimeout = 0
      server.on("connection", (socket) => {
        accepted++
        sockets.add(socket)
        socket.on("close", () => sockets.delete(socket))
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        resume(
          Effect.succeed({
            url: `http://127.0.0.1:${port}`,
            requests,
            connections: () => sockets.size,
            accepted: () => accepted,
            close: Effect.callback<void>((resume) => {
              server.close(() => resume(Effect.void))
              for (const socket of sockets) socket.destroy()
            })
          })
        )
      })
    }),
    ({ close }) => close
  )

const taken: Reply = { status: 0 }

export const fixedKeys = {
  accessKeyId: "test-id",
  accessKeySecret: Redacted.make("test-secret")
}

export const clientTo = (
  endpoint: string,
  options: Partial<OssClient.Options<unknown>> = {},
  http: Layer.Layer<HttpClient.HttpClient> = NodeHttpClient.layerNodeHttp
): Effect.Effect<OssClient.OssClient["Service"], never, Scope.Scope> =>
  OssClient.layer({ bucket: "bucket", endpoint, credentials: fixedKeys, ...options }).pipe(
    Layer.provide(http),
    Layer.build,
    Effect.map(Context.get(OssClient.OssClient)),
    Effect.orDie
  )

/** Lets real input and output happen; simulated time stands still. */
const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

/** Until something has happened on the wire. */
export const untilTrue = <E, R>(check: Effect.Effect<boolean, E, R>): Effect.Effect<void, E, R> =>
  Effect.asVoid(Effect.repeat(Effect.andThen(turn, check), { until: (done) => done }))

/** Until something has happened on the wire. */
export const until = (condition: () => boolean): Effect.Effect<void> =>
  untilTrue(Effect.sync(condition))
