/**
 * Keeps checkpoints as files. An upload resumes in a later process, after a
 * crash, and after a power failure.
 *
 * This module finds and reads checkpoints. `internal/log.ts` makes records
 * durable, `internal/journal.ts` defines the text of the files, and
 * `internal/lease.ts` decides who may write them. A checkpoint that can't be
 * read is an error and stays as it is, unless you ask to discard it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as Checkpoint from "@effect-oss/core/Checkpoint"
import type { CheckpointError, OpenOptions } from "@effect-oss/core/CheckpointStore"
import { CheckpointStore, make } from "@effect-oss/core/CheckpointStore"
import * as Glance from "./internal/glance.ts"
import type * as Journal from "./internal/journal.ts"
import * as Lease from "./internal/lease.ts"
import * as List from "./internal/list.ts"
import * as Log from "./internal/log.ts"
import * as Place from "./internal/place.ts"
import * as Process from "./internal/process.ts"

/**
 * The options of the store.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The directory of the store. A relative path starts at the working directory when the layer is built. */
  readonly directory: string
  /** True: accept a directory and files that belong to other users, or that others can write to. They could make an upload accept foreign parts as its own. Default: false, which fails with `Untrusted`. */
  readonly allowShared?: boolean | undefined
}

/**
 * Keeps checkpoints as files in `directory`. The store creates it, for this user
 * alone, when the first checkpoint is opened. Many processes may use it at once.
 *
 * **Details**
 *
 * Every acknowledged part is synced to the disk.
 *
 * The store frees the checkpoint of a dead process or worker thread at once if it
 * can be sure. On Linux that includes a killed process, also in another container
 * of the same machine, and a process from before the machine was booted, unless
 * machines share the disk. The checkpoint of a process on another host is free
 * after a minute without a sign of life, and after the next upload has watched it
 * for 40 seconds. The clocks of the hosts needn't agree.
 *
 * Recorded parts are valid on the machine and in the directory in which they were
 * recorded. Elsewhere, the upload compares them with the source first.
 *
 * **Gotchas**
 *
 * The store fails with reason `Untrusted` if other users can write to the
 * directory or its files. The file system must rename files atomically, as POSIX
 * requires. The store uses hard links where they exist.
 *
 * **Example** (an upload that a later run resumes)
 *
 * ```ts
 * import { OssClient, Source, Upload } from "@effect-oss/core"
 * import { FsCheckpointStore } from "@effect-oss/node-fs-store"
 * import { NodeHttpClient, NodeRuntime, NodeServices } from "@effect/platform-node"
 * import { Effect } from "effect"
 *
 * Upload.upload({ key: "backups/db.tar", source: Source.file("db.tar") }).pipe(
 *   Effect.provide([OssClient.layerConfig(), FsCheckpointStore.layer({ directory: ".effect-oss" })]),
 *   Effect.provide([NodeHttpClient.layerNodeHttp, NodeServices.layer]),
 *   NodeRuntime.runMain
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options
): Layer.Layer<CheckpointStore, never, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(
    CheckpointStore,
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const directory = path.resolve(options.directory)
      const root: Place.Root = { path, directory, allowShared: options.allowShared ?? false }
      const provide = Effect.provideService(FileSystem.FileSystem, fs)
      // Checks the directory once, so that an unusable one fails early.
      let isPrepared = false
      const prepared = Effect.suspend(() =>
        isPrepared
          ? Effect.void
          : Effect.andThen(
              Effect.mapError(Place.ensureRoot(root), Place.orUnavailable(directory)),
              Effect.sync(() => void (isPrepared = true))
            )
      )
      const glance = Glance.make(root)
      const journals = (hash?: string) =>
        Stream.provideService(List.journals(root, hash), FileSystem.FileSystem, fs)
      return make({
        open: Effect.fn("CheckpointStore.open")((key, options) =>
          provide(Effect.andThen(prepared, open(root, key, options))).pipe(
            Effect.ensuring(glance.changed)
          )
        ),
        has: (key) => provide(Effect.andThen(prepared, has(root, glance, key))),
        list: Stream.flatMap(journals(), pendingIn),
        listObject: (object) => Stream.flatMap(journals(Place.objectHashOf(object)), pendingIn),
        listFinished: Stream.flatMap(journals(), finishedIn)
      })
    })
  )

const pendingIn = ({ checkpointKey, checkpoint, receipt }: Journal.Journal) =>
  Option.isSome(receipt)
    ? Stream.empty
    : Stream.succeed(Checkpoint.summarize(checkpointKey, checkpoint))

const finishedIn = ({ checkpoint: { header }, receipt }: Journal.Journal) =>
  Option.isSome(receipt) ? Stream.succeed({ header, receipt: receipt.value }) : Stream.empty

const has = Effect.fnUntraced(
  function* (root: Place.Root, glance: Glance.Glance, key: string) {
    const place = Place.make(root, key)
    if (!(yield* glance.has(place.directory))) return false
    if (!(yield* Place.isLittered(place))) return false
    if ((yield* Place.journals(root, place.directory, place.hash)).length > 0) return true
    // Files of a run that died early may be there too. The next `open` removes them.
    return !(yield* Lease.isHeld(place))
  },
  (self, { directory }) =>
    self.pipe(
      Effect.catchReason("PlatformError", "NotFound", () => Effect.succeed(false)),
      Effect.mapError(Place.orUnavailable(directory))
    )
)

const open = Effect.fnUntraced(function* (
  root: Place.Root,
  key: string,
  { onUnreadable = "fail" }: OpenOptions = {}
) {
  const place = Place.make(root, key)
  const { directory } = place
  const failed = Effect.mapError(Place.orUnavailable(directory))
  yield* failed(Effect.andThen(Place.ensureRoot(root), Place.ensureDirectory(place)))
  const lease = yield* Lease.acquire(place)
  // This order protects against a holder that has lost its lease: see internal/log.ts.
  const litter = yield* failed(Place.litter(place, lease.token))
  yield* failed(Effect.forEach(litter, Place.discard, { discard: true }))
  const journals = yield* failed(Place.journals(root, directory, place.hash))
  const newest = journals.at(-1)
  const discards = (error: CheckpointError) => onUnreadable === "discard" && error.isUnreadable
  const found =
    newest === undefined ? Option.none() : Option.some(yield* recover(root, newest, discards))
  // The run that wrote it may have died before the file was durable, and the next steps rely on
  // it.
  if (newest !== undefined) {
    yield* failed(Effect.andThen(Place.sync(newest.path), Place.syncDirectory(directory)))
  }
  const journal = Option.flatMap(found, Result.getSuccess)
  return yield* Log.make({
    place,
    key,
    lease,
    generation: newest === undefined ? 1 : newest.generation + 1,
    older: journals.map((journal) => journal.path),
    recovered: yield* recoveredFrom(journal, lease.self),
    finished: Option.flatMap(journal, ({ checkpoint: { header }, receipt }) =>
      Option.map(receipt, (receipt) => ({ header, receipt }))
    ),
    discarded: Option.getOrUndefined(Option.flatMap(found, Result.getFailure))
  })
})

/**
 * Reads the newest journal, or the error for which it is discarded. Fails if it
 * belongs to another checkpoint.
 */
const recover = Effect.fnUntraced(
  function* (
    root: Place.Root,
    file: Place.JournalFile,
    discards: (error: CheckpointError) => boolean
  ) {
    const journal = yield* Effect.result(List.parse(root, file))
    if (Result.isSuccess(journal)) {
      return Result.succeed(yield* Effect.fromResult(List.own(file, journal.success)))
    }
    const error = journal.failure
    return error._tag === "CheckpointError" && discards(error) ? Result.fail(error) : yield* error
  },
  (self, _, file) => Effect.mapError(self, Place.orUnavailable(file.path))
)

/**
 * The checkpoint that this run can resume. Parts of a journal from another
 * machine or of a copied journal are dropped, because their bytes may be another
 * file's. They are still at OSS, where the upload finds them and compares them
 * with the source.
 */
const recoveredFrom = Effect.fnUntraced(function* (
  journal: Option.Option<List.Read>,
  self: Process.Identity
) {
  if (Option.isNone(journal) || Option.isSome(journal.value.receipt)) return Option.none()
  const { checkpoint, origin, inode, path } = journal.value
  if (Process.isSameMachine(origin, self) && origin.inode === inode) return Option.some(checkpoint)
  yield* Effect.logInfo(
    `${path}: recorded on another machine, or copied: its parts are compared with the source`
  )
  return Option.some({ ...checkpoint, parts: [] })
})
