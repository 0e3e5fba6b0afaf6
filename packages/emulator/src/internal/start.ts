/** Starts the emulator over HTTP: directories first, then the port. */
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpServer from "effect/http/HttpServer"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Random from "effect/Random"
import type { CorsRule as Given, ServerOptions } from "../OssEmulator.ts"
import { caller } from "./answers/callback.ts"
import * as Store from "./bytes/store.ts"
import { core } from "./core.ts"
import * as Face from "./http/face.ts"
import { withPages } from "./http/pages.ts"
import { seed } from "./seed.ts"
import { service } from "./service.ts"
import { explain, wrongOption } from "./startErrors.ts"
import type { CorsRule } from "./state/model.ts"

export const start = Effect.fnUntraced(
  function* (options: ServerOptions) {
    const { dataDir, credentials = [], buckets, onRequest, port = 0, host = "127.0.0.1" } = options
    // Node throws for an invalid port, which would be a defect.
    const wrong = wrongOption(options)
    if (wrong !== undefined) return yield* wrong
    const store = yield* dataDir === undefined ? Store.memory : Store.directory(dataDir)
    const { verbs, exchange } = yield* core({ store, run: yield* newRun, buckets, onRequest })
    if (options.seed !== undefined) yield* seed(options.seed, verbs)
    const face = Face.make({
      exchange,
      verbs,
      credentials,
      region: options.region,
      cors: (options.cors ?? []).map(complete),
      call: caller(yield* HttpClient.HttpClient)
    })
    const isPublic = credentials.length === 0 || isLoopback(host)
    const url = yield* serve(withPages(Face.overNode(face), { verbs, isPublic }), { port, host })
    return service({ url, verbs, exchange })
  },
  (effect, options) =>
    effect.pipe(
      Effect.mapError((error) => explain(error, options)),
      Effect.provide([NodeServices.layer, FetchHttpClient.layer])
    )
)

/** A new id for each run: its start time and a random number. */
const newRun = Effect.map(
  Effect.all([Clock.currentTimeMillis, Random.nextIntBetween(0, 0xffff)]),
  ([millis, random]) =>
    millis.toString(16).toUpperCase().padStart(12, "0") +
    random.toString(16).toUpperCase().padStart(4, "0")
)

const complete = (rule: Given): CorsRule => ({
  allowedOrigins: rule.allowedOrigins,
  allowedMethods: rule.allowedMethods ?? ["GET", "PUT", "DELETE", "POST", "HEAD"],
  allowedHeaders: rule.allowedHeaders ?? ["*"],
  exposeHeaders: rule.exposeHeaders ?? exposed,
  ...(rule.maxAgeSeconds !== undefined && { maxAgeSeconds: rule.maxAgeSeconds })
})

/** The response headers that a client reads, besides those that browsers always show. */
const exposed = [
  "ETag",
  "Date",
  "Content-MD5",
  "Content-Range",
  "Retry-After",
  "x-oss-request-id",
  "x-oss-hash-crc64ecma",
  "x-oss-version-id",
  "x-oss-next-append-position",
  "x-oss-qos-delay-time",
  "x-oss-server-side-encryption",
  "x-oss-err",
  "x-oss-ec"
]

/** False: other machines can reach it. */
export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || host.startsWith("127.")

/** Serves until the scope closes, and returns the URL. */
const serve = Effect.fnUntraced(function* (
  handler: Effect.Effect<HttpServerResponse, never, HttpServerRequest>,
  listen: { readonly port: number; readonly host: string }
) {
  // OSS accepts a body with both a length and chunked encoding; Node does so only with this option.
  const node = createServer({ requestTimeout: 0, insecureHTTPParser: true })
  const server = yield* NodeHttpServer.make(() => node, {
    ...listen,
    disablePreemptiveShutdown: true
  })
  // The server runs handlers uninterruptibly unless told otherwise; clients may go away at any time.
  yield* server.serve(Effect.interruptible(handler))
  // Runs before the server waits for its connections to end.
  yield* Effect.addFinalizer(() => Effect.sync(() => node.closeAllConnections()))
  return HttpServer.formatAddress(server.address)
    .replace("//0.0.0.0:", "//127.0.0.1:")
    .replace("//[::]:", "//[::1]:")
})
