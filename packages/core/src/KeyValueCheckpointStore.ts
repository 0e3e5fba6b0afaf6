/**
 * Checkpoints in a KeyValueStore, a few entries each:
 *
 * - `<prefix><hash>` names the checkpoint, its generation and its header, or is
 *   the receipt of one that is complete, or the mark of one that is being
 *   removed; half of the hash is the object's;
 * - `<prefix><hash>/<generation>/<number>` is one part of that generation.
 *
 * A check sum stands before each, so that what a storage has changed is not
 * read. A part costs one small entry. The header decides which generation
 * counts: `begin` writes a header with a new one and only then removes the old
 * parts, so that a process that dies in between leaves the old checkpoint, or
 * the new one, and litter that the next holder removes. The names of the entries
 * are the index of `list`: there is no other that could get out of step.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as Checkpoint from "./Checkpoint.ts"
import type { BackingLog, OpenOptions } from "./CheckpointStore.ts"
import { Busy, CheckpointError, CheckpointStore, make } from "./CheckpointStore.ts"
import type { Root, Shelf } from "./internal/store/entries.ts"
import {
  available,
  damaged,
  encodeRecord,
  encodeRoot,
  hashLength,
  hashOf,
  nameOf,
  namesUnder,
  partName,
  partNames,
  recordsOf,
  removeAll,
  rootOf,
  seal,
  version
} from "./internal/store/entries.ts"
import type { UploadedPart } from "./Part.ts"

/**
 * Checkpoints in Effect's `KeyValueStore`: in a SQL database or wherever else
 * one is kept. They are as durable as its entries.
 *
 * **Details**
 *
 * A part is one entry, whatever the number of parts. To open a checkpoint that
 * an earlier run left, and to list, the names of all entries of the store are
 * read once. Names begin with `prefix` and may be shared with nothing else.
 *
 * **Gotchas**
 *
 * A `KeyValueStore` can't compare and swap, so that a checkpoint is only held
 * against uploads that use the same `KeyValueStore` in this process. Let no
 * other process upload the same source to the same key at the same time: use
 * `@effect-oss/node-fs-store` or `@effect-oss/sql-store` where that may happen.
 * Effect's own `layerFileSystem` writes files in place; after a crash, a
 * checkpoint may be damaged.
 *
 * **Example** (in a SQL database)
 *
 * ```ts
 * import * as KeyValueCheckpointStore from "@effect-oss/core/KeyValueCheckpointStore"
 * import { Layer } from "effect"
 * import { KeyValueStore } from "effect/persistence"
 *
 * const layer = KeyValueCheckpointStore.layer().pipe(
 *   Layer.provide(KeyValueStore.layerSql({ table: "checkpoints" }))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = ({
  prefix = "effect-oss/"
}: {
  /** What the names of all entries begin with. Default: `effect-oss/`. */
  readonly prefix?: string | undefined
} = {}): Layer.Layer<CheckpointStore, never, KeyValueStore.KeyValueStore> =>
  Layer.effect(
    CheckpointStore,
    Effect.map(KeyValueStore.KeyValueStore, (entries) => {
      const shelf: Shelf = { entries, prefix, held: heldIn(entries) }
      return make({
        open: Effect.fn("CheckpointStore.open")((checkpointKey, options) =>
          open(shelf, checkpointKey, options)
        ),
        has: (checkpointKey) => {
          const name = nameOf(shelf, checkpointKey)
          return Effect.map(available(name, entries.get(name)), (root) => root !== undefined)
        },
        list: Stream.filterMap(list(shelf, shelf.prefix), pendingIn),
        listObject: (object) =>
          Stream.filterMap(
            list(shelf, `${shelf.prefix}${hashOf(Checkpoint.objectOf(object))}`),
            pendingIn
          ),
        listFinished: Stream.filterMap(list(shelf, shelf.prefix), finishedIn)
      })
    })
  )

/** By store, so that two layers over the same one exclude each other. */
const holders = new WeakMap<KeyValueStore.KeyValueStore, Set<string>>()

const heldIn = (entries: KeyValueStore.KeyValueStore): Set<string> => {
  const held = holders.get(entries) ?? new Set<string>()
  holders.set(entries, held)
  return held
}

const open = Effect.fnUntraced(function* (
  shelf: Shelf,
  checkpointKey: string,
  { onUnreadable = "fail" }: OpenOptions = {}
) {
  const name = nameOf(shelf, checkpointKey)
  yield* Effect.acquireRelease(lease(shelf, name), () => Effect.sync(() => shelf.held.delete(name)))
  const read = yield* Effect.result(rootOf(shelf, name))
  if (Result.isFailure(read) && onUnreadable === "discard" && read.failure.isUnreadable) {
    const names = yield* partNames(shelf, name)
    return logOf({
      shelf,
      name,
      checkpointKey,
      found: Option.none(),
      discarded: { names, error: read.failure }
    })
  }
  const root = yield* Effect.fromResult(read)
  if (Option.isNone(root)) return logOf({ shelf, name, checkpointKey, found: Option.none() })
  const parts = yield* partNames(shelf, name)
  if ("removed" in root.value) {
    yield* removeAll(shelf, [...parts, name])
    return logOf({ shelf, name, checkpointKey, found: Option.none() })
  }
  const { generation, header, receipt } = root.value
  if (root.value.checkpointKey !== checkpointKey) {
    return yield* damaged(name, "it stands for another upload")
  }
  if (receipt !== undefined) {
    yield* removeAll(shelf, parts)
    return logOf({
      shelf,
      name,
      checkpointKey,
      found: Option.none(),
      finished: { header, receipt }
    })
  }
  const isCurrent = (part: string) => part.startsWith(partName(name, generation, ""))
  const current = parts.filter(isCurrent)
  yield* removeAll(
    shelf,
    parts.filter((part) => !isCurrent(part))
  )
  const records = yield* recordsOf(shelf, current)
  return logOf({
    shelf,
    name,
    checkpointKey,
    found: Option.some({ generation, header, names: current, records })
  })
})

const lease = ({ held }: Shelf, name: string) =>
  Effect.suspend(() => {
    if (held.has(name)) {
      const reason = new Busy({ holder: "another upload of this process" })
      return new CheckpointError({ location: name, reason })
    }
    held.add(name)
    return Effect.void
  })

/** What is known of a checkpoint that was there. */
interface Found {
  readonly generation: string
  readonly header: Checkpoint.Header
  /** Of its parts' entries. */
  readonly names: ReadonlyArray<string>
  /** In the order in which they were recorded. */
  readonly records: ReadonlyArray<UploadedPart>
}

/** What parts are added to. */
interface Current {
  readonly generation: string
  readonly header: Checkpoint.Header
}

const logOf = (options: {
  readonly shelf: Shelf
  readonly name: string
  readonly checkpointKey: string
  readonly found: Option.Option<Found>
  /** What an earlier run completed. */
  readonly finished?: Checkpoint.Finished
  /** What is to be as if it weren't there: why, and the names of its parts' entries. */
  readonly discarded?: { readonly error: CheckpointError; readonly names: ReadonlyArray<string> }
}): BackingLog => {
  const { shelf, name, checkpointKey, found, finished, discarded } = options
  const write = (root: Root) => available(name, shelf.entries.set(name, seal(encodeRoot(root))))
  let current = Option.map(found, ({ generation, header }): Current => ({ generation, header }))
  let isThere = Option.isSome(found) || finished !== undefined || discarded !== undefined
  let names = new Set(Option.getOrUndefined(found)?.names ?? discarded?.names)
  let order = names.size
  /** From here on they are litter, which the next holder removes if this one can't. */
  const forget = Effect.suspend(() => {
    const old = names
    names = new Set()
    return Effect.ignore(removeAll(shelf, old))
  })

  return {
    recovered: Option.map(found, ({ header, records }) => Checkpoint.make(header, records)),
    finished: Option.fromUndefinedOr(finished),
    discarded: discarded?.error,
    begin: Effect.fnUntraced(function* (header) {
      const generation = yield* newGeneration
      yield* write({ version, checkpointKey, generation, header })
      isThere = true
      current = Option.some({ generation, header })
      yield* forget
    }, Effect.uninterruptible),
    finish: Effect.fnUntraced(function* (receipt) {
      if (Option.isNone(current)) return yield* Effect.die(new Error("finish without a checkpoint"))
      yield* write({ version, checkpointKey, ...current.value, receipt })
      current = Option.none()
      yield* forget
    }, Effect.uninterruptible),
    append: (part) =>
      Effect.suspend(() => {
        if (Option.isNone(current)) {
          return Effect.die(new Error("append without a checkpoint"))
        }
        const entry = partName(name, current.value.generation, part.number)
        names.add(entry)
        const record = seal(encodeRecord({ order: order++, part }))
        return available(name, shelf.entries.set(entry, record))
      }),
    remove: Effect.suspend(() => {
      if (!isThere) return Effect.void
      return Effect.andThen(
        write({ version, removed: true }),
        removeAll(shelf, [...names, name])
      ).pipe(
        Effect.andThen(
          Effect.sync(() => {
            isThere = false
            current = Option.none()
            names = new Set()
          })
        )
      )
    })
  }
}

/** Unlike any before, so that what an older one left is never taken for its own. */
const newGeneration = Effect.map(
  Effect.all([Clock.currentTimeMillis, Random.nextInt, Random.nextInt]),
  (parts) => parts.map((part) => Math.abs(part).toString(36)).join("-")
)

/** A checkpoint in a list: one that can be resumed, or what is left of one that is over. */
interface Listed {
  readonly summary: Checkpoint.Summary
  readonly receipt: Checkpoint.Receipt | undefined
}

const pendingIn = ({ summary, receipt }: Listed) =>
  receipt === undefined ? Result.succeed(summary) : Result.fail(undefined)

const finishedIn = ({ summary: { header }, receipt }: Listed) =>
  receipt === undefined ? Result.fail(undefined) : Result.succeed({ header, receipt })

/** Those whose names begin so; the names of all entries are read once. */
const list = (shelf: Shelf, prefix: string) =>
  Stream.fromIterableEffect(
    Effect.map(namesUnder(shelf, prefix), (names) => {
      const parts = Map.groupBy(names, (name) => name.slice(0, shelf.prefix.length + hashLength))
      return Array.from(parts)
    })
  ).pipe(
    Stream.mapEffect(([name, names]) => listed(shelf, name, names)),
    Stream.flatMap((found) => Stream.fromIterable(Option.toArray(found)))
  )

const listed = Effect.fnUntraced(
  function* (shelf: Shelf, name: string, names: ReadonlyArray<string>) {
    const root = yield* rootOf(shelf, name)
    if (Option.isNone(root) || "removed" in root.value) return Option.none()
    const { generation, header, checkpointKey, receipt } = root.value
    if (nameOf(shelf, checkpointKey) !== name) {
      return yield* damaged(name, "it stands for another upload")
    }
    const current = names.filter((part) => part.startsWith(partName(name, generation, "")))
    const records = receipt === undefined ? yield* recordsOf(shelf, current) : []
    const summary = Checkpoint.summarize(checkpointKey, Checkpoint.make(header, records))
    return Option.some<Listed>({ summary, receipt })
  },
  Effect.catch((error) => Effect.as(Effect.logWarning(error.message), Option.none<Listed>()))
)
