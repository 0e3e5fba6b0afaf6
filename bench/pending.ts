/**
 * How long a directory with many checkpoints takes: `node bench/pending.ts
 * [COUNT …]`, by default 10,000 and 100,000. For each count it lists all of
 * them, lists those of one object, asks for 200 that aren't there, and opens and
 * closes one, in a store that has just been built. Prints JSON, a line a count;
 * times are in seconds, medians of three.
 */
import * as Checkpoint from "@effect-oss/core/Checkpoint"
import { CheckpointStore } from "@effect-oss/core/CheckpointStore"
import * as FsCheckpointStore from "@effect-oss/node-fs-store/FsCheckpointStore"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import * as Journal from "../packages/node-fs-store/src/internal/journal.ts"
import { hashOf } from "../packages/node-fs-store/src/internal/place.ts"
import { median } from "./src/Comparison.ts"

const counts = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [10_000, 100_000]
const rounds = 3

const headerOf = (index: number): Checkpoint.Header => ({
  endpoint: "https://oss-cn-hangzhou.aliyuncs.com",
  bucket: "bench",
  key: `backups/${index}.tar`,
  sourceId: `file:/data/${index}.tar`,
  fingerprint: `100000000-1700000000000-${index}`,
  size: 100_000_000,
  partSize: 8_388_608,
  options: "f00d",
  createdAt: 1_700_000_000_000 + index,
  uploadId: `0004B9894A22E5B1888A1E29F8${index}`
})

const parts = Array.from({ length: 3 }, (_, index) => ({
  number: index + 1,
  offset: index * 8_388_608,
  size: 8_388_608,
  etag: `"${String(index).padStart(32, "0")}"`,
  crc64: 2n ** 63n + BigInt(index)
}))

const origin = { host: "bench", boot: "", machine: "", inode: "" }

/** Writes a checkpoint with three parts, as the store does, but without a sync. */
const plant = Effect.fnUntraced(function* (directory: string, index: number) {
  const fs = yield* FileSystem.FileSystem
  const header = headerOf(index)
  const checkpointKey = Checkpoint.keyOf(header)
  const id = "00000000-0000-4000-8000-000000000000"
  const hash = hashOf(checkpointKey)
  const { text } = Journal.begin({ id, origin, checkpointKey }, { header, parts })
  const path = `${directory}/${hash.slice(0, 2)}/${hash}.1.${id}.journal`
  yield* fs.writeFileString(path, text, { mode: 0o600 })
})

const fill = Effect.fnUntraced(function* (directory: string, count: number) {
  const fs = yield* FileSystem.FileSystem
  yield* Effect.forEach(
    Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, "0")),
    (name) => fs.makeDirectory(`${directory}/${name}`, { mode: 0o700 })
  )
  yield* Effect.forEach(
    Array.from({ length: count }, (_, index) => index),
    (index) => plant(directory, index),
    { concurrency: 64, discard: true }
  )
})

const seconds = <A, E>(directory: string, work: Effect.Effect<A, E, CheckpointStore>) =>
  Effect.map(
    Effect.replicateEffect(
      Effect.map(
        Effect.timed(Effect.provide(work, FsCheckpointStore.layer({ directory }), { local: true })),
        ([elapsed]) => Duration.toMillis(elapsed)
      ),
      rounds
    ),
    (times) => Math.round(median(times)) / 1_000
  )

const list = CheckpointStore.use((store) => Stream.runCount(store.list))
const listObject = CheckpointStore.use((store) => Stream.runCount(store.listObject(headerOf(7))))
const ask = CheckpointStore.use((store) =>
  Effect.forEach(
    Array.from({ length: 200 }, (_, index) => Checkpoint.keyOf(headerOf(-1 - index))),
    store.has,
    { discard: true }
  )
)
const open = CheckpointStore.use((store) =>
  Effect.scoped(store.open(Checkpoint.keyOf(headerOf(7))))
)

const measure = Effect.fnUntraced(function* (count: number) {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped({ prefix: "bench-pending-" })
  yield* fill(directory, count)
  const listed = yield* Effect.provide(list, FsCheckpointStore.layer({ directory }))
  if (listed !== count) return yield* Effect.die(new Error(`${listed} of ${count} are listed`))
  yield* Console.log(
    JSON.stringify({
      checkpoints: count,
      list: yield* seconds(directory, list),
      listObject: yield* seconds(directory, listObject),
      has200: yield* seconds(directory, ask),
      open: yield* seconds(directory, open)
    })
  )
}, Effect.scoped)

NodeRuntime.runMain(
  Effect.forEach(counts, measure, { discard: true }).pipe(Effect.provide(NodeServices.layer))
)
