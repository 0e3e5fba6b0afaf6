/** Lists checkpoints page by page, in the order of their ids. */
import type * as Checkpoint from "@effect-oss/core/Checkpoint"
import { CheckpointError } from "@effect-oss/core/CheckpointStore"
import type { Damaged, UnknownVersion } from "@effect-oss/core/CheckpointStore"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { Database } from "./database.ts"
import { ask } from "./database.ts"
import * as Rows from "./rows.ts"

/** A checkpoint's row, and the number and total size of its parts. */
export interface Listed extends Rows.Row {
  readonly id: string
  readonly parts: number
  readonly durable: number
  readonly table: string
}

/** The condition for the rows to list. */
export type Kind = "receipt IS NULL" | "receipt IS NOT NULL"

/** Uploads that can be resumed. */
export const pending: Kind = "receipt IS NULL"

/** Uploads that are complete. */
export const finished: Kind = "receipt IS NOT NULL"

/** All rows of a kind whose ids begin with `id`. */
export const rows = (
  database: Database,
  pageSize: number,
  kind: Kind,
  id = ""
): Stream.Stream<Listed, CheckpointError> =>
  Stream.paginate("", (after) =>
    Effect.map(
      page(database, { after, pageSize, kind, id }),
      (rows) =>
        [
          rows.map((row) => ({ ...row, table: database.tables.checkpoints })),
          rows.length < pageSize
            ? Option.none()
            : Option.map(Option.fromUndefinedOr(rows.at(-1)), ({ id }) => id)
        ] as const
    )
  )

interface Page {
  readonly after: string
  readonly pageSize: number
  readonly kind: Kind
  readonly id: string
}

/** Ids are hexadecimal, so every id with the prefix `id` sorts before `id` followed by "g". */
const page = (database: Database, { after, pageSize, kind, id }: Page) => {
  const { sql, tables } = database
  return ask(
    `table ${tables.checkpoints}`,
    sql<Omit<Listed, "table">>`
      SELECT c.id, c.checkpoint_key, c.format, c.header, c.receipt,
        CAST(COUNT(p.number) AS DOUBLE PRECISION) AS parts,
        CAST(COALESCE(SUM(p.size), 0) AS DOUBLE PRECISION) AS durable
      FROM (
        SELECT id, ${Rows.columns(database)} FROM ${sql(tables.checkpoints)}
        WHERE header IS NOT NULL AND id > ${after} AND id >= ${id} AND id < ${`${id}g`}
          AND ${sql.literal(kind)}
        ORDER BY id LIMIT ${pageSize}
      ) AS c LEFT JOIN ${sql(tables.parts)} AS p ON p.id = c.id
      GROUP BY c.id, c.checkpoint_key, c.format, c.header, c.receipt ORDER BY c.id`
  )
}

/** The summary of a pending row. Skips an unreadable row with a warning. */
export const summary = (row: Listed): Stream.Stream<Checkpoint.Summary> =>
  orWarn(
    row,
    Result.gen(function* () {
      const header = yield* Rows.headerOf(row)
      const checkpointKey = yield* Rows.keyOf(row)
      return Option.some({ checkpointKey, header, durable: row.durable, parts: row.parts })
    })
  )

/** The receipt of a finished row. Skips an unreadable row with a warning. */
export const finishedOf = (row: Listed): Stream.Stream<Checkpoint.Finished> =>
  orWarn(row, Rows.finishedOf(row))

const orWarn = <A>(
  row: Listed,
  read: Result.Result<Option.Option<A>, Damaged | UnknownVersion>
): Stream.Stream<A> =>
  Result.match(read, {
    onSuccess: (found) => Stream.fromIterable(Option.toArray(found)),
    onFailure: (reason) => {
      const location = `table ${row.table}, key ${row.checkpoint_key.slice(0, 200)}`
      const { message } = new CheckpointError({ location, reason })
      return Stream.drain(Stream.fromEffect(Effect.logWarning(message)))
    }
  })
