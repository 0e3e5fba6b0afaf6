/** Databases to keep checkpoints in, and a connection that loses what a test wants it to lose. */
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

/** A new file, removed with the scope. */
export const sqliteFile = FileSystem.FileSystem.use((fs) =>
  Effect.map(
    fs.makeTempDirectoryScoped({ prefix: "sql-store-" }),
    (directory) => `${directory}/uploads.sqlite`
  )
).pipe(Effect.orDie, Effect.provide(NodeServices.layer))

/** The database that the tests of a file share. */
export const postgres = Layer.unwrap(
  Effect.map(Postgres, ({ url }) => PgClient.layer({ url: Redacted.make(url) }))
)

/** Each of the databases, empty or shared; the tests keep to names of their own. */
export const databases = {
  "SQLite in memory": NodeSqlite.layer({ file: ":memory:" }),
  "SQLite in a file": Layer.unwrap(Effect.map(sqliteFile, (file) => NodeSqlite.layer({ file }))),
  PostgreSQL: postgres
} satisfies Record<string, Layer.Layer<SqlClient.SqlClient, SqlError.SqlError, Postgres>>

let prefixes = 0

/** What the tables of a test are called like: no other test's. */
export const newPrefix = () => `t${process.pid}_${prefixes++}_`

/** A store over the client at hand, as another process would have it. */
export const storeWith = (options: SqlCheckpointStore.Options) =>
  Effect.map(
    Layer.build(Layer.fresh(SqlCheckpointStore.layer(options))),
    Context.get(CheckpointStore.CheckpointStore)
  )

/** What stands in the tables of a store. */
export const tablesOf = (prefix: string) =>
  Effect.map(SqlClient.SqlClient, (sql) => {
    const checkpoints = sql(`${prefix}checkpoints`)
    const parts = sql(`${prefix}parts`)
    return {
      sql,
      checkpoints,
      parts,
      /** All of it, but for how long a lease counts. */
      rows: Effect.all([
        sql<{ holder: string | null; token: string | null; header: string | null }>`
          SELECT id, checkpoint_key, token, holder, generation, format, header
          FROM ${checkpoints} ORDER BY id`,
        sql<{ number: number; etag: string }>`SELECT number, etag, crc64 FROM ${parts} ORDER BY n`
      ]),
      /** As if the holder had given no sign of life for so long. */
      expire: sql`UPDATE ${checkpoints} SET expires_at = 1 WHERE token IS NOT NULL`
    }
  })

/** What becomes of a statement: it is answered; the connection breaks, after it was carried out or before; the server is starting up; it is refused; or nothing comes of it. */
export type Fate = "answered" | "lost" | "cut" | "starting" | "refused" | "hung"

const broken = new SqlError.SqlError({
  reason: new SqlError.ConnectionError({ cause: new Error("test"), message: "connection lost" })
})

const refused = new SqlError.SqlError({
  reason: new SqlError.UnknownError({ cause: new Error("test"), message: "refused" })
})

/** As the driver tells it: Effect has no class for the code. */
const starting = new SqlError.SqlError({
  reason: new SqlError.UnknownError({
    cause: Object.assign(new Error("the database system is starting up"), { code: "57P03" }),
    message: "failed to connect"
  })
})

/** A connection as a server sees it: when it breaks, what was under way is rolled back, and nothing more comes over it. */
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

/** A client in the place of the one at hand, which decides the fate of each statement. */
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

/** All that a holder can do. */
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
