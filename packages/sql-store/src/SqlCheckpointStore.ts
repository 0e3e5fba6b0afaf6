/**
 * Checkpoints in your database, PostgreSQL or SQLite. You can resume an upload
 * on any machine, and it never runs on two machines at once.
 *
 * This module finds and reads checkpoints. `internal/tables.ts` defines the
 * tables, `internal/lease.ts` decides which process may change a checkpoint, and
 * `internal/log.ts` changes it. An unreadable checkpoint is an error and stays as
 * it is, unless you discard it.
 *
 * @since 0.1.0
 */
import * as Checkpoint from "@effect-oss/core/Checkpoint"
import type { BackingLog, OpenOptions } from "@effect-oss/core/CheckpointStore"
import { CheckpointError, CheckpointStore, Damaged, make } from "@effect-oss/core/CheckpointStore"
import { InvalidRequest } from "@effect-oss/core/UploadError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import { SqlClient } from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import * as Database from "./internal/database.ts"
import { holder } from "./internal/holder.ts"
import * as Lease from "./internal/lease.ts"
import * as List from "./internal/list.ts"
import * as Log from "./internal/log.ts"
import * as Rows from "./internal/rows.ts"
import { prepare } from "./internal/tables.ts"

/**
 * The options of the store.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * The prefix of the table names: up to 40 letters, digits and underscores,
   * optionally after an existing schema and a dot. Default: `effect_oss_`.
   */
  readonly prefix?: string | undefined
  /**
   * How long a lease lasts without renewal, by the database's clock. After that,
   * another process can take the checkpoint. Default: 60 seconds.
   */
  readonly expiry?: Duration.Input | undefined
  /** How often a holder renews its lease. Default: a third of `expiry`. */
  readonly renewal?: Duration.Input | undefined
  /** The name of this process in `Busy` errors of others. Default: its process id and host. */
  readonly holder?: string | undefined
  /** How many checkpoints `list` reads with one query. Default: 100. */
  readonly pageSize?: number | undefined
}

/**
 * Keeps checkpoints in the database of Effect's `SqlClient`: PostgreSQL, or
 * SQLite 3.42 or newer, for example with `NodeSqlite` of this package. Any number
 * of processes can use the database at the same time.
 *
 * **Details**
 *
 * `effect_oss_checkpoints` has one row per checkpoint, and `effect_oss_parts` one
 * row per part. The store creates the tables when you first use it, so it needs
 * the right to create them. Later versions of this library migrate the tables;
 * `effect_oss_migrations` records the migrations.
 *
 * An acknowledged record is as durable as a commit of the database. One statement
 * inserts all parts that are appended while another write runs. After a transient
 * error, such as a broken connection or a deadlock, the store retries for about
 * three seconds.
 *
 * A lease in the checkpoint's row marks its holder, which renews it as long as
 * the upload runs. If a process is killed, its leases expire after `expiry`, by
 * the database's clock. Every change compares the lease's token in its own
 * statement: a process that was suspended and lost its lease changes nothing and
 * fails with `LeaseLost`. Checkpoints that were removed or never begun leave no
 * rows. If a process dies in between, the next store deletes such rows when you
 * first use it.
 *
 * **Gotchas**
 *
 * Don't run an upload inside a transaction of your application, because a
 * rollback would undo its records. The store fails with `Unavailable`.
 *
 * Use `Upload.sweep` to give up abandoned uploads, as with every store. Don't
 * delete rows instead: the parts would stay in OSS.
 *
 * **Example** (an upload that you can resume on another machine)
 *
 * ```ts
 * import { OssClient, Source, Upload } from "@effect-oss/core"
 * import { SqlCheckpointStore } from "@effect-oss/sql-store"
 * import { NodeHttpClient, NodeRuntime, NodeServices } from "@effect/platform-node"
 * import { PgClient } from "@effect/sql-pg"
 * import { Config, Effect, Layer } from "effect"
 *
 * const database = PgClient.layerConfig({ url: Config.Redacted("DATABASE_URL") })
 *
 * Upload.upload({ key: "backups/db.tar", source: Source.file("/shared/db.tar") }).pipe(
 *   Effect.provide([
 *     OssClient.layerConfig(),
 *     SqlCheckpointStore.layer().pipe(Layer.provide(database))
 *   ]),
 *   Effect.provide([NodeHttpClient.layerNodeHttp, NodeServices.layer]),
 *   NodeRuntime.runMain
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options = {}
): Layer.Layer<CheckpointStore, InvalidRequest, SqlClient> =>
  Layer.effect(
    CheckpointStore,
    Effect.gen(function* () {
      const terms = yield* termsOf(options)
      const pageSize = yield* pageSizeOf(options)
      const database = yield* Database.make(yield* SqlClient, options.prefix ?? "effect_oss_")
      const prepared = yield* once(prepare(database))
      const listed = <A>(rows: Stream.Stream<A, CheckpointError>) =>
        Stream.unwrap(Effect.as(prepared, rows))
      return make({
        open: Effect.fn("CheckpointStore.open")((key, options) =>
          Effect.andThen(prepared, open(database, terms, key, options))
        ),
        has: (key) => Effect.andThen(prepared, has(database, key)),
        list: listed(Stream.flatMap(List.rows(database, pageSize, List.pending), List.summary)),
        listObject: (object) =>
          listed(
            Stream.unwrap(
              Effect.map(Lease.objectIdOf(object), (id) =>
                Stream.flatMap(List.rows(database, pageSize, List.pending, id), List.summary)
              )
            )
          ),
        listFinished: listed(
          Stream.flatMap(List.rows(database, pageSize, List.finished), List.finishedOf)
        )
      })
    })
  )

const termsOf = Effect.fnUntraced(function* (options: Options) {
  const expiry = Duration.fromInputUnsafe(options.expiry ?? "60 seconds")
  const renewal = Duration.fromInputUnsafe(options.renewal ?? Duration.divideUnsafe(expiry, 3))
  if (!Number.isFinite(Duration.toMillis(expiry)) || Duration.toMillis(expiry) < 1) {
    return yield* invalid("expiry", Duration.format(expiry), "give a time such as 60 seconds")
  }
  if (Duration.toMillis(renewal) < 1 || Duration.isGreaterThanOrEqualTo(renewal, expiry)) {
    return yield* invalid("renewal", Duration.format(renewal), "give less than expiry")
  }
  return { expiry, renewal, holder: options.holder ?? holder() } satisfies Lease.Terms
})

const pageSizeOf = ({ pageSize = 100 }: Options) =>
  Number.isInteger(pageSize) && pageSize > 0
    ? Effect.succeed(pageSize)
    : invalid("pageSize", String(pageSize), "give a whole number above 0")

const invalid = (field: string, value: string, remedy: string) =>
  Effect.fail(new InvalidRequest({ field, problem: `it can't be ${value}`, remedy }))

/** Runs the effect, one call at a time, until it has succeeded once. */
const once = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.map(Semaphore.make(1), (lock) => {
    let isDone = false
    const attempt = Effect.suspend(() =>
      isDone
        ? Effect.void
        : Effect.andThen(
            effect,
            Effect.sync(() => void (isDone = true))
          )
    )
    return Effect.suspend(() => (isDone ? Effect.void : lock.withPermit(attempt)))
  })

const open = Effect.fnUntraced(function* (
  database: Database.Database,
  terms: Lease.Terms,
  key: string,
  { onUnreadable = "fail" }: OpenOptions = {}
) {
  const lease = yield* Lease.acquire(database, terms, key)
  const { location, row } = lease
  if (row.checkpoint_key !== Rows.encodeKey(key)) {
    const reason = new Damaged({ description: "it belongs to another checkpoint" })
    return yield* new CheckpointError({ location, reason })
  }
  const finished = Rows.finishedOf(row)
  const isPending = Result.isSuccess(finished) && Option.isNone(finished.success)
  const records = row.header === null || !isPending ? [] : yield* recordsOf(database, lease)
  const found = Result.mapError(
    Result.flatMap(finished, (finished) =>
      Option.isSome(finished) || row.header === null
        ? Result.succeed(Option.none())
        : recover(row, records)
    ),
    (reason) => new CheckpointError({ location, reason })
  )
  if (Result.isFailure(found) && !(onUnreadable === "discard" && found.failure.isUnreadable)) {
    return yield* found.failure
  }
  return (yield* Log.make({
    database,
    lease,
    recovered: Option.flatten(Result.getSuccess(found)),
    finished: Option.flatten(Result.getSuccess(finished)),
    discarded: Option.getOrUndefined(Result.getFailure(found)),
    last: Math.max(0, ...records.slice(-1).map(({ n }) => n))
  })) satisfies BackingLog
})

/** The part rows, in the order in which they were recorded. */
const recordsOf = ({ sql, tables, start }: Database.Database, { id, location }: Lease.Lease) =>
  Database.ask(
    location,
    sql<Rows.PartRow & { readonly n: number }>`
      SELECT number, CAST(part_offset AS DOUBLE PRECISION) AS ${sql("offset")},
        CAST(size AS DOUBLE PRECISION) AS size, ${start("etag", Rows.limits.etag)} AS etag,
        ${start("crc64", Rows.limits.crc64)} AS crc64, CAST(n AS DOUBLE PRECISION) AS n
      FROM ${sql(tables.parts)} AS p WHERE id = ${id} ORDER BY p.n LIMIT ${Rows.maxParts + 1}`
  )

const recover = (row: Rows.Row, records: ReadonlyArray<Rows.PartRow>) =>
  Result.gen(function* () {
    const header = yield* Rows.headerOf(row)
    return Option.some(Checkpoint.make(header, yield* Rows.partsOf(records)))
  })

const has = Effect.fnUntraced(function* (database: Database.Database, key: string) {
  const { sql, tables } = database
  const id = yield* Lease.idOf(key)
  const rows = yield* Database.ask(
    Database.locationOf(database, key),
    sql`SELECT id FROM ${sql(tables.checkpoints)} WHERE id = ${id} AND header IS NOT NULL`
  )
  return rows.length > 0
})
