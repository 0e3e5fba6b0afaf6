/** An Effect `SqlClient` over Node's own SQLite: one connection to one file, which several processes may have open. */
import { DatabaseSync } from "node:sqlite"
import type { SQLInputValue } from "node:sqlite"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { classifySqliteError, SqlError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"

/** Effect looks for SQLite's code where other drivers have it. */
const failed = (cause: unknown, operation: string) => {
  const coded =
    cause instanceof Error && "errcode" in cause
      ? Object.assign(new Error(cause.message, { cause }), { code: cause.errcode })
      : cause
  return new SqlError({
    reason: classifySqliteError(coded, { message: messageOf(cause), operation })
  })
}

const messageOf = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause))

/** How a database that is open answers queries. */
const connectionOf = (database: DatabaseSync): Connection => {
  const rows = (sql: string, params: ReadonlyArray<unknown>) =>
    Effect.try({
      try: () => database.prepare(sql).all(...(params as ReadonlyArray<SQLInputValue>)),
      catch: (cause) => failed(cause, "execute")
    })
  const execute: Connection["execute"] = (sql, params, transform) =>
    Effect.map(rows(sql, params), (found) => (transform === undefined ? found : transform(found)))
  const values = (sql: string, params: ReadonlyArray<unknown>) =>
    Effect.map(rows(sql, params), (found) => found.map((row) => Object.values(row)))
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

/** Who finds the file locked waits so long, in milliseconds. */
const patience = 10_000

const open = (file: string) =>
  Effect.try({
    try: () => {
      const database = new DatabaseSync(file)
      database.exec(
        `PRAGMA busy_timeout = ${patience}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL`
      )
      return database
    },
    catch: (cause) => failed(cause, "connect")
  })

/** A database in a file, open as long as the layer. */
export const layer = (file: string): Layer.Layer<SqlClient.SqlClient, SqlError> =>
  Layer.effect(
    SqlClient.SqlClient,
    Effect.gen(function* () {
      const database = yield* Effect.acquireRelease(open(file), (it) =>
        Effect.sync(() => it.close())
      )
      return yield* SqlClient.make({
        ...SqlClient.makeSqliteAcquirers({
          connection: Effect.succeed(connectionOf(database)),
          semaphore: Semaphore.makeUnsafe(1)
        }),
        compiler: Statement.makeCompilerSqlite(),
        driver: "node:sqlite",
        spanAttributes: []
      })
    })
  ).pipe(Layer.provide(Reactivity.layer))

/** Locks a file until the scope closes, or the process ends in any way. Fails at once if another one has it. */
export const lock = Effect.fnUntraced(function* (file: string) {
  const database = yield* Effect.acquireRelease(open(file), (it) => Effect.sync(() => it.close()))
  yield* Effect.try({
    try: () => database.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE"),
    catch: (cause) => failed(cause, "lock")
  })
})
