/**
 * The version of the cluster's tables. The tables of Effect's cluster come
 * first. This library adds an index of the messages that start executions. A
 * program that may only read and write uses the tables as they are.
 */
import { InvalidRequest } from "@effect-oss/core/UploadError"
import * as SqlMessageStorage from "effect/cluster/SqlMessageStorage"
import * as SqlRunnerStorage from "effect/cluster/SqlRunnerStorage"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Migrator from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { outlasting } from "./outlasting.ts"

const ownMigrations = Migrator.fromRecord({
  "1_runs": Effect.gen(function* () {
    const sql = (yield* SqlClient.SqlClient).withoutTransforms()
    yield* sql`
      CREATE INDEX IF NOT EXISTS effect_oss_runs ON cluster_messages (entity_type, id)
      WHERE tag = 'run'`
  })
})

interface Part {
  readonly table: string
  readonly loader: Migrator.Loader
}

/** Created in this order. */
const parts: ReadonlyArray<Part> = [
  { table: "cluster_migrations", loader: SqlMessageStorage.migrations() },
  { table: "cluster_runner_migrations", loader: SqlRunnerStorage.migrations({}) },
  { table: "effect_oss_migrations", loader: ownMigrations }
]

/** Creates missing tables and indexes. Fails if a newer program created them. */
export const prepare: Effect.Effect<void, InvalidRequest, SqlClient.SqlClient> = Effect.forEach(
  parts,
  (part) => Effect.catchTag(outlasting(one(part)), "MigrationError", Effect.die),
  { discard: true }
)

const one = Effect.fnUntraced(function* (
  part: Part
): Effect.fn.Return<
  void,
  Migrator.MigrationError | InvalidRequest | SqlError,
  SqlClient.SqlClient
> {
  const { table, loader } = part
  const known = Math.max(...(yield* loader).map(([id]) => id))
  const found = yield* version(part)
  if (found > known) {
    return yield* new InvalidRequest({
      field: "database",
      problem: `a newer program has made it: ${table} is at version ${found}, and ${known} is known here`,
      remedy: "use that newer version of effect-oss here too"
    })
  }
  if (found === known) return
  yield* Migrator.make({})({ loader, table }).pipe(
    // Another process may create them at the same time.
    Effect.retry({ schedule: Schedule.spaced("300 millis"), times: 10, while: isElsewhere })
  )
})

const isElsewhere = (error: Migrator.MigrationError | SqlError) =>
  error._tag === "MigrationError" && (error.kind === "Locked" || error.kind === "Failed")

/** 0 if there is no such table. */
const version = Effect.fnUntraced(function* ({ table }: Part) {
  const sql = (yield* SqlClient.SqlClient).withoutTransforms()
  const [row] = yield* sql<{ id: number | null }>`
    SELECT MAX(migration_id) AS id FROM ${sql(table)}`.pipe(
    Effect.catchIf(
      ({ reason }) => reason._tag === "SqlSyntaxError" || reason._tag === "UnknownError",
      () => Effect.succeed([])
    )
  )
  return Number(row?.id ?? 0)
})
