/** Database access for the store: table names, SQL dialects, retries and errors. */
import { InvalidRequest } from "@effect-oss/core/UploadError"
import { CheckpointError, Unavailable } from "@effect-oss/core/CheckpointStore"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { isSqlError } from "effect/sql/SqlError"
import type { Fragment } from "effect/sql/Statement"
import { describe, isPassing } from "./passing.ts"

/** A database that can keep checkpoints. */
export interface Database extends Dialect {
  readonly sql: SqlClient
  readonly tables: Tables
}

/** Table names. */
export interface Tables {
  /** One row per checkpoint: its lease, and its header after `begin`. */
  readonly checkpoints: string
  /** One row per part. */
  readonly parts: string
  /** The table in which Effect's Migrator records migrations. */
  readonly migrations: string
}

/** SQL that differs between PostgreSQL and SQLite. */
interface Dialect {
  /** The current time, even after a wait for a lock; in milliseconds since 1970. */
  readonly now: Fragment
  /** Locks the rows of a SELECT until the transaction ends. */
  readonly forUpdate: Fragment
  /** The type of a 64-bit integer. */
  readonly bigint: Fragment
  /** The first `length` characters of a column, so that a huge text is not loaded. */
  readonly start: (column: string, length: number) => Fragment
  /** The end of a CREATE TABLE statement. */
  readonly strict: Fragment
  /** The part rows of a JSON text, as a table named `r`. */
  readonly records: (json: string) => Fragment
}

/** At most 40 characters: PostgreSQL truncates names longer than 63. */
const prefixPattern = /^(?:[A-Za-z_]\w{0,62}\.)?(?!\d)\w{0,40}$/

/** Fails unless the client is for PostgreSQL or SQLite and the prefix is valid. */
export const make = Effect.fnUntraced(function* (client: SqlClient, prefix: string) {
  // The application's name transforms don't apply to the store's columns.
  const sql = client.withoutTransforms()
  const dialect = sql.onDialectOrElse({
    pg: () => postgres(sql),
    sqlite: () => sqlite(sql),
    orElse: () => undefined
  })
  if (dialect === undefined) {
    return yield* new InvalidRequest({
      field: "SqlClient",
      problem: `the database of the client ${client.driver} is not supported`,
      remedy: "use PostgreSQL or SQLite"
    })
  }
  if (prefix === "" || !prefixPattern.test(prefix)) {
    return yield* new InvalidRequest({
      field: "prefix",
      problem: `table names can't begin with ${JSON.stringify(prefix)}`,
      remedy: "give up to 40 letters, digits and underscores, optionally after a schema and a dot"
    })
  }
  const table = (name: string) => `${prefix}${name}`
  return {
    sql,
    tables: {
      checkpoints: table("checkpoints"),
      parts: table("parts"),
      migrations: table("migrations")
    },
    ...dialect
  } satisfies Database
})

const postgres = (sql: SqlClient): Dialect => ({
  now: sql.literal("CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"),
  forUpdate: sql.literal("FOR UPDATE"),
  start: (column, length) => sql.literal(`SUBSTR(${column}, 1, ${length})`),
  bigint: sql.literal("BIGINT"),
  strict: sql.literal(""),
  records: (json) => sql`json_to_recordset(CAST(CAST(${json} AS TEXT) AS JSON)) AS r (
    number INTEGER, part_offset BIGINT, size BIGINT, etag TEXT, crc64 TEXT, n BIGINT)`
})

const sqlite = (sql: SqlClient): Dialect => ({
  now: sql.literal("CAST(unixepoch('subsec') * 1000 AS INTEGER)"),
  // SQLite has one writer at a time.
  forUpdate: sql.literal(""),
  start: (column, length) => sql.literal(`SUBSTR(${column}, 1, ${length})`),
  bigint: sql.literal("INTEGER"),
  strict: sql.literal("STRICT, WITHOUT ROWID"),
  records: (json) => sql`(SELECT
    value ->> 'number' AS number, value ->> 'part_offset' AS part_offset, value ->> 'size' AS size,
    value ->> 'etag' AS etag, value ->> 'crc64' AS crc64, value ->> 'n' AS n
    FROM json_each(${json})) AS r`
})

/** The `location` of an error. */
export const locationOf = ({ tables }: Database, key: string): string =>
  `table ${tables.checkpoints}, key ${key}`

/** The default timeout of a statement, retries included. */
const patience = Duration.seconds(30)

/** For transient errors, such as lock conflicts and broken connections. About 3 s in total. */
const retries = Schedule.exponential("100 millis").pipe(
  Schedule.jittered,
  Schedule.upTo({ times: 5 })
)

/** Runs a query, with retries and a timeout. It must be safe to run twice. */
export const ask = <A>(
  location: string,
  question: Effect.Effect<A, SqlError>,
  timeout: Duration.Duration = patience
): Effect.Effect<A, CheckpointError> =>
  question.pipe(
    // Rollback also fails on a broken connection, and Effect reports that as a defect.
    Effect.catchDefect((defect) => (isSqlError(defect) ? Effect.fail(defect) : Effect.die(defect))),
    Effect.retry({ schedule: retries, while: isPassing }),
    Effect.mapError((error) => unavailable(location, describe(error))),
    Effect.timeoutOrElse({
      duration: timeout,
      orElse: () =>
        Effect.fail(
          unavailable(location, `the database did not answer within ${Duration.format(timeout)}`)
        )
    })
  )

/** Like `ask`, for a durable change. Fails inside a transaction of the application. */
export const change = <A>(
  database: Database,
  location: string,
  question: Effect.Effect<A, SqlError>
): Effect.Effect<A, CheckpointError> => outside(database, location, ask(location, question))

/** Fails inside a transaction of the application. */
export const outside = <A>(
  { sql }: Database,
  location: string,
  effect: Effect.Effect<A, CheckpointError>
): Effect.Effect<A, CheckpointError> =>
  Effect.flatMap(Effect.serviceOption(sql.transactionService), (transaction) =>
    Option.isNone(transaction)
      ? effect
      : Effect.fail(
          unavailable(location, "it was called inside a transaction, which could be rolled back")
        )
  )

export const unavailable = (location: string, description: string): CheckpointError =>
  new CheckpointError({ location, reason: new Unavailable({ description }) })
