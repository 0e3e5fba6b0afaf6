/** The database as the store sees it: its tables, what its dialect says in its own way, and how its failures are met. */
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

/** A database that can keep checkpoints. */
export interface Database extends Dialect {
  readonly sql: SqlClient
  readonly tables: Tables
}

/** Their names. */
export interface Tables {
  /** A row a checkpoint: who holds it, and its header once it has one. */
  readonly checkpoints: string
  /** A row a part. */
  readonly parts: string
  /** Effect's own, of the changes made to the tables. */
  readonly migrations: string
}

/** What PostgreSQL and SQLite say differently. */
interface Dialect {
  /** The time now, even in a statement that has waited; in milliseconds since 1970. */
  readonly now: Fragment
  /** Keeps the rows of a SELECT as they are until the transaction ends. */
  readonly forUpdate: Fragment
  /** An integer of 64 bits. */
  readonly bigint: Fragment
  /** The first characters of a text that may be absurdly long. */
  readonly start: (column: string, length: number) => Fragment
  /** Ends the definition of a table. */
  readonly strict: Fragment
  /** Rows of `number`, `part_offset`, `size`, `etag`, `crc64` and `n` out of a JSON text, named `r`. */
  readonly records: (json: string) => Fragment
}

/** What is asked of the tables' names is that none is cut short: PostgreSQL takes 63 characters. */
const prefixPattern = /^(?:[A-Za-z_]\w{0,62}\.)?(?!\d)\w{0,40}$/

/** The database of a client, if it is one that the store knows. */
export const make = Effect.fnUntraced(function* (client: SqlClient, prefix: string) {
  // What the application does to names is for its own.
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
  // It has one writer at a time.
  forUpdate: sql.literal(""),
  start: (column, length) => sql.literal(`SUBSTR(${column}, 1, ${length})`),
  bigint: sql.literal("INTEGER"),
  strict: sql.literal("STRICT, WITHOUT ROWID"),
  records: (json) => sql`(SELECT
    value ->> 'number' AS number, value ->> 'part_offset' AS part_offset, value ->> 'size' AS size,
    value ->> 'etag' AS etag, value ->> 'crc64' AS crc64, value ->> 'n' AS n
    FROM json_each(${json})) AS r`
})

/** Where an error is. */
export const locationOf = ({ tables }: Database, key: string): string =>
  `table ${tables.checkpoints}, key ${key}`

/** How long an answer is waited for, its retries included. */
const patience = Duration.seconds(30)

/** For what may be over in a moment: another transaction, a connection that broke, a server that starts again. Three seconds in all. */
const retries = Schedule.exponential("100 millis").pipe(
  Schedule.jittered,
  Schedule.upTo({ times: 5 })
)

/** Asks the database something that may be asked twice. */
export const ask = <A>(
  location: string,
  question: Effect.Effect<A, SqlError>,
  timeout: Duration.Duration = patience
): Effect.Effect<A, CheckpointError> =>
  question.pipe(
    // A transaction whose connection broke can't be rolled back either, which is a defect to Effect.
    Effect.catchDefect((defect) => (isSqlError(defect) ? Effect.fail(defect) : Effect.die(defect))),
    Effect.retry({ schedule: retries, while: (error) => error.isRetryable }),
    Effect.mapError((error) => unavailable(location, describe(error))),
    Effect.timeoutOrElse({
      duration: timeout,
      orElse: () =>
        Effect.fail(
          unavailable(location, `the database did not answer within ${Duration.format(timeout)}`)
        )
    })
  )

/** The same for a change, which must be durable once it is done. */
export const change = <A>(
  database: Database,
  location: string,
  question: Effect.Effect<A, SqlError>
): Effect.Effect<A, CheckpointError> => outside(database, location, ask(location, question))

/** Refuses what is asked within a transaction that is not the store's own. */
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

/** Says that the database could not be used. */
export const unavailable = (location: string, description: string): CheckpointError =>
  new CheckpointError({ location, reason: new Unavailable({ description }) })

const describe = ({ message, reason }: SqlError) =>
  reason.cause instanceof Error && reason.cause.message !== message
    ? `${message}: ${reason.cause.message}`
    : message
