/**
 * An OSS that runs on your own machine. `layer` serves HTTP, so that any OSS
 * client can use it. `layerClient` is an `OssClient` without any I/O, for tests
 * on a virtual clock. Both store objects alike, take the same faults and keep
 * the same log.
 *
 * @since 0.1.0
 */
import * as OssClient from "@effect-oss/core/OssClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import type * as Stream from "effect/Stream"
import type * as Fault from "./Fault.ts"
import { inProcess } from "./internal/inProcess.ts"
import type { Refusal, StartError } from "./EmulatorError.ts"
import { start } from "./internal/start.ts"
import type { Entry } from "./RequestLog.ts"

/**
 * What a test uses of the emulator: it injects faults, reads the log of
 * requests, and looks at stored objects and open uploads. The program under
 * test uses an `OssClient`, or a client over HTTP.
 *
 * @category services
 * @since 0.1.0
 */
export class OssEmulator extends Context.Service<
  OssEmulator,
  {
    /** Where the emulator listens, such as `http://127.0.0.1:41234`. Without I/O: the option `endpoint`. */
    readonly url: string
    /** Adds faults after those that are still due. */
    readonly inject: (...faults: ReadonlyArray<Fault.Fault>) => Effect.Effect<void>
    /** Forgets all faults. */
    readonly clearFaults: Effect.Effect<void>
    /** All requests so far, in the order in which they arrived. */
    readonly log: Effect.Effect<ReadonlyArray<Entry>>
    /** How many requests are in flight now. */
    readonly inFlight: Effect.Effect<number>
    /** The object with this key; none if there is no such object or bucket. */
    readonly object: (bucket: string, key: string) => Effect.Effect<Option.Option<EmulatedObject>>
    /** The open uploads of a bucket, in the order in which they began. Empty if there is no such bucket. */
    readonly uploads: (bucket: string) => Effect.Effect<ReadonlyArray<EmulatedUpload>>
    /** Loses a part, as if the server had. Fails if there is no such upload. */
    readonly removePart: (part: {
      readonly bucket: string
      readonly key: string
      readonly uploadId: string
      readonly number: number
    }) => Effect.Effect<void, Refusal>
    /** Aborts an upload, as if another client had. Fails if there is no such upload. */
    readonly abortUpload: (upload: {
      readonly bucket: string
      readonly key: string
      readonly uploadId: string
    }) => Effect.Effect<void, Refusal>
    /** Removes an object, as if another client had. Fails if there is no such bucket. */
    readonly deleteObject: (bucket: string, key: string) => Effect.Effect<void, Refusal>
  }
>()("@effect-oss/emulator/OssEmulator") {}

export * from "./EmulatorError.ts"

/**
 * A key that the emulator knows.
 *
 * @category models
 * @since 0.1.0
 */
export interface Credential {
  readonly accessKeyId: string
  readonly accessKeySecret: string
  /** Set it for temporary keys: each request must carry this token. */
  readonly securityToken?: string | undefined
  /** In milliseconds since 1970. Default: never. */
  readonly expiresAt?: number | undefined
}

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
  /** With its quotes. */
  readonly etag: string
  /** CRC-64/XZ of its bytes. */
  readonly crc64: bigint
  /** The headers that the client set, such as `content-type` and `x-oss-meta-*`. Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** All bytes of it, in memory. */
  readonly bytes: Effect.Effect<Uint8Array, PlatformError>
  /** Its bytes in pieces, for large objects. */
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
  /** The headers that the client set at Initiate. Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Ascending by number. */
  readonly parts: ReadonlyArray<{
    readonly number: number
    /** In bytes. */
    readonly size: number
    /** With its quotes. */
    readonly etag: string
    /** CRC-64/XZ of its bytes. */
    readonly crc64: bigint
  }>
}

/**
 * Options of `layerClient`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClientOptions {
  /** The client's bucket. Default: `test-bucket`. */
  readonly bucket?: string | undefined
  /** The endpoint that the client reports. Nothing listens there. Default: `http://oss.test`. */
  readonly endpoint?: string | undefined
  /** The buckets that exist. Default: a bucket is created when a request first names it. */
  readonly buckets?: ReadonlyArray<string> | undefined
}

/**
 * An `OssClient` without any I/O, and the emulator behind it. Time is that of
 * Effect's `Clock`, so a test with a virtual clock waits for nothing. Bodies
 * are read in pieces of 64 KiB. Objects stay in memory.
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
      const { client, emulator } = yield* inProcess(options)
      return Context.make(OssClient.OssClient, client).pipe(Context.add(OssEmulator, emulator))
    })
  )

/**
 * What a page of another origin may do, as in `PutBucketCors`.
 *
 * @category models
 * @since 0.1.0
 */
export interface CorsRule {
  /** Origins such as `https://example.com`, without a path. Each may contain one `*`. */
  readonly allowedOrigins: ReadonlyArray<string>
  /** Default: `GET`, `PUT`, `DELETE`, `POST` and `HEAD`. */
  readonly allowedMethods?: ReadonlyArray<string> | undefined
  /** Request headers. Each may contain one `*`. Default: all. */
  readonly allowedHeaders?: ReadonlyArray<string> | undefined
  /** Response headers that a script may read. Default: all that an upload needs. */
  readonly exposeHeaders?: ReadonlyArray<string> | undefined
  /** How long a browser may keep the answer to a preflight, in seconds. Default: the browser's own. */
  readonly maxAgeSeconds?: number | undefined
}

/**
 * Options of `layer`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServerOptions {
  /** Default: 0, which takes any free port; `url` names it. */
  readonly port?: number | undefined
  /** The address to listen on. Default: `127.0.0.1`, which only this machine can reach. */
  readonly host?: string | undefined
  /** The directory that keeps everything. The emulator creates it. Only one emulator at a time can use it. Default: memory. */
  readonly dataDir?: string | undefined
  /** A directory to start with: its subdirectories become buckets, and their files become objects. Objects that exist already stay as they are. */
  readonly seed?: string | undefined
  /** The keys that may sign requests. Default: the emulator takes all requests, signed or not. */
  readonly credentials?: ReadonlyArray<Credential> | undefined
  /** The buckets that exist. Default: a bucket is created when a request first names it. */
  readonly buckets?: ReadonlyArray<string> | undefined
  /** The region that signatures of version 4 must name. Default: the region of the host name, else any. */
  readonly region?: string | undefined
  /** The CORS rules of buckets that have none of their own. Default: none. */
  readonly cors?: ReadonlyArray<CorsRule> | undefined
  /** Runs at the end of each request. */
  readonly onRequest?: ((entry: Entry) => Effect.Effect<void>) | undefined
}

/**
 * Serves OSS over HTTP until the scope closes; then open connections break.
 * With `dataDir`, the next emulator finds everything that this one
 * acknowledged, even after a kill. The emulator syncs no files: after a power
 * cut they may lack bytes.
 *
 * **Details**
 *
 * Open `url` in a browser: a page shows buckets, objects and open uploads.
 * `/-/health` answers 200 as long as the emulator runs.
 *
 * **Example** (an emulator that runs until it is interrupted)
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
export const layer = (options: ServerOptions = {}): Layer.Layer<OssEmulator, StartError> =>
  Layer.effect(OssEmulator, start(options))
