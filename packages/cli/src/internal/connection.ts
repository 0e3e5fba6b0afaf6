/** The layers of a command that talks to OSS, out of its flags and the environment. */
import * as OssClient from "@effect-oss/core/OssClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"

/** The flags; those that are given win over the environment. */
export interface Connection {
  readonly region: Option.Option<string>
  readonly endpoint: Option.Option<string>
  readonly pathStyle: Option.Option<boolean>
}

export const layerClient = (bucket: string, { region, endpoint, pathStyle }: Connection) =>
  OssClient.layerConfig({
    bucket,
    region: Option.getOrUndefined(region),
    endpoint: Option.getOrUndefined(endpoint),
    pathStyle: Option.getOrUndefined(pathStyle)
  }).pipe(Layer.provide(NodeHttpClient.layerNodeHttp))
