/**
 * An OSS that runs on one's own machine: over HTTP, where any OSS client can
 * talk to it, or as an `OssClient` without any I/O, for tests in simulated
 * time. Both faces work on the same state machine, take the same faults and
 * keep the same log.
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
import type { Credential } from "./internal/signature/verify.ts"
import { start, type StartError } from "./internal/start.ts"
import type { Refusal } from "./internal/wire/errors.ts"
import type { Entry } from "./RequestLog.ts"

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
 * A change that the emulator refuses, as it would refuse it of a client.
 *
 * @category errors
 * @since 0.1.0
 */
export { Refusal } from "./internal/wire/errors.ts"

/**
 * The emulator can't start: the port is taken, a directory can't be used, the
 * journal of the data directory is damaged.
 *
 * @category errors
 * @since 0.1.0
 */
export { StartError } from "./internal/start.ts"

/**
 * A key that the emulator knows.
 *
 * @category models
 * @since 0.1.0
 */
export type { Credential } from "./internal/signature/verify.ts"

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
      const { client, emulator } = yield* inProcess(options)
      return Context.make(OssClient.OssClient, client).pipe(Context.add(OssEmulator, emulator))
    })
  )

/**
 * What a browser may do from another origin, as `PutBucketCors` says it.
 *
 * @category models
 * @since 0.1.0
 */
export interface CorsRule {
  /** Origins such as `https://example.com`; each may hold one `*`. */
  readonly allowedOrigins: ReadonlyArray<string>
  /** Default: all that OSS knows. */
  readonly allowedMethods?: ReadonlyArray<string> | undefined
  /** Request headers; each may hold one `*`. Default: all. */
  readonly allowedHeaders?: ReadonlyArray<string> | undefined
  /** Response headers that a script may read. Default: all that a client needs. */
  readonly exposeHeaders?: ReadonlyArray<string> | undefined
  /** How long a browser may cache the answer to a preflight, in seconds. Without it, the emulator sends none, and browsers use their own. */
  readonly maxAgeSeconds?: number | undefined
}

/**
 * How the emulator over HTTP is set up.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServerOptions {
  /** Default: 0, any free one; `url` tells which. */
  readonly port?: number | undefined
  /** The address to listen on. Default: `127.0.0.1`, which only this machine reaches. */
  readonly host?: string | undefined
  /** Where everything is kept, created if need be; one emulator at a time. Default: memory. */
  readonly dataDir?: string | undefined
  /** A directory whose subdirectories become buckets, and their files objects, unless they are there already. */
  readonly seed?: string | undefined
  /** Who is let in. Default: everybody, signed or not. */
  readonly credentials?: ReadonlyArray<Credential> | undefined
  /** The buckets that exist. Default: any comes into being when it is first named. */
  readonly buckets?: ReadonlyArray<string> | undefined
  /** The region that signatures of version 4 must name. Default: the one of the host name, or else any. */
  readonly region?: string | undefined
  /** The rules of buckets that have none of their own. Default: none. */
  readonly cors?: ReadonlyArray<CorsRule> | undefined
  /** Runs at the end of each request. */
  readonly onRequest?: ((entry: Entry) => Effect.Effect<void>) | undefined
}

/**
 * An OSS over HTTP. In a data directory it finds again, after any kind of end,
 * what it had acknowledged. When the scope closes, open connections break.
 *
 * **Details**
 *
 * A browser finds a page at `/` that shows buckets, objects and open uploads.
 * `/-/health` answers 200 as long as the emulator runs.
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
export const layer = (options: ServerOptions = {}): Layer.Layer<OssEmulator, StartError> =>
  Layer.effect(OssEmulator, start(options))
