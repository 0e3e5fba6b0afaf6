/**
 * Checkpoints in a KeyValueStore. Each checkpoint has these entries:
 *
 * - `<prefix><hash>` holds the checkpoint's key, generation and header, and the
 *   receipt if the upload is complete; or it marks a checkpoint that is being
 *   removed. Half of the hash is the object's hash;
 * - `<prefix><hash>/<generation>/<number>` holds one part of that generation.
 *
 * Each entry begins with a checksum, which detects corrupted entries. A part
 * costs one small entry. The header names the current generation: `begin` first
 * writes a header with a new generation, then removes the old parts. If a process
 * dies in between, the new checkpoint is valid, and the next holder removes the
 * old parts. `list` reads the names of the entries, so no separate index can
 * become outdated.
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
 * Checkpoints in Effect's `KeyValueStore`, for example in a SQL database. They
 * are as durable as its entries.
 *
 * **Details**
 *
 * Each part is one entry. The store reads the names of all entries once to list
 * checkpoints, and once to open a checkpoint that an earlier run left. All names
 * begin with `prefix`: use no other entries with this prefix.
 *
 * **Gotchas**
 *
 * A `KeyValueStore` has no compare-and-swap, so a checkpoint excludes only
 * uploads that use the same `KeyValueStore` in this process. If other processes
 * may upload the same source to the same key at the same time, use
 * `@effect-oss/node-fs-store` or `@effect-oss/sql-store` instead. Effect's own
 * `layerFileSystem` writes files in place, so a crash may damage a checkpoint.
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
  /** The prefix of all entry names. Default: `effect-oss/`. */
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

/** Per KeyValueStore, so that two layers over the same one exclude each other. */
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
    return yield* damaged(name, "it belongs to another upload")
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

/** An unfinished checkpoint that an earlier run left. */
interface Found {
  readonly generation: string
  readonly header: Checkpoint.Header
  /** The names of its parts' entries. */
  readonly names: ReadonlyArray<string>
  /** In the order in which they were recorded. */
  readonly records: ReadonlyArray<UploadedPart>
}

/** The generation that `append` adds parts to. */
interface Current {
  readonly generation: string
  readonly header: Checkpoint.Header
}

const logOf = (options: {
  readonly shelf: Shelf
  readonly name: string
  readonly checkpointKey: string
  readonly found: Option.Option<Found>
  /** The receipt of a complete upload. */
  readonly finished?: Checkpoint.Finished
  /** An unreadable checkpoint to ignore: the error, and the names of its parts' entries. */
  readonly discarded?: { readonly error: CheckpointError; readonly names: ReadonlyArray<string> }
}): BackingLog => {
  const { shelf, name, checkpointKey, found, finished, discarded } = options
  const write = (root: Root) => available(name, shelf.entries.set(name, seal(encodeRoot(root))))
  let current = Option.map(found, ({ generation, header }): Current => ({ generation, header }))
  let isThere = Option.isSome(found) || finished !== undefined || discarded !== undefined
  let names = new Set(Option.getOrUndefined(found)?.names ?? discarded?.names)
  let order = names.size
  /** Removes the old parts. If that fails, the next holder removes them. */
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

/** Unique, so that parts of an older generation never count for a new one. */
const newGeneration = Effect.map(
  Effect.all([Clock.currentTimeMillis, Random.nextInt, Random.nextInt]),
  (parts) => parts.map((part) => Math.abs(part).toString(36)).join("-")
)

/** A checkpoint in a list. It is finished if it has a receipt. */
interface Listed {
  readonly summary: Checkpoint.Summary
  readonly receipt: Checkpoint.Receipt | undefined
}

const pendingIn = ({ summary, receipt }: Listed) =>
  receipt === undefined ? Result.succeed(summary) : Result.fail(undefined)

const finishedIn = ({ summary: { header }, receipt }: Listed) =>
  receipt === undefined ? Result.fail(undefined) : Result.succeed({ header, receipt })

/** The checkpoints whose names begin with `prefix`. Reads the names of all entries once. */
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
      return yield* damaged(name, "it belongs to another upload")
    }
    const current = names.filter((part) => part.startsWith(partName(name, generation, "")))
    const records = receipt === undefined ? yield* recordsOf(shelf, current) : []
    const summary = Checkpoint.summarize(checkpointKey, Checkpoint.make(header, records))
    return Option.some<Listed>({ summary, receipt })
  },
  Effect.catch((error) => Effect.as(Effect.logWarning(error.message), Option.none<Listed>()))
)
