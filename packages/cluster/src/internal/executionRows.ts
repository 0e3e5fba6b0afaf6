/**
 * Executions in the tables of Effect's cluster. The message that started an
 * execution is its only record.
 */
import * as Snowflake from "effect/cluster/Snowflake"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import type { Execution } from "./execution.ts"
import * as EntityTypes from "./entityTypes.ts"
import { described, Payload } from "./submitted.ts"

/** The unique keys of the messages that may have started an execution. */
const messageIdsOf = (id: string): ReadonlyArray<string> =>
  [EntityTypes.upload, EntityTypes.batch].map((type) => `${type}/${id}/run/`)

const Row = Schema.Struct({
  id: Schema.String,
  entity_id: Schema.String,
  entity_type: Schema.String,
  payload: Schema.String,
  ended: Schema.NullOr(Schema.String)
})

const timeOf = (id: string) => Snowflake.timestamp(Snowflake.Snowflake(id))

const Submitted = Schema.fromJsonString(Payload)

/** Executions that a newer program submitted have at least these fields. */
const decode = (row: unknown): Option.Option<Execution> =>
  Option.gen(function* () {
    const { id, entity_id, entity_type, payload, ended } =
      yield* Schema.decodeUnknownOption(Row)(row)
    const job = yield* Schema.decodeOption(Submitted)(payload)
    return {
      ...described(entity_type, job),
      id: entity_id,
      submitted: timeOf(id),
      ended: Option.map(Option.fromNullishOr(ended), timeOf)
    }
  })

/** The number of executions deleted in one transaction. */
const together = 5_000

/** The statements for PostgreSQL and for SQLite. */
export const make = Effect.gen(function* () {
  const sql = (yield* SqlClient.SqlClient).withoutTransforms()
  const dialect = (of: { readonly pg: string; readonly sqlite: string }) =>
    sql.literal(sql.onDialectOrElse({ pg: () => of.pg, orElse: () => of.sqlite }))
  /** A suspended execution has a reply, too. */
  const isEnded = dialect({
    pg: `r.kind = 0 AND (r.payload::json #>> '{value,_tag}') IS DISTINCT FROM 'Suspended'`,
    sqlite: `r.kind = 0 AND json_extract(r.payload, '$.value._tag') IS NOT 'Suspended'`
  })
  const isOpen = sql`AND (r.id IS NULL OR NOT (${isEnded}))`
  const parentOf = dialect({
    pg: `COALESCE(payload::json ->> 'upload', payload::json ->> 'batch')`,
    sqlite: `COALESCE(json_extract(payload, '$.upload'), json_extract(payload, '$.batch'))`
  })
  const lease = (seconds: number) =>
    dialect({
      pg: `NOW() - INTERVAL '${seconds} seconds'`,
      sqlite: `datetime(CURRENT_TIMESTAMP, '-${seconds} seconds')`
    })
  const submissions = sql.literal(
    `m.tag = 'run' AND m.entity_type IN ('${EntityTypes.upload}', '${EntityTypes.batch}')`
  )
  const pieces = sql.literal(
    `tag = 'run' AND entity_type IN ('${EntityTypes.range}', '${EntityTypes.slice}')`
  )
  const executions = sql`
    SELECT CAST(m.id AS TEXT) AS id, m.entity_id, m.entity_type, m.payload,
      CASE WHEN ${isEnded} THEN CAST(r.id AS TEXT) END AS ended
    FROM cluster_messages m LEFT JOIN cluster_replies r ON r.id = m.last_reply_id`

  const removeSome = Effect.fnUntraced(function* (before: string) {
    yield* sql`
      CREATE TEMPORARY TABLE effect_oss_doomed AS
      SELECT m.entity_id FROM cluster_messages m JOIN cluster_replies r ON r.id = m.last_reply_id
      WHERE ${submissions} AND ${isEnded} AND r.id < ${sql.literal(before)} LIMIT ${sql.literal(`${together}`)}`
    const [row] = yield* sql<{ n: number }>`SELECT COUNT(*) AS n FROM effect_oss_doomed`
    const count = Number(row?.n ?? 0)
    if (count > 0) {
      yield* sql`
        INSERT INTO effect_oss_doomed SELECT entity_id FROM cluster_messages
        WHERE ${pieces} AND ${parentOf} IN (SELECT entity_id FROM effect_oss_doomed)`
      yield* sql`
        DELETE FROM cluster_replies WHERE request_id IN (
          SELECT id FROM cluster_messages
          WHERE entity_id IN (SELECT entity_id FROM effect_oss_doomed))`
      yield* sql`
        DELETE FROM cluster_messages
        WHERE entity_id IN (SELECT entity_id FROM effect_oss_doomed)`
    }
    yield* sql`DROP TABLE effect_oss_doomed`
    return count
  }, sql.withTransaction)

  return {
    find: (id: string) =>
      Effect.map(sql`${executions} WHERE ${sql.in("m.message_id", messageIdsOf(id))}`, ([row]) =>
        decode(row)
      ),
    /** The executions submitted last, newest first. */
    list: (limit: number, open: boolean) =>
      Effect.map(
        sql`${executions} WHERE ${submissions} ${open ? isOpen : sql.literal("")}
          ORDER BY m.id DESC LIMIT ${sql.literal(`${limit}`)}`,
        (rows) => rows.flatMap((row) => Option.toArray(decode(row)))
      ),
    /** Deletes executions that ended before that time, in milliseconds since 1970, and returns how many. */
    remove: Effect.fnUntraced(function* (time: number) {
      const before = Snowflake.make({ machineId: 0 as never, sequence: 0, timestamp: time })
      let removed = 0
      for (let count = together; count === together; removed += count) {
        count = yield* removeSome(String(before))
      }
      return removed
    }),
    /** The number of runners that renewed their leases within this many seconds. */
    runners: (seconds: number) =>
      Effect.map(
        sql<{ n: number }>`
          SELECT COUNT(*) AS n FROM cluster_runners WHERE last_heartbeat > ${lease(seconds)}`,
        ([row]) => Number(row?.n ?? 0)
      )
  }
})
