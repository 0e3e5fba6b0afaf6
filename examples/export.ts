/** Rows that are read from somewhere become an object, and there is no file in between. */
import { OssClient, Upload } from "@effect-oss/core"
import { NodeOssHttp } from "@effect-oss/node-http"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, Schedule, Stream } from "effect"

/** Stands for a query; if it fails half-way, nothing is stored. */
const rows = Stream.range(1, 50_000).pipe(
  Stream.map((id) => ({ id, name: `row ${id}`, paid: id % 3 === 0 }))
)

export const program = rows.pipe(
  Stream.map((row) => `${JSON.stringify(row)}\n`),
  Stream.encodeText,
  Stream.run(Upload.sink({ key: "exports/rows.jsonl", partSize: 1024 * 1024 })),
  // A sink can't be resumed, but run again: the parts of the first try are deleted.
  Effect.retry(Schedule.recurs(2)),
  Effect.tap(({ key, size }) => Console.log(`${key}: ${size} bytes`))
)

if (import.meta.main) {
  program.pipe(
    Effect.provide(Layer.provide(OssClient.layerConfig(), NodeOssHttp.layer())),
    NodeRuntime.runMain
  )
}
