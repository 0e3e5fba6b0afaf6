/** Other sources: the output of a command, a file that the user chose, and a URL. */
import { CheckpointStore, OssClient, Source, Upload } from "@effect-oss/core"
import { NodeOssHttp } from "@effect-oss/node-http"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Config, Console, Effect } from "effect"
import { ChildProcess } from "effect/process"

/** If the command fails, so does the upload: half of a listing is never stored. */
const output = Source.command(
  "listing",
  ChildProcess.make("node", ["-e", "for (let n = 0; n < 1e5; n++) console.log(n)"])
)

/** A browser's file input yields such a file. */
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
    Effect.provide([OssClient.layerConfig(), CheckpointStore.layerMemory, NodeServices.layer]),
    Effect.provide(NodeOssHttp.layer()),
    NodeRuntime.runMain
  )
}
