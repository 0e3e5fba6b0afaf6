/** An upload whose progress a user interface looks at whenever it likes; here it is a line for each tenth. */
import { CheckpointStore, OssClient, Source, Upload } from "@effect-oss/core"
import { NodeOssHttp } from "@effect-oss/node-http"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, Stream, SubscriptionRef } from "effect"

export const program = Effect.gen(function* () {
  const { upload, progress } = yield* Upload.progress({
    key: "video.mp4",
    source: Source.file("video.mp4")
  })
  yield* SubscriptionRef.changes(progress).pipe(
    Stream.map(({ durable, total }) => (total ? Math.floor((10 * durable) / total) : 0)),
    Stream.changes,
    Stream.takeUntil((tenths) => tenths === 10),
    Stream.runForEach((tenths) => Console.log(`${"#".repeat(tenths)}${"-".repeat(10 - tenths)}`)),
    Effect.zip(upload, { concurrent: true })
  )
})

if (import.meta.main) {
  program.pipe(
    // Retried as a whole, an upload carries on.
    Effect.retry({ times: 3 }),
    Effect.provide([OssClient.layerConfig(), CheckpointStore.layerMemory]),
    Effect.provide([NodeOssHttp.layer(), NodeServices.layer]),
    NodeRuntime.runMain
  )
}
