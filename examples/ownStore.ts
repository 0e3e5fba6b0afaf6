/** A checkpoint store of one's own: here over a Map; the contract suite runs on it in the tests. */
import { Checkpoint, CheckpointStore } from "@effect-oss/core"
import type { Part } from "@effect-oss/core"
import { Effect, Layer, Option, Semaphore, Stream } from "effect"

const reason = new CheckpointStore.Busy({ holder: "another upload" })
const busy = new CheckpointStore.CheckpointError({ location: "the table", reason })

export const layer = Layer.sync(CheckpointStore.CheckpointStore, () => {
  const table = new Map<string, { header: Checkpoint.Header; parts: Array<Part.UploadedPart> }>()
  const locks = new Map<string, Semaphore.Semaphore>()
  return {
    open: Effect.fnUntraced(function* (key) {
      const lock = locks.get(key) ?? Semaphore.makeUnsafe(1)
      locks.set(key, lock)
      yield* Effect.acquireRelease(
        Effect.filterOrFail(lock.takeIfAvailable(1), Boolean, () => busy),
        () => lock.release(1)
      )
      const log: CheckpointStore.CheckpointLog = {
        recovered: Option.map(Option.fromUndefinedOr(table.get(key)), ({ header, parts }) =>
          Checkpoint.make(header, parts)
        ),
        begin: (header) => Effect.sync(() => table.set(key, { header, parts: [] })),
        append: (part) => Effect.sync(() => table.get(key)?.parts.push(part)),
        remove: Effect.sync(() => table.delete(key))
      }
      return log
    }),
    list: Stream.suspend(() =>
      Stream.fromIterable(table).pipe(
        Stream.map(([key, { header, parts }]) =>
          Checkpoint.summarize(key, Checkpoint.make(header, parts))
        )
      )
    )
  }
})
