/**
 * Effect's `SqlClient` over the SQLite that Node brings: the database of an
 * application that needs no server. Apart from this package's index, since
 * other runtimes have no `node:sqlite`.
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
 * Where the database is.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** A path, in a directory that exists; or `:memory:`, which is gone with the layer. A new file has mode 0600. */
  readonly file: string
  /** A file that another process has locked is waited for so long, and this process does nothing else meanwhile. Default: 10 seconds. */
  readonly busyTimeout?: Duration.Input | undefined
}

/**
 * A database, open as long as the layer: one connection, which a transaction
 * has to itself, and the right to write with it. Several processes of one machine may have the file open, on a
 * local disk. What was committed is on the disk, synced.
 *
 * **Gotchas**
 *
 * `node:sqlite` works on the thread that calls it: a large query holds up the
 * process, and so does waiting for a lock. Build one layer for a file in each
 * process: two would wait for each other. Node 22 prints an `ExperimentalWarning` when this module is loaded;
 * `--disable-warning=ExperimentalWarning` keeps it quiet.
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
        // One that begins by reading could not write once another process has: its wait is to be now.
        beginTransaction: "BEGIN IMMEDIATE",
        releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`,
        spanAttributes: [["db.system.name", "sqlite"]]
      })
    )
  ).pipe(Layer.provide(Reactivity.layer))

/**
 * Keeps a file of its own locked until the scope closes, or the process ends in
 * whatever way. Fails at once, with reason `LockTimeoutError`, while another one
 * has it.
 *
 * @category locking
 * @since 0.1.0
 */
export const lock = (file: string): Effect.Effect<void, SqlError, Scope.Scope> =>
  Effect.flatMap(connect(file), (database) =>
    // Of two that ask at once, one gets this; an exclusive lock may be refused to both.
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
 * Creates a file that only its owner may read, if there is none: SQLite would let
 * everybody read it, and gives the files beside it the same mode. Whatever else is
 * wrong with the path, SQLite says when it opens it. A `file:` URI is SQLite's to read.
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

/** Node says `errcode` where Effect looks for `errno`. */
const withNumber = (cause: unknown) =>
  cause instanceof Error && "errcode" in cause
    ? Object.assign(cause, { errno: cause.errcode })
    : cause

/** How a database that is open answers queries. */
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
