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
import type { OpenOptions } from "@effect-oss/core/CheckpointStore"
import {
  CheckpointError,
  CheckpointStore,
  Damaged,
  isUnreadable,
  make
} from "@effect-oss/core/CheckpointStore"
import * as Journal from "./internal/journal.ts"
import * as Lease from "./internal/lease.ts"
import * as Log from "./internal/log.ts"
import * as Place from "./internal/place.ts"

/**
 * Keeps checkpoints as files in `directory`, which is created, for this user
 * alone, when the first one is opened. It may be used by many processes at once,
 * and left empty once nothing is under way.
 *
 * **Details**
 *
 * What was acknowledged is on the disk, synced. The checkpoint of a process that
 * is surely dead is free at once: on Linux, one that was killed, in another
 * container of the machine too, or that ran before the machine was booted, unless
 * the directory is on a disk that machines share. From another host, it is free
 * after a minute without a sign of life, by clocks that must agree within half a
 * minute.
 *
 * **Gotchas**
 *
 * The file system must know hard links, and rename files at one stroke, as
 * POSIX demands.
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
export const layer = (options: {
  /** A path, relative to the working directory at the time the layer is built. */
  readonly directory: string
}): Layer.Layer<CheckpointStore, never, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(
    CheckpointStore,
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const directory = path.resolve(options.directory)
      const provide = Effect.provideService(FileSystem.FileSystem, fs)
      // Once is enough to say early that nothing could be recorded there.
      let isPrepared = false
      const prepared = Effect.suspend(() =>
        isPrepared
          ? Effect.void
          : Effect.andThen(
              prepare(path, directory),
              Effect.sync(() => void (isPrepared = true))
            )
      )
      return make({
        open: Effect.fn("CheckpointStore.open")((key, options) =>
          provide(open(path, directory, key, options))
        ),
        has: (key) => Effect.andThen(provide(prepared), provide(has(path, directory, key))),
        list: hashes(path, directory).pipe(
          Stream.fromIterableEffect,
          Stream.mapEffect((hash) => summary(path, directory, hash)),
          Stream.flatMap((found) => Stream.fromIterable(Option.toArray(found))),
          Stream.provideService(FileSystem.FileSystem, fs)
        )
      })
    })
  )

const prepare = (path: Path.Path, directory: string) =>
  Effect.mapError(Place.ensureDirectory(path, directory), Place.unavailable(directory))

const has = Effect.fnUntraced(
  function* (path: Path.Path, directory: string, key: string) {
    const place = Place.make(path, directory, key)
    if (!(yield* Place.isLittered(place))) return false
    if ((yield* Place.journals(path, directory, place.hash)).length > 0) return true
    // What a run left that died early is there as well: whoever opens it clears it away.
    return !(yield* Lease.isHeld(place))
  },
  (self, _, directory) =>
    self.pipe(
      Effect.catchReason("PlatformError", "NotFound", () => Effect.succeed(false)),
      Effect.catchTag("PlatformError", (error) => Effect.fail(Place.unavailable(directory)(error)))
    )
)

const open = Effect.fnUntraced(function* (
  path: Path.Path,
  directory: string,
  key: string,
  { onUnreadable = "fail" }: OpenOptions = {}
) {
  const failed = Effect.mapError(Place.unavailable(directory))
  const place = Place.make(path, directory, key)
  yield* failed(Place.ensureDirectory(path, directory))
  const lease = yield* Lease.acquire(place)
  // In this order, for the sake of a holder that is no longer one: see internal/log.ts.
  const litter = yield* failed(Place.litter(path, place, lease.token))
  yield* failed(Effect.forEach(litter, Place.discard, { discard: true }))
  const journals = yield* failed(Place.journals(path, directory, place.hash))
  const newest = journals.at(-1)
  // Whoever wrote it may have been killed before it was durable; what is done next relies on it.
  if (newest !== undefined) {
    yield* failed(Effect.forEach([newest.path, directory], Place.sync, { discard: true }))
  }
  const discards = (error: CheckpointError) => onUnreadable === "discard" && isUnreadable(error)
  const found = newest === undefined ? Option.none() : Option.some(yield* recover(newest, discards))
  return yield* Log.make({
    place,
    key,
    lease,
    generation: newest === undefined ? 1 : newest.generation + 1,
    older: journals.map((journal) => journal.path),
    recovered: Option.flatMap(found, Result.getSuccess),
    discarded: Option.getOrUndefined(Option.flatMap(found, Result.getFailure))
  })
})

const read = Effect.fnUntraced(function* (file: Place.JournalFile) {
  const journal = yield* parse(file)
  yield* own(file, journal)
  return journal
})

const parse = Effect.fnUntraced(function* ({ path }: Place.JournalFile) {
  const bytes = yield* FileSystem.FileSystem.use((fs) => fs.readFile(path))
  return yield* Effect.mapError(
    Effect.fromResult(Journal.recover(bytes)),
    (reason) => new CheckpointError({ location: path, reason })
  )
})

/** Whose it is, is told by its text and by its name. */
const own = ({ path, hash }: Place.JournalFile, { checkpointKey }: Journal.Journal) =>
  Place.hashOf(checkpointKey) === hash
    ? Effect.void
    : new CheckpointError({
        location: path,
        reason: new Damaged({
          description: "it is another checkpoint's, under a wrong name"
        })
      })

/** A checkpoint, or why it is as good as none; never one that is another's. */
const recover = Effect.fnUntraced(
  function* (file: Place.JournalFile, discards: (error: CheckpointError) => boolean) {
    const journal = yield* Effect.result(parse(file))
    if (Result.isSuccess(journal)) {
      yield* own(file, journal.success)
      return Result.succeed(journal.success.checkpoint)
    }
    const error = journal.failure
    return error._tag === "CheckpointError" && discards(error) ? Result.fail(error) : yield* error
  },
  (self, file) =>
    Effect.catchTag(self, "PlatformError", (error) =>
      Effect.fail(Place.unavailable(file.path)(error))
    )
)

const hashes = (path: Path.Path, directory: string) =>
  Place.journals(path, directory).pipe(
    Effect.map((journals) => new Set(journals.map((journal) => journal.hash))),
    Effect.catchReason("PlatformError", "NotFound", () => Effect.succeed([])),
    Effect.mapError(Place.unavailable(directory))
  )

const summary = Effect.fnUntraced(
  function* (path: Path.Path, directory: string, hash: string) {
    const newest = (yield* Place.journals(path, directory, hash)).at(-1)
    if (newest === undefined) return Option.none()
    const { checkpointKey, checkpoint } = yield* read(newest)
    return Option.some(Checkpoint.summarize(checkpointKey, checkpoint))
  },
  // Its holder may just have put another generation in its place.
  Effect.retry({ times: 3, while: (error) => error._tag === "PlatformError" }),
  Effect.catch((error) => Effect.as(Effect.logWarning(error.message), Option.none()))
)
