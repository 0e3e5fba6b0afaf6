/** The layers of a command that talks to OSS, out of its flags, a file if asked for, and the environment. */
import * as Bandwidth from "@effect-oss/core/Bandwidth"
import * as OssClient from "@effect-oss/core/OssClient"
import * as NodeOssHttp from "@effect-oss/node-http/NodeOssHttp"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { UsageError } from "../CliFailure.ts"
import * as OssutilConfig from "../OssutilConfig.ts"

/** The flags; those that are given win over the file, and the file over the environment. */
export interface Connection {
  readonly region: Option.Option<string>
  readonly endpoint: Option.Option<string>
  readonly pathStyle: Option.Option<boolean>
  readonly ossutilConfig: Option.Option<string>
}

export const layerClient = (bucket: string, connection: Connection) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { region, endpoint, pathStyle, ossutilConfig } = connection
      const file = Option.isSome(ossutilConfig) ? yield* read(ossutilConfig.value) : undefined
      return OssClient.layerConfig({
        bucket,
        region: Option.getOrUndefined(region) ?? file?.region,
        endpoint: Option.getOrUndefined(endpoint) ?? file?.endpoint,
        pathStyle: Option.getOrUndefined(pathStyle),
        ...(file === undefined ? {} : { credentials: file.credentials })
      })
    })
  ).pipe(Layer.provide(NodeOssHttp.layer()))

const read = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  const text = yield* Effect.mapError(
    fs.readFileString(path),
    ({ message }) =>
      new UsageError({
        problem: `--ossutil-config: ${message}`,
        remedy: "give a file that this user can read, such as ~/.ossutilconfig"
      })
  )
  return yield* Effect.fromResult(OssutilConfig.parse(path, text))
})

/** At most so many bytes a second, if that is asked for. */
export const limited = <E, R>(
  client: Layer.Layer<OssClient.OssClient, E, R>,
  bytesPerSecond: Option.Option<number>
): Layer.Layer<OssClient.OssClient, E, R> =>
  Option.match(bytesPerSecond, {
    onNone: () => client,
    onSome: (bytesPerSecond) =>
      Bandwidth.limited(client).pipe(Layer.provide(Bandwidth.layer({ bytesPerSecond })))
  })
