/** The database: the names of its tables, its SQL dialect, and the handling of its failures. */
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
import { isPassing } from "./passing.ts"

/** A database that can keep checkpoints. */
export interface Database extends Dialect {
  readonly sql: SqlClient
  readonly tables: Tables
}

/** The names of the tables. */
export interface Tables {
  /** One row for each checkpoint: its holder, and its header once it has one. */
  readonly checkpoints: string
  /** One row for each part. */
  readonly parts: string
  /** The table in which Effect records changes of the tables. */
  readonly migrations: string
}

/** The SQL that differs between PostgreSQL and SQLite. */
interface Dialect {
  /** The current time in milliseconds since 1970, also in a statement that has waited. */
  readonly now: Fragment
  /** Locks the rows of a SELECT until the transaction ends. */
  readonly forUpdate: Fragment
  /** The type of a 64-bit integer. */
  readonly bigint: Fragment
  /** The first characters of a column that may be very long. */
  readonly start: (column: string, length: number) => Fragment
  /** The end of a table definition. */
  readonly strict: Fragment
  /** Reads a JSON text as rows named `r` of `number`, `part_offset`, `size`, `etag`, `crc64` and `n`. */
  readonly records: (json: string) => Fragment
}

/** Keeps the names of tables within PostgreSQL's 63 characters. */
const prefixPattern = /^(?:[A-Za-z_]\w{0,62}\.)?(?!\d)\w{0,40}$/

/** The database of a client. Fails if it is neither PostgreSQL nor SQLite. */
export const make = Effect.fnUntraced(function* (client: SqlClient, prefix: string) {
  // The application's transforms of names are for its own tables.
  const sql = client.withoutTransforms()
  const dialect = sql.onDialectOrElse({
    pg: () => postgres(sql),
    sqlite: () => sqlite(sql),
    orElse: () => undefined
  })
  if (dialect === undefined) {
    return yield* new InvalidRequest({
      field: "SqlClient",
      problem: `checkpoints can't be kept in the database of the client ${client.driver}`,
      remedy: "use PostgreSQL or SQLite"
    })
  }
  if (prefix === "" || !prefixPattern.test(prefix)) {
    return yield* new InvalidRequest({
      field: "prefix",
      problem: `no names of tables can begin with ${JSON.stringify(prefix)}`,
      remedy:
        "give up to 40 letters, digits and underscores, or such with a schema and a dot before"
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

/** The location of a checkpoint, for error messages. */
export const locationOf = ({ tables }: Database, key: string): string =>
  `table ${tables.checkpoints}, key ${key}`

/** How long to wait for an answer, with retries. */
const patience = Duration.seconds(30)

/** The retries after failures that may pass: three seconds in all. */
const retries = Schedule.exponential("100 millis").pipe(
  Schedule.jittered,
  Schedule.upTo({ times: 5 })
)

/** Runs a statement that is safe to run twice, and retries it if its failure may pass. */
export const ask = <A>(
  location: string,
  question: Effect.Effect<A, SqlError>,
  timeout: Duration.Duration = patience
): Effect.Effect<A, CheckpointError> =>
  question.pipe(
    // If its connection breaks, a transaction can't be rolled back, which Effect reports as a defect.
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

/** Runs a change. It must be durable when it is done, so it refuses to run in an outer transaction. */
export const change = <A>(
  database: Database,
  location: string,
  question: Effect.Effect<A, SqlError>
): Effect.Effect<A, CheckpointError> => outside(database, location, ask(location, question))

/** Fails if the caller is within a transaction of the application. */
export const outside = <A>(
  { sql }: Database,
  location: string,
  effect: Effect.Effect<A, CheckpointError>
): Effect.Effect<A, CheckpointError> =>
  Effect.flatMap(Effect.serviceOption(sql.transactionService), (transaction) =>
    Option.isNone(transaction)
      ? effect
      : Effect.fail(
          unavailable(location, "it was asked for within a transaction, which may be rolled back")
        )
  )

/** The error of a database that can't be used. */
export const unavailable = (location: string, description: string): CheckpointError =>
  new CheckpointError({ location, reason: new Unavailable({ description }) })

const describe = ({ message, reason }: SqlError) =>
  reason.cause instanceof Error && reason.cause.message !== message
    ? `${message}: ${reason.cause.message}`
    : message
