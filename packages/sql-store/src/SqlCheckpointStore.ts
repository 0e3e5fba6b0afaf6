/**
 * Keeps checkpoints in your application's database, PostgreSQL or SQLite. Any
 * machine can resume an upload, and no upload runs on two machines at once.
 *
 * This module finds and reads checkpoints. `internal/tables.ts` creates the
 * tables, `internal/lease.ts` decides who may change a checkpoint, and
 * `internal/log.ts` changes it. A checkpoint that can't be read is an error and
 * stays as it is, unless you ask to discard it.
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
  /** The prefix of the tables' names: letters, digits and underscores. You can put an existing schema and a dot before it. Default: `effect_oss_`. */
  readonly prefix?: string | undefined
  /** How long a lease lasts without renewal, by the database's clock. Then another process can take the checkpoint. Default: 60 seconds. */
  readonly expiry?: Duration.Input | undefined
  /** How often a process renews its leases. Default: a third of `expiry`. */
  readonly renewal?: Duration.Input | undefined
  /** The name of this process in the `Busy` errors of other processes. Default: its process id and host. */
  readonly holder?: string | undefined
  /** How many checkpoints `list` reads with one query. Default: 100. */
  readonly pageSize?: number | undefined
}

/**
 * Keeps checkpoints in the database of Effect's `SqlClient`: PostgreSQL, or
 * SQLite 3.42 and later, for example with this package's `NodeSqlite`. Any number
 * of processes can use the database at once.
 *
 * **Details**
 *
 * `effect_oss_checkpoints` has a row for each checkpoint, and `effect_oss_parts`
 * has a row for each part. The store creates the tables when you first use it, so
 * it needs the right to create tables. Later versions of this library change the
 * tables themselves, and record that in `effect_oss_migrations`.
 *
 * An acknowledged part is as durable as a commit of the database. Parts that
 * arrive while others are being written are written together, with one statement.
 * The store retries for three seconds after a failure that may pass, such as a
 * broken connection, a deadlock, or a server that restarts.
 *
 * A lease in its row holds a checkpoint, and the store renews the lease while the
 * upload runs. After a process is killed, its checkpoints stay held until `expiry`
 * is over. Only the database's clock counts. Every change compares the lease's
 * token in its own statement: a process that has lost its lease changes nothing,
 * and fails with `LeaseLost`. The row of a checkpoint that is removed or was never
 * begun is deleted. If a process died before that, the next store that is built
 * deletes it when it is first used.
 *
 * **Gotchas**
 *
 * Don't run an upload within a transaction of your application: a rollback would
 * lose its records. Such an upload fails with `Unavailable`.
 *
 * Use `Upload.sweep` to give up abandoned uploads, as with any other store. Don't
 * delete rows instead: the parts would stay at OSS.
 *
 * **Example** (an upload that another machine can resume)
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

/** Runs the effect until it has succeeded once. Callers run it one at a time. */
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
    const reason = new Damaged({ description: "it is another checkpoint's, under a wrong id" })
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

/** The records of parts, in the order in which they were written. */
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
