/** Starts the emulator over HTTP: directories first, then the port. */
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpServer from "effect/http/HttpServer"
import type { ServeError } from "effect/http/HttpServerError"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type { PlatformError } from "effect/PlatformError"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import type { CorsRule as Given, ServerOptions } from "../OssEmulator.ts"
import { caller } from "./answers/callback.ts"
import { DirectoryInUse } from "./bytes/owner.ts"
import { JournalError } from "./bytes/journal.ts"
import * as Store from "./bytes/store.ts"
import { core } from "./core.ts"
import * as Face from "./http/face.ts"
import { withPages } from "./http/pages.ts"
import { seed, SeedError } from "./seed.ts"
import { service } from "./service.ts"
import type { CorsRule } from "./state/model.ts"
import type { Refusal } from "./wire/errors.ts"

/** The emulator can't start. */
export class StartError extends Schema.TaggedError<StartError>("@effect-oss/emulator/StartError")(
  "StartError",
  {
    /** The option that the emulator can't start with. */
    option: Schema.Literals(["port", "buckets", "dataDir", "seed", "credentials"]),
    /** What went wrong, in one line. */
    problem: Schema.String,
    /** What to do about it. */
    remedy: Schema.String
  }
) {
  override get message(): string {
    return `${this.option}: ${this.problem}; ${this.remedy}`
  }
}

export const start = Effect.fnUntraced(
  function* (options: ServerOptions) {
    const { dataDir, credentials = [], buckets, onRequest, port = 0, host = "127.0.0.1" } = options
    // Node throws at it, which would be a defect.
    if (!isPort(port)) return yield* noPort(port)
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

/** Different from run to run: the time it began, and a random number. */
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

/** What a client reads of answers, beyond what browsers show without being told. */
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

/** Serves until the scope closes, and tells where. */
const serve = Effect.fnUntraced(function* (
  handler: Effect.Effect<HttpServerResponse, never, HttpServerRequest>,
  listen: { readonly port: number; readonly host: string }
) {
  // OSS takes a body that says both how long it is and that it comes in chunks; Node does if told so.
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

const isPort = (port: number) => Number.isInteger(port) && port >= 0 && port <= 65_535

const noPort = (port: number) =>
  new StartError({
    option: "port",
    problem: `${port} is no port`,
    remedy: "give a number from 1 to 65535, or 0 for any free port"
  })

type Problem =
  | StartError
  | ServeError
  | PlatformError
  | JournalError
  | DirectoryInUse
  | SeedError
  | Refusal

const explain = (error: Problem, { port = 0, dataDir = "" }: ServerOptions): StartError => {
  const about = (option: StartError["option"], problem: string, remedy: string) =>
    new StartError({ option, problem, remedy })
  switch (error._tag) {
    case "StartError":
      return error
    case "ServeError":
      return about(
        "port",
        `${port} can't be listened on: ${reasonOf(error.cause)}`,
        "give another port, or 0 for any free one"
      )
    case "Refusal":
      return about("buckets", error.message, "give 3 to 63 lower-case letters, digits and hyphens")
    case "JournalError":
      return about("dataDir", error.message, `delete ${dataDir} to start afresh`)
    case "DirectoryInUse":
      return about(
        "dataDir",
        error.message,
        "stop the other emulator, or give each a data directory of its own"
      )
    case "SeedError":
      return about("seed", error.message, error.remedy)
    default:
      return about(
        "dataDir",
        `${dataDir} can't be used: ${error.message}`,
        "give a directory that this user can write to"
      )
  }
}

const reasonOf = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause))
