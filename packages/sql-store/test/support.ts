/** Databases for tests, and a connection that loses chosen statements or answers. */
import { NodeServices } from "@effect/platform-node"
import { PgClient } from "@effect/sql-pg"
import { CheckpointStore } from "@effect-oss/core"
import { header, keyOf, part, parts } from "../../core/src/testing/fixtures.ts"
import { SqlCheckpointStore } from "@effect-oss/sql-store"
import * as NodeSqlite from "@effect-oss/sql-store/NodeSqlite"
import { Context, Effect, FileSystem, Layer, Redacted } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient, SqlError, Statement } from "effect/sql"
import type { SqlConnection } from "effect/sql"
import { Postgres } from "./postgres.ts"

/** A new file, removed when the scope closes. */
export const sqliteFile = FileSystem.FileSystem.use((fs) =>
  Effect.map(
    fs.makeTempDirectoryScoped({ prefix: "sql-store-" }),
    (directory) => `${directory}/uploads.sqlite`
  )
).pipe(Effect.orDie, Effect.provide(NodeServices.layer))

/** The PostgreSQL database that the tests of a file share. */
export const postgres = Layer.unwrap(
  Effect.map(Postgres, ({ url }) => PgClient.layer({ url: Redacted.make(url) }))
)

/** The databases. Tests share PostgreSQL, so each uses its own table names. */
export const databases = {
  "SQLite in memory": NodeSqlite.layer({ file: ":memory:" }),
  "SQLite in a file": Layer.unwrap(Effect.map(sqliteFile, (file) => NodeSqlite.layer({ file }))),
  PostgreSQL: postgres
} satisfies Record<string, Layer.Layer<SqlClient.SqlClient, SqlError.SqlError, Postgres>>

let prefixes = 0

/** A new prefix for the tables of a test. */
export const newPrefix = () => `t${process.pid}_${prefixes++}_`

/** A new store over the current client, as in another process. */
export const storeWith = (options: SqlCheckpointStore.Options) =>
  Effect.map(
    Layer.build(Layer.fresh(SqlCheckpointStore.layer(options))),
    Context.get(CheckpointStore.CheckpointStore)
  )

/** The tables of a store. */
export const tablesOf = (prefix: string) =>
  Effect.map(SqlClient.SqlClient, (sql) => {
    const checkpoints = sql(`${prefix}checkpoints`)
    const parts = sql(`${prefix}parts`)
    return {
      sql,
      checkpoints,
      parts,
      /** All rows, without the expiry of leases and the sizes of parts. */
      rows: Effect.all([
        sql<{ holder: string | null; token: string | null; header: string | null }>`
          SELECT id, checkpoint_key, token, holder, generation, format, header
          FROM ${checkpoints} ORDER BY id`,
        sql<{ number: number; etag: string }>`SELECT number, etag, crc64 FROM ${parts} ORDER BY n`
      ]),
      /** Expires all leases. */
      expire: sql`UPDATE ${checkpoints} SET expires_at = 1 WHERE token IS NOT NULL`
    }
  })

/**
 * The outcome of a statement. `lost` and `cut`: the connection breaks after or
 * before it runs. `starting`: it doesn't run, because the server is starting up.
 * `hung`: no answer ever comes.
 */
export type Fate = "answered" | "lost" | "cut" | "starting" | "refused" | "hung"

const broken = new SqlError.SqlError({
  reason: new SqlError.ConnectionError({ cause: new Error("test"), message: "connection lost" })
})

const refused = new SqlError.SqlError({
  reason: new SqlError.UnknownError({ cause: new Error("test"), message: "refused" })
})

/** Effect has no class for PostgreSQL's code. */
const starting = new SqlError.SqlError({
  reason: new SqlError.UnknownError({
    cause: Object.assign(new Error("the database system is starting up"), { code: "57P03" }),
    message: "failed to connect"
  })
})

/**
 * A connection that can break: the open transaction is rolled back, and every later
 * statement fails.
 */
const breakable = (
  connection: SqlConnection.Connection,
  fateOf: (sql: string, params: ReadonlyArray<unknown>) => Fate
): SqlConnection.Connection => {
  let isBroken = false
  const execute: SqlConnection.Connection["execute"] = Effect.fnUntraced(
    function* (sql, params, transform) {
      if (isBroken) return yield* broken
      const fate = fateOf(sql, params)
      if (fate === "refused") return yield* refused
      if (fate === "hung") return yield* Effect.never
      const isCarriedOut = fate !== "cut" && fate !== "starting"
      const rows = isCarriedOut ? yield* connection.execute(sql, params, transform) : []
      if (fate === "answered") return rows
      isBroken = true
      yield* Effect.ignore(connection.executeUnprepared("ROLLBACK", [], undefined))
      return yield* fate === "starting" ? starting : broken
    }
  )
  return { ...connection, execute, executeUnprepared: execute }
}

/** A client over the current one, in which `fateOf` decides the outcome of each statement. */
export const hooked = (fateOf: (sql: string, params: ReadonlyArray<unknown>) => Fate) =>
  Effect.flatMap(SqlClient.SqlClient, (client) => {
    const acquirer = Effect.map(client.reserve, (connection) => breakable(connection, fateOf))
    return SqlClient.make({
      acquirer,
      compiler: Statement.makeCompilerSqlite(),
      driver: "hooked",
      spanAttributes: []
    })
  }).pipe(Effect.provide(Reactivity.layer))

/** A sequence of all changes that a holder can make, except `finish`. */
export const story = Effect.fnUntraced(function* (
  store: CheckpointStore.CheckpointStore["Service"]
) {
  const log = yield* store.open(keyOf("key"))
  yield* log.begin(header(1))
  yield* log.append(part(1))
  yield* log.begin(header(2))
  yield* Effect.forEach(parts(3), log.append, { concurrency: "unbounded" })
  yield* log.append({ ...part(3), etag: '"again"' })
  yield* log.remove
  yield* log.begin(header(3))
  yield* log.append(part(2))
  yield* log.append(part(1))
}, Effect.scoped)
