/**
 * Keeps checkpoints in the browser's IndexedDB, one record for each part. A Web
 * Lock is the lease: if several tabs upload the same file to the same object,
 * one of them does it, and the others fail with `Busy` until that tab is closed.
 *
 * A browser may clear a site's storage when space runs out, and some browsers do
 * after a week without a visit. `persist` asks the browser not to. If it does,
 * only progress is lost: the upload starts afresh.
 *
 * @since 0.1.0
 */
import * as Checkpoint from "@effect-oss/core/Checkpoint"
import type { BackingLog, OpenOptions } from "@effect-oss/core/CheckpointStore"
import * as CheckpointStore from "@effect-oss/core/CheckpointStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Database from "./internal/database.ts"
import * as Lease from "./internal/lease.ts"
import * as Log from "./internal/log.ts"
import * as Rows from "./internal/rows.ts"
import * as Token from "./internal/token.ts"

/**
 * Options of `layer`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The name of the database. Keep nothing else in it. Default: `effect-oss`. */
  readonly database?: string | undefined
}

/**
 * A checkpoint store in IndexedDB. The first use opens the database.
 *
 * **Details**
 *
 * If the page can't use the database, the store fails with reason
 * `Unavailable`: there is no space left, a private window stores nothing, or the
 * user cleared the site's data. Checkpoints contain no access keys and no bytes
 * of the file.
 *
 * **Gotchas**
 *
 * Load the page over HTTPS or from `localhost`: elsewhere browsers have no Web
 * Locks.
 *
 * **Example** (the unfinished uploads of a page)
 *
 * ```ts
 * import { Upload } from "@effect-oss/core"
 * import { IndexedDbCheckpointStore } from "@effect-oss/web"
 * import { Effect, Stream } from "effect"
 *
 * const pending = Stream.runCollect(Upload.pending).pipe(
 *   Effect.provide(IndexedDbCheckpointStore.layer())
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = ({
  database: name = "effect-oss"
}: Options = {}): Layer.Layer<CheckpointStore.CheckpointStore> =>
  Layer.effect(
    CheckpointStore.CheckpointStore,
    Effect.map(Database.make(name), (database) =>
      CheckpointStore.make({
        open: Effect.fn("CheckpointStore.open")((checkpointKey, options) =>
          open(database, checkpointKey, options)
        ),
        has: (checkpointKey) =>
          Database.read(database, locationOf(database, checkpointKey), ({ store, done }) =>
            Database.on(store(Database.checkpoints).getKey(checkpointKey), (found) =>
              done(found !== undefined)
            )
          ),
        list: Stream.filterMap(rows(database), pendingIn),
        listObject: (object) =>
          Stream.filterMap(rows(database, Checkpoint.objectOf(object)), pendingIn),
        listFinished: Stream.filterMap(rows(database), finishedIn)
      })
    )
  )

/**
 * Asks the browser to keep this site's data even when space runs out. The
 * browser may ask the user. True if it will keep the data.
 *
 * @category durability
 * @since 0.1.0
 */
export const persist: Effect.Effect<boolean> = Effect.suspend(() =>
  globalThis.navigator?.storage?.persist === undefined
    ? Effect.succeed(false)
    : Effect.orElseSucceed(
        Effect.tryPromise(() => navigator.storage.persist()),
        () => false
      )
)

const locationOf = ({ name }: Database.Database, checkpointKey: string) =>
  `IndexedDB ${name}, ${checkpointKey.slice(0, 200)}`

const open = Effect.fnUntraced(function* (
  database: Database.Database,
  checkpointKey: string,
  { onUnreadable = "fail" }: OpenOptions = {}
): Effect.fn.Return<BackingLog, CheckpointStore.CheckpointError, Scope.Scope> {
  const location = locationOf(database, checkpointKey)
  const lease = yield* Lease.acquire(`effect-oss ${database.name} ${checkpointKey}`, location)
  const holder = yield* Token.make
  const stored = yield* take(database, checkpointKey, location, holder)
  const found = Result.mapError(
    findIn(stored),
    (reason) => new CheckpointStore.CheckpointError({ location, reason })
  )
  const isFatal = Result.isFailure(found) && onUnreadable === "fail"
  if (isFatal) return yield* found.failure
  const isThere = stored.row !== undefined
  return yield* Log.make({
    database,
    checkpointKey,
    location,
    lease,
    holder,
    found: Result.getOrElse(found, (discarded) => ({ ...nothing, isThere, discarded }))
  })
})

/** The data stored under one key. */
interface Stored {
  readonly row?: unknown
  readonly parts: ReadonlyArray<unknown>
}

/** Reads a checkpoint and writes this holder's name into its record, whatever else the record contains. */
const take = (
  database: Database.Database,
  checkpointKey: string,
  location: string,
  holder: string
) =>
  Database.write<Stored>(database, location, ({ store, done }) => {
    const checkpoints = store(Database.checkpoints)
    Database.on<object | undefined>(checkpoints.get(checkpointKey), (row) => {
      if (row === undefined) return done({ parts: [] })
      checkpoints.put({ ...row, holder })
      Database.on(store(Database.parts).getAll(Log.partsRange(checkpointKey)), (parts) =>
        done({ row, parts })
      )
    })
  })

const nothing: Log.Found = {
  isThere: false,
  recovered: Option.none(),
  finished: Option.none(),
  last: 0
}

const findIn = (stored: Stored): Result.Result<Log.Found, Database.Reason> =>
  Result.gen(function* () {
    if (stored.row === undefined) return nothing
    const row = yield* Rows.rowOf(stored.row)
    const { header, receipt } = row
    if (receipt !== undefined) {
      return { ...nothing, isThere: true, row, finished: Option.some({ header, receipt }) }
    }
    const { parts, last } = yield* Rows.partsOf(row, stored.parts)
    return {
      ...nothing,
      isThere: true,
      row,
      last,
      recovered: Option.some(Checkpoint.make(header, parts))
    }
  })

/** Lists all checkpoints, or those of one object. Unreadable ones are left out with a warning. */
const rows = (database: Database.Database, object?: string) => {
  const location = `IndexedDB ${database.name}`
  const all = Database.read<ReadonlyArray<Stored>>(database, location, ({ store, done }) => {
    const checkpoints = store(Database.checkpoints)
    const request: IDBRequest<Array<Record<string, unknown>>> =
      object === undefined
        ? checkpoints.getAll()
        : checkpoints.index(Database.byObject).getAll(object)
    Database.on(request, (rows) => {
      const found: Array<Stored> = []
      if (rows.length === 0) return done(found)
      for (const row of rows) {
        const range = Log.partsRange(String(row["checkpointKey"]))
        Database.on(store(Database.parts).getAll(range), (parts) => {
          found.push({ row, parts })
          if (found.length === rows.length) done(found)
        })
      }
    })
  })
  return Stream.unwrap(Effect.map(all, Stream.fromIterable)).pipe(
    Stream.flatMap((stored) =>
      Result.match(findIn(stored), {
        onSuccess: Stream.succeed,
        onFailure: (reason) => {
          const { message } = new CheckpointStore.CheckpointError({ location, reason })
          return Stream.drain(Stream.fromEffect(Effect.logWarning(message)))
        }
      })
    )
  )
}

const pendingIn = ({ row, recovered }: Log.Found): Result.Result<Checkpoint.Summary, void> =>
  row === undefined || Option.isNone(recovered)
    ? Result.failVoid
    : Result.succeed(Checkpoint.summarize(row.checkpointKey, recovered.value))

const finishedIn = ({ finished }: Log.Found): Result.Result<Checkpoint.Finished, void> =>
  Option.isNone(finished) ? Result.failVoid : Result.succeed(finished.value)
