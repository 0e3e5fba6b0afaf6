/**
 * Creates the tables with Effect's Migrator, which lets only one of several
 * processes migrate at a time. Leaves tables of a newer version of this library
 * unchanged.
 */
import { CheckpointError, UnknownVersion } from "@effect-oss/core/CheckpointStore"
import * as Effect from "effect/Effect"
import * as Migrator from "effect/sql/Migrator"
import { BeginTransaction, SqlClient } from "effect/sql/SqlClient"
import { isSqlError, SqlError, UnknownError } from "effect/sql/SqlError"
import type { Database } from "./database.ts"
import { ask, outside } from "./database.ts"

const migrations = (database: Database) =>
  Migrator.fromRecord({ "1_checkpoints": createTables(database) })

/** The number of the last migration in `migrations`. */
const latest = 1

const createTables = ({ sql, tables, bigint, strict }: Database) =>
  Effect.andThen(
    sql`CREATE TABLE ${sql(tables.checkpoints)} (
      id TEXT PRIMARY KEY,
      checkpoint_key TEXT NOT NULL,
      token TEXT,
      holder TEXT,
      expires_at ${bigint},
      lease_ms ${bigint},
      generation INTEGER NOT NULL DEFAULT 0,
      format INTEGER,
      header TEXT,
      receipt TEXT
    ) ${strict}`,
    sql`CREATE TABLE ${sql(tables.parts)} (
      id TEXT NOT NULL,
      number INTEGER NOT NULL,
      part_offset ${bigint} NOT NULL,
      size ${bigint} NOT NULL,
      etag TEXT NOT NULL,
      crc64 TEXT NOT NULL,
      n ${bigint} NOT NULL,
      PRIMARY KEY (id, number)
    ) ${strict}`
  )

/** Creates the tables if necessary, checks their version, and calls `clear`. */
export const prepare = (database: Database): Effect.Effect<void, CheckpointError> => {
  const location = `table ${database.tables.migrations}`
  return outside(database, location, steps(database, location))
}

const steps = Effect.fnUntraced(function* (database: Database, location: string) {
  const found = yield* ask(
    location,
    Effect.orElseSucceed(version(database), () => 0)
  )
  if (found < latest) yield* migrate(database, location)
  const now = found < latest ? yield* ask(location, version(database)) : found
  if (now > latest) {
    const reason = new UnknownVersion({ version: String(now) })
    return yield* new CheckpointError({ location, reason })
  }
  yield* clear(database)
})

const version = ({ sql, tables }: Database): Effect.Effect<number, SqlError> =>
  sql<{ latest: number | null }>`
    SELECT MAX(migration_id) AS latest FROM ${sql(tables.migrations)}`.pipe(
    Effect.map((rows) => Number(rows[0]?.latest ?? 0))
  )

const migrate = (database: Database, location: string) => {
  const { sql, tables } = database
  const run = Migrator.make({})({ loader: migrations(database), table: tables.migrations }).pipe(
    Effect.provideService(SqlClient, sql),
    Effect.catchTag("MigrationError", (error) => Effect.fail(causeOf(error)))
  )
  return ask(
    location,
    sql.onDialectOrElse({
      // Locks before the first read. Otherwise two processes could read, and one could not write.
      sqlite: () => Effect.provideService(run, BeginTransaction, "BEGIN IMMEDIATE"),
      orElse: () => run
    })
  )
}

const causeOf = ({ cause, message }: Migrator.MigrationError): SqlError =>
  isSqlError(cause) ? cause : new SqlError({ reason: new UnknownError({ message, cause }) })

/** Deletes rows of processes that died before `begin`, or after `remove`. */
const clear = ({ sql, tables, now }: Database) =>
  ask(
    `table ${tables.checkpoints}`,
    sql`DELETE FROM ${sql(tables.checkpoints)}
      WHERE header IS NULL AND (token IS NULL OR expires_at <= ${now})`
  )
