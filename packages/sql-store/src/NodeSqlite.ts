/**
 * Effect's `SqlClient` over `node:sqlite`, for applications without a database
 * server. The package's index doesn't export this module, because other runtimes
 * have no `node:sqlite`.
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
 * The options of the database.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * The path of a file in an existing directory, or `:memory:` for a database that
   * lasts as long as the layer. A new file has mode 0600, unless you pass a `file:`
   * URI.
   */
  readonly file: string
  /**
   * How long to wait for a file that another process has locked. The wait blocks
   * this process. Default: 10 seconds.
   */
  readonly busyTimeout?: Duration.Input | undefined
}

/**
 * Opens a database until the layer closes. It uses one connection. A transaction
 * has the connection to itself and takes the write lock when it begins. Several
 * processes of one machine can open a file on a local disk. A commit is synced to
 * the disk.
 *
 * **Gotchas**
 *
 * `node:sqlite` runs on the calling thread: a large query blocks the process, and
 * so does a wait for a lock. Build only one layer for a file in each process,
 * because two layers would wait for each other. Node 22 prints an
 * `ExperimentalWarning` when you import this module. To hide it, run Node with
 * `--disable-warning=ExperimentalWarning`.
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
        // After its first read, a deferred transaction can't write if another process has written.
        beginTransaction: "BEGIN IMMEDIATE",
        releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`,
        spanAttributes: [["db.system.name", "sqlite"]]
      })
    )
  ).pipe(Layer.provide(Reactivity.layer))

/**
 * Locks a file until the scope closes or the process ends. Use a separate file
 * for the lock. Fails at once with reason `LockTimeoutError` if another process
 * has locked the file.
 *
 * @category locking
 * @since 0.1.0
 */
export const lock = (file: string): Effect.Effect<void, SqlError, Scope.Scope> =>
  Effect.flatMap(connect(file), (database) =>
    // One of two simultaneous attempts gets this lock. BEGIN EXCLUSIVE could fail for both.
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
 * Creates the file with mode 0600 if it doesn't exist. SQLite would create it
 * readable by everyone, and gives its journal files the same mode. Ignores errors,
 * because SQLite reports them when it opens the path. Leaves `file:` URIs to SQLite.
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

/** Copies Node's `errcode` to `errno`, where Effect looks for it. */
const withNumber = (cause: unknown) =>
  cause instanceof Error && "errcode" in cause
    ? Object.assign(cause, { errno: cause.errcode })
    : cause

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
