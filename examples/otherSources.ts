/** What else can be uploaded: another program's output, what a user chose, and a page of the web. */
import { CheckpointStore, OssClient, Source, Upload } from "@effect-oss/core"
import { NodeOssHttp } from "@effect-oss/node-http"
import { NodeRuntime } from "@effect/platform-node"
import { Config, Console, Effect } from "effect"
import { spawn } from "node:child_process"

/** Started when the upload begins, stopped when it ends. */
const output = Source.readable(
  "listing",
  () => spawn("node", ["-e", "for (let n = 0; n < 1e5; n++) console.log(n)"]).stdout
)

/** A browser's file input gives such a file. */
const chosen = Source.blob(new File(["a photo"], "photo.jpg", { lastModified: 0 }))

export const program = Effect.gen(function* () {
  const uploads = [
    Upload.upload({ key: "listing.txt", source: output }),
    Upload.upload({ key: "photo.jpg", source: chosen })
  ]
  for (const { key, size } of yield* Effect.all(uploads, { concurrency: 2 })) {
    yield* Console.log(`${key}: ${size} bytes`)
  }
  const page = yield* Config.URL("PAGE")
  const copy = yield* Upload.upload({ key: "copy", source: Source.http(page), partSize: 102_400 })
  yield* Console.log(`${copy.key}: ${copy.size} bytes`)
})

if (import.meta.main) {
  program.pipe(
    Effect.provide([OssClient.layerConfig(), CheckpointStore.layerMemory]),
    Effect.provide(NodeOssHttp.layer()),
    NodeRuntime.runMain
  )
}
