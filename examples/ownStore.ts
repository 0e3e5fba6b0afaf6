/** A checkpoint store of one's own, in twenty lines: over a Map here; the tests hold it to the contract. */
import { Checkpoint, CheckpointStore } from "@effect-oss/core"
import type { Part } from "@effect-oss/core"
import { Effect, Layer, Option, Stream } from "effect"

type Row = { readonly header: Checkpoint.Header; readonly parts: Array<Part.UploadedPart> }
const read = ({ header, parts }: Row) => Checkpoint.make(header, parts)

const reason = new CheckpointStore.Busy({ holder: "another upload" })
const busy = new CheckpointStore.CheckpointError({ location: "the table", reason })

export const layer = Layer.sync(CheckpointStore.CheckpointStore, () => {
  const table = new Map<string, Row>()
  const row = (key: string) => Option.getOrThrow(Option.fromUndefinedOr(table.get(key)))
  const held = new Set<string>()
  const take = (key: string) => (held.has(key) ? busy : Effect.sync(() => held.add(key)))
  const hold = (key: string) =>
    Effect.acquireRelease(take(key), () => Effect.sync(() => held.delete(key)))
  return CheckpointStore.make({
    open: (key) =>
      Effect.map(
        Effect.suspend(() => hold(key)),
        () => ({
          recovered: Option.map(Option.fromUndefinedOr(table.get(key)), read),
          begin: (header) => Effect.sync(() => table.set(key, { header, parts: [] })),
          // Before `begin`, that is a defect.
          append: (part) => Effect.sync(() => row(key).parts.push(part)),
          remove: Effect.sync(() => table.delete(key))
        })
      ),
    list: Stream.suspend(() => Stream.fromIterable(table)).pipe(
      Stream.map(([key, row]) => Checkpoint.summarize(key, read(row)))
    )
  })
})
