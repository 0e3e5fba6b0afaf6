/** Uploads to an emulator over HTTP. */
import { NodeHttpClient, NodeServices } from "@effect/platform-node"
import { CheckpointStore, OssClient, OssCredentials } from "@effect-oss/core"
import { OssEmulator } from "@effect-oss/emulator"
import { Effect, Layer, Redacted, Schedule } from "effect"
import { HttpClient } from "effect/http"
import { bucket } from "./world.ts"

export const permanent: OssEmulator.Credential = {
  accessKeyId: "id",
  accessKeySecret: "s3cr3t-of-the-key"
}

export const keysOf = (credential: OssEmulator.Credential): OssCredentials.Credentials => ({
  accessKeyId: credential.accessKeyId,
  accessKeySecret: Redacted.make(credential.accessKeySecret),
  ...(credential.securityToken && { securityToken: Redacted.make(credential.securityToken) })
})

/** The real client over HTTP to an emulator that checks signatures. */
export const httpWorld = <E = never>(
  options: Partial<OssClient.Options<E>> = {},
  credentials: ReadonlyArray<OssEmulator.Credential> = [permanent],
  http: Layer.Layer<HttpClient.HttpClient> = NodeHttpClient.layerNodeHttp
) =>
  Layer.unwrap(
    Effect.map(OssEmulator.OssEmulator, ({ url }) =>
      OssClient.layer({ bucket, endpoint: url, credentials: keysOf(permanent), ...options })
    )
  ).pipe(
    Layer.provideMerge(OssEmulator.layer({ credentials, buckets: [bucket] })),
    Layer.provideMerge(CheckpointStore.layerMemory),
    Layer.provideMerge(Layer.merge(http, NodeServices.layer))
  )

export const quick = Schedule.spaced("10 millis").pipe(Schedule.upTo({ times: 4 }))
