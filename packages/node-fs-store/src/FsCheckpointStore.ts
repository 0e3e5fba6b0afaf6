/**
 * Checkpoints as files: uploads resume in a later process, after a crash and
 * after a power failure.
 *
 * This module finds and reads them. Making records durable is `internal/log.ts`,
 * the text of the files `internal/journal.ts`, and who may write them
 * `internal/lease.ts`. A checkpoint that can't be read is an error and is left
 * as it is: nothing is lost here without being asked.
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
 * Where checkpoints are kept as files.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** A path, relative to the working directory at the time the layer is built. */
  readonly directory: string
  /** True: use a directory and files that belong to other users, or that others may write to. They can make an upload take foreign bytes for its own. Default: false, such are `Untrusted`. */
  readonly allowShared?: boolean | undefined
}

/**
 * Keeps checkpoints as files in `directory`. The store creates it, for this user
 * alone, when the first checkpoint is opened. Many processes may use it at once.
 *
 * **Details**
 *
 * What is acknowledged is on the disk, synced. The checkpoint of a process or
 * worker thread that is surely dead is free at once: on Linux, one that was
 * killed, in another container of the machine too, or that ran before the
 * machine was booted, unless machines share the disk. From another host, it is
 * free after a minute without a sign of life, and 40 seconds in which the next
 * upload watches it; no clocks have to agree.
 *
 * Recorded parts count on the machine, and in the directory, that they were
 * recorded in. Elsewhere, the upload compares them with the source first.
 *
 * **Gotchas**
 *
 * The store fails with reason `Untrusted` where other users may write to the
 * directory or its files. Files must be renamed at one stroke, as POSIX demands;
 * hard links are used where there are any.
 *
 * **Example** (an upload that a later run carries on)
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
      // Once is enough to say early that nothing could be recorded there.
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
    // What a run left that died early is there as well: whoever opens it clears it away.
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
  // In this order, for the sake of a holder that is no longer one: see internal/log.ts.
  const litter = yield* failed(Place.litter(place, lease.token))
  yield* failed(Effect.forEach(litter, Place.discard, { discard: true }))
  const journals = yield* failed(Place.journals(root, directory, place.hash))
  const newest = journals.at(-1)
  const discards = (error: CheckpointError) => onUnreadable === "discard" && error.isUnreadable
  const found =
    newest === undefined ? Option.none() : Option.some(yield* recover(root, newest, discards))
  // Whoever wrote it may have been killed before it was durable; what is done next relies on it.
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

/** A checkpoint, or why it is as good as none; never one that is another's. */
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
 * What this run may carry on with. Parts of a journal from elsewhere don't count
 * as recorded: their bytes may have been another machine's. They are still at
 * OSS, where the upload finds them and compares them with the source.
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
