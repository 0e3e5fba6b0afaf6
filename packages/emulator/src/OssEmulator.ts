/**
 * An OSS that runs on one's own machine: over HTTP, where any OSS client can
 * talk to it, or as an `OssClient` without any I/O, for tests in simulated
 * time. Both faces work on the same state machine, take the same faults and
 * keep the same log.
 *
 * @since 0.1.0
 */
import { createServer } from "node:http"
import * as OssClient from "@effect-oss/core/OssClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as HttpServer from "effect/http/HttpServer"
import type { ServeError } from "effect/http/HttpServerError"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as Bucket from "./Bucket.ts"
import type { Refusal } from "./ErrorCode.ts"
import type * as Fault from "./Fault.ts"
import * as Client from "./internal/client.ts"
import * as Exchange from "./internal/exchange.ts"
import * as Http from "./internal/http.ts"
import type { JournalError } from "./internal/journal.ts"
import * as Store from "./internal/store.ts"
import * as Verbs from "./internal/verbs.ts"
import type { Entry } from "./RequestLog.ts"
import type { Credential } from "./Signature.ts"

/**
 * The emulator as a test sees it: what happens next, what has happened, and
 * what is stored. `OssClient`, or a client over HTTP, is how a program sees it.
 *
 * @category services
 * @since 0.1.0
 */
export class OssEmulator extends Context.Service<
  OssEmulator,
  {
    /** Where it listens, such as `http://127.0.0.1:41234`; a made-up one without I/O. */
    readonly url: string
    /** Adds faults behind those that are still due. */
    readonly inject: (...faults: ReadonlyArray<Fault.Fault>) => Effect.Effect<void>
    readonly clearFaults: Effect.Effect<void>
    /** All requests so far, in the order in which they arrived. */
    readonly log: Effect.Effect<ReadonlyArray<Entry>>
    /** How many requests are under way. */
    readonly inFlight: Effect.Effect<number>
    readonly object: (bucket: string, key: string) => Effect.Effect<Option.Option<EmulatedObject>>
    /** The open uploads of a bucket, in the order in which they began; none if there is no such bucket. */
    readonly uploads: (bucket: string) => Effect.Effect<ReadonlyArray<EmulatedUpload>>
    /** Loses a part. Fails if there is no such upload. */
    readonly removePart: (part: {
      readonly bucket: string
      readonly key: string
      readonly uploadId: string
      readonly number: number
    }) => Effect.Effect<void, Refusal>
    /** As if somebody else had done it. Fails if there is no such upload. */
    readonly abortUpload: (upload: {
      readonly bucket: string
      readonly key: string
      readonly uploadId: string
    }) => Effect.Effect<void, Refusal>
    /** As if somebody else had done it. Fails if there is no such bucket. */
    readonly deleteObject: (bucket: string, key: string) => Effect.Effect<void, Refusal>
  }
>()("@effect-oss/emulator/OssEmulator") {}

/**
 * The journal of a data directory can't be read.
 *
 * @category errors
 * @since 0.1.0
 */
export { JournalError } from "./internal/journal.ts"

/**
 * An object that the emulator holds.
 *
 * @category models
 * @since 0.1.0
 */
export interface EmulatedObject {
  readonly key: string
  /** In bytes. */
  readonly size: number
  /** Quotes included. */
  readonly etag: string
  /** CRC-64/XZ of its bytes. */
  readonly crc64: bigint
  /** As given by Initiate, Complete or Put, names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Effect.Effect<Uint8Array, PlatformError>
  readonly stream: Stream.Stream<Uint8Array, PlatformError>
}

/**
 * An upload that is neither completed nor aborted.
 *
 * @category models
 * @since 0.1.0
 */
export interface EmulatedUpload {
  readonly key: string
  readonly uploadId: string
  /** In milliseconds since 1970. */
  readonly initiated: number
  readonly headers: Readonly<Record<string, string>>
  /** Ascending by number. */
  readonly parts: ReadonlyArray<{
    readonly number: number
    /** In bytes. */
    readonly size: number
    /** Quotes included. */
    readonly etag: string
    /** CRC-64/XZ of its bytes. */
    readonly crc64: bigint
  }>
}

/**
 * How the emulator without I/O is set up.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClientOptions {
  /** The client's bucket. Default: `test-bucket`. */
  readonly bucket?: string | undefined
  /** What the client says its endpoint is. Default: `http://oss.test`. */
  readonly endpoint?: string | undefined
  /** The buckets that exist. Default: any comes into being when it is first named. */
  readonly buckets?: ReadonlyArray<string> | undefined
}

/**
 * An `OssClient` straight over the state machine: no I/O, and no time but that
 * of Effect's `Clock`. Bodies are pulled in pieces of 64 KiB.
 *
 * **Example** (an answer gets lost)
 *
 * ```ts
 * import { OssClient } from "@effect-oss/core"
 * import { Fault, OssEmulator } from "@effect-oss/emulator"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const emulator = yield* OssEmulator.OssEmulator
 *   yield* emulator.inject(Fault.drop({ operation: "initiate", at: "after" }))
 *   const client = yield* OssClient.OssClient
 *   const error = yield* Effect.flip(client.initiate("backups/db.tar"))
 *   return [error.reason._tag, (yield* emulator.uploads(client.bucket)).length]
 * }).pipe(Effect.provide(OssEmulator.layerClient()))
 *
 * Effect.runSync(program) // => ["Transport", 1]
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerClient = (
  options: ClientOptions = {}
): Layer.Layer<OssClient.OssClient | OssEmulator> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const { bucket = "test-bucket", endpoint = "http://oss.test" } = options
      const store = yield* Store.memory
      const { verbs, exchange } = yield* Effect.orDie(
        core({ store, run: "0", buckets: options.buckets })
      )
      return Context.make(
        OssClient.OssClient,
        Client.make({ endpoint, bucket, exchange, verbs })
      ).pipe(Context.add(OssEmulator, service({ url: endpoint, verbs, exchange })))
    })
  )

/**
 * How the emulator over HTTP is set up.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServerOptions {
  /** On 127.0.0.1. Default: 0, any free one; `url` tells which. */
  readonly port?: number | undefined
  /** Where everything is kept, created if need be; one emulator at a time. Default: memory. */
  readonly dataDir?: string | undefined
  /** Who is let in. Default: everybody, signed or not. */
  readonly credentials?: ReadonlyArray<Credential> | undefined
  /** The buckets that exist. Default: any comes into being when it is first named. */
  readonly buckets?: ReadonlyArray<string> | undefined
}

/**
 * An OSS over HTTP on 127.0.0.1. In a data directory it finds again, after any
 * kind of end, what it had acknowledged. When the scope closes, open
 * connections break.
 *
 * **Example** (until interrupted)
 *
 * ```ts
 * import { OssEmulator } from "@effect-oss/emulator"
 * import { Console, Effect } from "effect"
 *
 * const program = OssEmulator.OssEmulator.use(({ url }) => Console.log(url)).pipe(
 *   Effect.andThen(Effect.never),
 *   Effect.provide(OssEmulator.layer({ dataDir: ".oss" }))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: ServerOptions = {}
): Layer.Layer<OssEmulator, ServeError | PlatformError | JournalError | Refusal> =>
  Layer.effect(
    OssEmulator,
    Effect.gen(function* () {
      const { port = 0, dataDir, credentials = [], buckets } = options
      const store = yield* dataDir === undefined ? Store.memory : Store.directory(dataDir)
      const { verbs, exchange } = yield* core({ store, run: yield* newRun, buckets })
      const url = yield* serve(Http.make({ exchange, verbs, credentials }), port)
      return service({ url, verbs, exchange })
    })
  ).pipe(Layer.provide(NodeServices.layer))

/** Different from run to run: the time it began, and a random number. */
const newRun = Effect.map(
  Effect.all([Clock.currentTimeMillis, Random.nextIntBetween(0, 0xffff)]),
  ([millis, random]) =>
    millis.toString(16).toUpperCase().padStart(12, "0") +
    random.toString(16).toUpperCase().padStart(4, "0")
)

/** Serves until the scope closes, and tells where. */
const serve = Effect.fnUntraced(function* (
  handler: Effect.Effect<HttpServerResponse, never, HttpServerRequest>,
  port: number
) {
  const node = createServer({ requestTimeout: 0 })
  const server = yield* NodeHttpServer.make(() => node, {
    port,
    host: "127.0.0.1",
    disablePreemptiveShutdown: true
  })
  // The server runs handlers uninterruptibly unless told otherwise; clients may go away at any time.
  yield* server.serve(Effect.interruptible(handler))
  // Runs before the server waits for its connections to end.
  yield* Effect.addFinalizer(() => Effect.sync(() => node.closeAllConnections()))
  return HttpServer.formatAddress(server.address)
})

/** What both faces share. `run` tells the ids of one run from those of others on the same data. */
const core = Effect.fnUntraced(function* (options: {
  readonly store: Store.Store
  readonly run: string
  readonly buckets: ReadonlyArray<string> | undefined
}) {
  const { store, run, buckets } = options
  const counter = (length: number) => {
    let count = 0
    const room = length - run.length
    return () => `${run}${(++count).toString(16).toUpperCase().padStart(room, "0")}`
  }
  const ids = { uploadId: counter(32), blobId: counter(32) }
  const verbs = Verbs.make({ store, ids, anyBucket: buckets === undefined })
  yield* Effect.forEach(buckets ?? [], verbs.ensureBucket, { discard: true })
  return { verbs, exchange: yield* Exchange.make(counter(24)) }
})

const service = (options: {
  readonly url: string
  readonly verbs: Verbs.Verbs
  readonly exchange: Exchange.Exchange
}): OssEmulator["Service"] => {
  const { url, verbs, exchange } = options
  return {
    url,
    inject: (...faults) => exchange.inject(faults),
    clearFaults: exchange.clearFaults,
    log: exchange.log,
    inFlight: exchange.inFlight,
    object: (bucket, key) =>
      verbs.head({ bucket, key }).pipe(
        Effect.map((object) => {
          const stream = verbs.read(object, { start: 0, end: object.size })
          const { size, etag, crc64, headers } = object
          return { key, size, etag, crc64, headers, stream, bytes: Stream.mkUint8Array(stream) }
        }),
        Effect.option
      ),
    uploads: (bucket) =>
      verbs.openUploads(bucket).pipe(
        Effect.map((uploads) => uploads.sort(byId).map(emulatedUpload)),
        Effect.orElseSucceed(() => [])
      ),
    removePart: verbs.removePart,
    abortUpload: verbs.abort,
    deleteObject: (bucket, key) => verbs.remove({ bucket, key })
  }
}

const byId = (a: Bucket.OpenUpload, b: Bucket.OpenUpload) => (a.uploadId < b.uploadId ? -1 : 1)

const emulatedUpload = (upload: Bucket.OpenUpload): EmulatedUpload => {
  const { key, uploadId, initiated, headers } = upload
  const parts = HashMap.toValues(upload.parts)
    .sort((a, b) => a.number - b.number)
    .map(({ number, blob: { size, md5, crc64 } }) => ({
      number,
      size,
      etag: Bucket.quote(md5),
      crc64
    }))
  return { key, uploadId, initiated, headers, parts }
}
