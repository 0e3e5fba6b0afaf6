/** Whether there are checkpoints of many files is one look at the directory. */
import { assert, it } from "@effect/vitest"
import { NodeServices } from "@effect/platform-node"
import { CheckpointStore } from "@effect-oss/core"
import { Effect, FileSystem, Layer } from "effect"
import { TestClock } from "effect/testing"
import { header, keyOf, withLog } from "../../core/test/support/CheckpointStoreContract.ts"
import * as FsCheckpointStore from "../src/FsCheckpointStore.ts"
import { temporaryDirectory } from "./support/support.ts"

const keys = Array.from({ length: 100 }, (_, number) => keyOf(`file-${number}`))
const has = (key: string) => CheckpointStore.CheckpointStore.use((store) => store.has(key))
const begin = withLog("one", (log) => log.begin(header(1, "one")))

/** A store over a file system that counts how often directories are read. */
const counting = (directory: string) => {
  const counter = { looks: 0 }
  const fileSystem = Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (fs) => ({
      ...fs,
      readDirectory: (...args: Parameters<typeof fs.readDirectory>) => {
        counter.looks++
        return fs.readDirectory(...args)
      }
    }))
  )
  const layer = FsCheckpointStore.layer({ directory }).pipe(Layer.provide(fileSystem))
  return { counter, layer }
}

it.effect("a hundred files without checkpoints cost one look", () =>
  Effect.gen(function* () {
    const { counter, layer } = counting(yield* temporaryDirectory)
    const found = yield* Effect.provide(Effect.forEach(keys, has), layer)
    assert.isFalse(found.includes(true))
    assert.strictEqual(counter.looks, 1)
  }).pipe(Effect.provide(NodeServices.layer))
)

it.effect("a checkpoint of the same store shows at once", () =>
  Effect.gen(function* () {
    const { layer } = counting(yield* temporaryDirectory)
    const before = Effect.forEach([...keys, keyOf("one")], has)
    const found = Effect.andThen(before, Effect.andThen(begin, has(keyOf("one"))))
    assert.isTrue(yield* Effect.provide(found, layer))
  }).pipe(Effect.provide(NodeServices.layer))
)

it.effect("a checkpoint of another process shows within a second", () =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    const { layer } = counting(directory)
    const seen = Effect.gen(function* () {
      yield* has(keyOf("one"))
      yield* Effect.provide(begin, FsCheckpointStore.layer({ directory }), { local: true })
      yield* TestClock.adjust("1 second")
      return yield* has(keyOf("one"))
    })
    assert.isTrue(yield* Effect.provide(seen, layer))
  }).pipe(Effect.provide(NodeServices.layer))
)
