/** Keys that a server of one's own hands out, from STS: asked for when needed, and again before they expire. */
import { CheckpointStore, OssClient, Source, Upload } from "@effect-oss/core"
import { NodeOssHttp } from "@effect-oss/node-http"
import { NodeRuntime } from "@effect/platform-node"
import { Config, Console, DateTime, Effect, Schema } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"

/** As STS answers AssumeRole. */
const Keys = Schema.Struct({
  AccessKeyId: Schema.String,
  AccessKeySecret: Schema.RedactedFromValue(Schema.String),
  SecurityToken: Schema.RedactedFromValue(Schema.String),
  Expiration: Schema.DateTimeUtcFromString
})

export const credentials = Effect.gen(function* () {
  const url = yield* Config.URL("KEYS")
  const keys = yield* Effect.flatMap(HttpClient.get(url), HttpClientResponse.schemaBodyJson(Keys))
  return {
    accessKeyId: keys.AccessKeyId,
    accessKeySecret: keys.AccessKeySecret,
    securityToken: keys.SecurityToken,
    expiresAt: DateTime.toEpochMillis(keys.Expiration)
  }
})

export const program = Upload.upload({
  key: "hello.txt",
  source: Source.bytes(new TextEncoder().encode("hello"))
}).pipe(Effect.tap(({ key }) => Console.log(`${key} is stored`)))

if (import.meta.main) {
  program.pipe(
    Effect.provide([OssClient.layerConfig({ credentials }), CheckpointStore.layerMemory]),
    Effect.provide(NodeOssHttp.layer()),
    NodeRuntime.runMain
  )
}
