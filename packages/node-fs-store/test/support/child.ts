/**
 * A process that uses a store: `child.ts MODE DIRECTORY NAME`. It prints a line
 * for each thing that is done, once it is done.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { CheckpointStore } from "@effect-oss/core/CheckpointStore"
import * as FsCheckpointStore from "@effect-oss/node-fs-store/FsCheckpointStore"
import { once } from "node:events"
import { header, keyOf, part } from "../../../core/src/testing/fixtures.ts"

const [mode = "", directory = "", name = ""] = process.argv.slice(2)
const print = (text: string) => Effect.sync(() => process.stdout.write(`${text}\n`))

/** Takes the checkpoint, and keeps it. */
const hold = Effect.gen(function* () {
  const store = yield* CheckpointStore
  const log = yield* store.open(keyOf(name))
  if (Option.isNone(log.recovered)) yield* log.begin(header(1, name))
  yield* print("held")
  return yield* Effect.never
})

/** Records parts, four at a time, for ever. */
const append = Effect.gen(function* () {
  const store = yield* CheckpointStore
  const log = yield* store.open(keyOf(name))
  if (Option.isNone(log.recovered)) yield* log.begin(header(1, name))
  const found = Option.match(log.recovered, { onNone: () => 0, onSome: (c) => c.parts.length })
  const numbers = Array.from({ length: 9000 - found }, (_, index) => found + index + 1)
  yield* Effect.forEach(
    numbers,
    (number) => Effect.andThen(log.append(part(number)), print(`appended ${number}`)),
    { concurrency: 4 }
  )
})

/** Waits for a word, and tries to take the checkpoint. */
const race = Effect.gen(function* () {
  const store = yield* CheckpointStore
  yield* print("ready")
  yield* Effect.promise(() => once(process.stdin, "data"))
  const opened = yield* Effect.result(store.open(keyOf(name)))
  yield* print(opened._tag === "Success" ? "held" : opened.failure.reason._tag)
  return yield* Effect.never
})

const modes: Record<string, typeof hold | typeof append | typeof race> = { hold, append, race }

await Effect.runPromise(
  (modes[mode] ?? Effect.die(new Error(`no mode ${mode}`))).pipe(
    Effect.scoped,
    Effect.provide(
      FsCheckpointStore.layer({ directory }).pipe(
        Layer.provide([NodeFileSystem.layer, NodePath.layer])
      )
    )
  )
)
