/** A stream that resumes: it is made again, compared with what was sent, and only the rest goes up. */
import { OssClient, Source, Upload } from "@effect-oss/core"
import { FsCheckpointStore } from "@effect-oss/node-fs-store"
import { NodeOssHttp } from "@effect-oss/node-http"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Data, Effect, Stream } from "effect"

class LineLost extends Data.TaggedError("LineLost")<{ readonly after: number }> {}

/** Stands for a feed that always says the same, and may break. */
const lines = (from: number, to: number) =>
  Stream.range(from, to).pipe(
    Stream.map((n) => `measurement ${n}\n`),
    Stream.encodeText
  )
const broken = Stream.concat(lines(1, 40_000), Stream.fail(new LineLost({ after: 40_000 })))

const upload = (feed: Stream.Stream<Uint8Array, LineLost>) =>
  Upload.upload({
    key: "feeds/measurements.txt",
    source: Source.stream("measurements", feed),
    partSize: 200 * 1024
  })

export const program = upload(broken).pipe(
  Effect.catchTag("LineLost", ({ after }) =>
    Effect.andThen(Console.log(`lost after line ${after}: once more`), upload(lines(1, 60_000)))
  ),
  Effect.tap(({ resumed, sent }) => Console.log(`${resumed} bytes were there, ${sent} were sent`))
)

if (import.meta.main) {
  program.pipe(
    Effect.provide([OssClient.layerConfig(), FsCheckpointStore.layer({ directory: "state" })]),
    Effect.provide([NodeOssHttp.layer(), NodeServices.layer]),
    NodeRuntime.runMain
  )
}
