/**
 * Effect's `SqlClient` for Node's own SQLite: a database that needs no server.
 * The package's index doesn't export this module, because other runtimes have no
 * `node:sqlite`.
 *
 * @since 0.1.0
 */
import { closeSync, openSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import type { SQLInputValue, StatementSync } from "node:sqlite"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { classifySqliteError, SqlError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"

/**
 * The options of a database.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The path of a file in an existing directory, or `:memory:` for a database that is gone with the layer. A new file has mode 0600. */
  readonly file: string
  /** How long to wait for a file that another process has locked. The process does nothing else meanwhile. Default: 10 seconds. */
  readonly busyTimeout?: Duration.Input | undefined
}

/**
 * A database with one connection. A transaction has the connection to itself, and
 * the right to write from its start. Several processes of one machine may open the
 * file, if it is on a local disk. Each commit is synced to the disk.
 *
 * **Gotchas**
 *
 * `node:sqlite` works on the thread that calls it: a large query blocks the
 * process, and so does waiting for a lock. Build one layer for each file in a
 * process: two would wait for each other. Node 22 prints an `ExperimentalWarning`
 * when it loads this module. `--disable-warning=ExperimentalWarning` hides it.
 *
 * **Example** (checkpoints in a file)
 *
 * ```ts
 * import { SqlCheckpointStore } from "@effect-oss/sql-store"
 * import * as NodeSqlite from "@effect-oss/sql-store/NodeSqlite"
 * import { Layer } from "effect"
 *
 * const layer = SqlCheckpointStore.layer().pipe(
 *   Layer.provide(NodeSqlite.layer({ file: "uploads.sqlite" }))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<SqlClient.SqlClient, SqlError> =>
  Layer.effect(
    SqlClient.SqlClient,
    Effect.flatMap(open(options), (database) =>
      SqlClient.make({
        ...SqlClient.makeSqliteAcquirers({
          connection: Effect.succeed(connectionOf(database)),
          semaphore: Semaphore.makeUnsafe(1),
          isTransaction: () => database.isTransaction
        }),
        compiler: Statement.makeCompilerSqlite(),
        driver: "node:sqlite",
        // A transaction that begins by reading fails if another process writes before it does.
        beginTransaction: "BEGIN IMMEDIATE",
        releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`,
        spanAttributes: [["db.system.name", "sqlite"]]
      })
    )
  ).pipe(Layer.provide(Reactivity.layer))

/**
 * Locks a file until the scope closes or the process ends. The file must not be
 * used for anything else. Fails at once with reason `LockTimeoutError` if another
 * process holds the lock.
 *
 * @category locking
 * @since 0.1.0
 */
export const lock = (file: string): Effect.Effect<void, SqlError, Scope.Scope> =>
  Effect.flatMap(connect(file), (database) =>
    // If two processes ask at once, one gets this lock. An exclusive lock may be refused to both.
    attempt("lock", () => database.exec("BEGIN IMMEDIATE"))
  )

const open = Effect.fnUntraced(function* ({ file, busyTimeout = "10 seconds" }: Options) {
  const database = yield* connect(file)
  const millis = Math.ceil(Duration.toMillis(Duration.fromInputUnsafe(busyTimeout)))
  yield* attempt("connect", () => {
    database.exec(`PRAGMA busy_timeout = ${Math.min(millis, 2 ** 31 - 1)}`)
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
  })
  return database
})

const connect = (file: string) =>
  Effect.acquireRelease(
    Effect.andThen(
      createPrivately(file),
      attempt("connect", () => new DatabaseSync(file))
    ),
    (database) => Effect.sync(() => database.close())
  )

/**
 * Creates a missing file so that only its owner can read it. SQLite itself would
 * let everybody read it. SQLite gives the same mode to the files beside it. It
 * reports any other problem with the path when it opens the file, and it reads
 * `file:` URIs itself.
 */
const createPrivately = (file: string) =>
  file === ":memory:" || file.startsWith("file:")
    ? Effect.void
    : Effect.ignore(attempt("connect", () => closeSync(openSync(file, "ax", 0o600))))

const attempt = <A>(operation: string, run: () => A): Effect.Effect<A, SqlError> =>
  Effect.try({
    try: run,
    catch: (cause) =>
      new SqlError({
        reason: classifySqliteError(withNumber(cause), { message: messageOf(cause), operation })
      })
  })

const messageOf = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause))

/** Effect looks for `errno`, and Node sets `errcode`. */
const withNumber = (cause: unknown) =>
  cause instanceof Error && "errcode" in cause
    ? Object.assign(cause, { errno: cause.errcode })
    : cause

/** Runs queries on an open database. */
const connectionOf = (database: DatabaseSync): Connection => {
  const prepare = (sql: string, run: (statement: StatementSync) => ReadonlyArray<any>) =>
    Effect.withFiber<ReadonlyArray<any>, SqlError>(({ context }) =>
      attempt("execute", () => {
        const statement = database.prepare(sql)
        statement.setReadBigInts(Context.get(context, SqlClient.SafeIntegers))
        return run(statement)
      })
    )
  const rows = (sql: string, params: Params) =>
    prepare(sql, (statement) => statement.all(...(params as Values)))
  const values = (sql: string, params: Params) =>
    prepare(sql, (statement) => {
      statement.setReturnArrays(true)
      return statement.all(...(params as Values))
    })
  const execute: Connection["execute"] = (sql, params, transform) =>
    Effect.map(rows(sql, params), (found) => (transform === undefined ? found : transform(found)))
  return {
    execute,
    executeUnprepared: execute,
    executeRaw: rows,
    executeValues: values,
    executeValuesUnprepared: values,
    executeStream: (sql, params, transform) =>
      Stream.fromIterableEffect(execute(sql, params, transform))
  }
}

type Params = ReadonlyArray<unknown>
type Values = ReadonlyArray<SQLInputValue>
