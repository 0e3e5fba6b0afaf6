/** An Effect `SqlClient` over Node's own SQLite: one connection to one file, or to `:memory:`. */
import { Effect, Layer, Semaphore, Stream } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient, SqlError, Statement } from "effect/sql"
import type { SqlConnection } from "effect/sql"
import { DatabaseSync } from "node:sqlite"

type Value = string | number | bigint | Uint8Array | null

/** How a database that is open answers queries. */
const connectionOf = (database: DatabaseSync): SqlConnection.Connection => {
  const rows = (sql: string, params: ReadonlyArray<unknown>) =>
    Effect.try({
      try: () => database.prepare(sql).all(...(params as Array<Value>)),
      catch: (cause) =>
        new SqlError.SqlError({
          reason: new SqlError.UnknownError({ message: String(cause), cause, operation: "execute" })
        })
    })
  const execute: SqlConnection.Connection["execute"] = (sql, params, transform) =>
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

/** A database in a file, open as long as the layer. */
export const layer = (file: string): Layer.Layer<SqlClient.SqlClient> =>
  Layer.effect(
    SqlClient.SqlClient,
    Effect.gen(function* () {
      const open = Effect.sync(() => new DatabaseSync(file))
      const database = yield* Effect.acquireRelease(open, (it) => Effect.sync(() => it.close()))
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
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
