/**
 * Builds the layers of a command that talks to OSS, from its flags, a
 * configuration file if you ask for one, and the environment.
 */
import * as Bandwidth from "@effect-oss/core/Bandwidth"
import * as TextFile from "@effect-oss/core/internal/textFile"
import * as OssClient from "@effect-oss/core/OssClient"
import * as NodeOssHttp from "@effect-oss/node-http/NodeOssHttp"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { UsageError } from "./CliFailure.ts"
import * as Credentials from "./credentials.ts"
import { variable } from "./environment.ts"
import { logged } from "./requestLog.ts"
import * as OssutilConfig from "./OssutilConfig.ts"

/** The flags. A flag wins over the file, and the file wins over the environment. */
export interface Connection {
  readonly region: Option.Option<string>
  readonly endpoint: Option.Option<string>
  readonly pathStyle: Option.Option<boolean>
  readonly cname: Option.Option<boolean>
  /** Whether to read ossutil's own file. */
  readonly ossutil: boolean
  readonly ossutilConfig: Option.Option<string>
  /** The profile of Alibaba's files, or of ossutil's file. */
  readonly profile: Option.Option<string>
  /** The log file, which gets a line for each request. */
  readonly log: Option.Option<string>
}

export const layerClient = (bucket: string, connection: Connection) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { region, endpoint, pathStyle, cname, profile } = connection
      const file = yield* ossutilFile(bucket, connection)
      const credentials = yield* file === undefined
        ? Effect.map(Credentials.found(profile), (found) => found?.current)
        : Effect.succeed(file.credentials)
      return OssClient.layerConfig({
        bucket,
        region: Option.getOrUndefined(region) ?? file?.region,
        endpoint: Option.getOrUndefined(endpoint) ?? file?.endpoint,
        pathStyle: Option.getOrUndefined(pathStyle),
        cname: Option.getOrUndefined(cname) ?? file?.cname,
        ...(credentials === undefined ? {} : { credentials })
      })
    })
  ).pipe(Layer.provide(logged(NodeOssHttp.layer(), connection.log)))

const ossutilFile = Effect.fnUntraced(function* (bucket: string, connection: Connection) {
  const { ossutil, ossutilConfig, profile } = connection
  const isNamed = Option.isSome(ossutilConfig)
  if (!isNamed && !ossutil) return undefined
  const path = isNamed ? ossutilConfig.value : yield* ossutilPath
  const text = yield* read(isNamed ? "--ossutil-config" : "--ossutil", path, isNamed)
  const config = yield* Effect.fromResult(
    OssutilConfig.parse(path, text, { bucket, profile: Option.getOrUndefined(profile) })
  )
  if (config.credentials !== undefined) return { ...config, credentials: config.credentials }
  // The mode names a service that gives the keys.
  const { current } = yield* Credentials.ofOssutil(path, profile)
  return { ...config, credentials: current }
})

/** The path of ossutil's own file. */
const ossutilPath = Effect.gen(function* () {
  const path = yield* Path.Path
  const given = yield* variable("OSSUTIL_CONFIG_FILE")
  if (Option.isSome(given)) return given.value
  const home = yield* variable("HOME")
  if (Option.isSome(home)) return path.join(home.value, ".ossutilconfig")
  return yield* new UsageError({
    problem: "--ossutil: neither OSSUTIL_CONFIG_FILE nor HOME says where ossutil's file is",
    remedy: "give it by --ossutil-config FILE"
  })
})

/**
 * Reads a file that the user named. It may be a pipe, as in `--ossutil-config
 * <(decrypt keys)`.
 */
const read = (flag: string, path: string, pipes: boolean) =>
  Effect.mapError(
    TextFile.read(path, { pipes }),
    ({ why, problem }) =>
      new UsageError({
        problem:
          why === "NotFound" ? `${flag}: there is no file ${path}` : `${flag}: ${path} ${problem}`,
        remedy: `write it by "ossutil config", or give another by --ossutil-config FILE`
      })
  )

/** Limits the bandwidth if a limit is given. */
export const limited = <E, R>(
  client: Layer.Layer<OssClient.OssClient, E, R>,
  bytesPerSecond: Option.Option<number>
): Layer.Layer<OssClient.OssClient, E, R> =>
  Option.match(bytesPerSecond, {
    onNone: () => client,
    onSome: (bytesPerSecond) =>
      Bandwidth.limited(client).pipe(Layer.provide(Bandwidth.layer({ bytesPerSecond })))
  })
