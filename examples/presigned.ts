/** Uploads without keys: a server of one's own signs each request, and says no to what it doesn't want. */
import { CheckpointStore, OssClient, Source, Upload } from "@effect-oss/core"
import { NodeOssHttp } from "@effect-oss/node-http"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Config, Console, Effect } from "effect"
import { HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"

/** See presigningServer.ts. */
const sign = Effect.fnUntraced(function* (request: OssClient.PresignRequest) {
  const response = yield* HttpClientRequest.post(yield* Config.URL("SIGN")).pipe(
    HttpClientRequest.bodyJsonUnsafe(request),
    HttpClient.execute
  )
  if (response.status === 403) return undefined
  return yield* (yield* HttpClientResponse.filterStatusOk(response)).text
})

const client = OssClient.layerPresigned({
  bucket: process.env["OSS_BUCKET"] ?? "",
  endpoint: process.env["OSS_ENDPOINT"],
  pathStyle: process.env["OSS_PATH_STYLE"] === "true",
  sign
})

export const program = Effect.gen(function* () {
  const source = Source.file("photo.jpg")
  const { key, size } = yield* Upload.upload({ key: "inbox/photo.jpg", source })
  yield* Console.log(`${key}: ${size} bytes`)
  const denied = yield* Effect.flip(Upload.upload({ key: "photo.jpg", source }))
  yield* Console.log(denied.message)
})

if (import.meta.main) {
  program.pipe(
    Effect.provide([client, CheckpointStore.layerMemory]),
    Effect.provide([NodeOssHttp.layer(), NodeServices.layer]),
    NodeRuntime.runMain
  )
}
