/** An upload with a progress bar on a terminal, and plain lines elsewhere; another one with lines of one's own. */
import { OssClient, Source, Upload } from "@effect-oss/core"
import { FsCheckpointStore } from "@effect-oss/node-fs-store"
import { NodeOssHttp } from "@effect-oss/node-http"
import { Display, Render } from "@effect-oss/terminal"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, Stream } from "effect"

const events = (key: string) => Upload.events({ key, source: Source.file("video.mp4") })

export const program = Effect.gen(function* () {
  yield* events("video.mp4").pipe(Display.show({ unicode: true }), Stream.runDrain)
  yield* events("copy.mp4").pipe(
    Stream.map((event) =>
      event._tag === "Progress" ? Render.progress(event, { columns: 60 }) : Render.event(event)
    ),
    Stream.runForEach((line) => Console.log(`copy: ${line}`))
  )
})

if (import.meta.main) {
  program.pipe(
    Effect.provide([OssClient.layerConfig(), FsCheckpointStore.layer({ directory: "state" })]),
    Effect.provide([NodeOssHttp.layer(), NodeServices.layer]),
    NodeRuntime.runMain
  )
}
