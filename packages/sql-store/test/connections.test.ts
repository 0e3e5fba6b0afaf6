/** PostgreSQL connections that break, wait for locks, or have few rights. */
import { assert, layer } from "@effect/vitest"
import { PgClient } from "@effect/sql-pg"
import { Effect, Fiber, Layer, Option, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import * as CheckpointStoreContract from "@effect-oss/core/testing/CheckpointStoreContract"
import { SqlCheckpointStore } from "@effect-oss/sql-store"
import {
  header,
  keyOf,
  part,
  parts,
  refusal
} from "../../core/test/support/CheckpointStoreContract.ts"
import { Postgres } from "./postgres.ts"
import { newPrefix, storeWith, story, tablesOf } from "./support.ts"

layer(Postgres.layer, { excludeTestServices: true, timeout: "1 minute" })(
  "a holder on PostgreSQL",
  (it) => {
    const client = (startupParameters: Record<string, string> = {}) =>
      Layer.unwrap(
        Effect.map(Postgres, ({ url }) =>
          PgClient.layer({ url: Redacted.make(url), startupParameters })
        )
      )

    /** Waits until a session waits for a lock, and returns all such sessions. */
    const locked = SqlClient.SqlClient.use(
      (sql) => sql<{ pid: number }>`SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`
    ).pipe(
      Effect.tap((sessions) => (sessions.length > 0 ? Effect.void : Effect.sleep("5 millis"))),
      Effect.repeat({ until: (sessions) => sessions.length > 0 })
    )

    /** Terminates the sessions that wait for a lock. */
    const breakConnections = Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      for (const { pid } of yield* locked) yield* sql`SELECT pg_terminate_backend(${pid})`
    })

    it.effect.each(["begin", "append", "remove"] as const)(
      "succeeds when the connection breaks in the middle of %s",
      (write) =>
        Effect.gen(function* () {
          const prefix = newPrefix()
          const store = yield* storeWith({ prefix })
          const log = yield* store.open(keyOf("key"))
          yield* log.begin(header(1))
          yield* log.append(part(1))
          const admin = yield* Layer.build(Layer.fresh(client()))
          const { checkpoints } = yield* tablesOf(prefix)
          const sql = yield* Effect.provideContext(SqlClient.SqlClient, admin)
          const writing = {
            begin: log.begin(header(2)),
            append: log.append(part(2)),
            remove: log.remove
          }[write]
          const fiber = yield* sql.withTransaction(
            Effect.gen(function* () {
              yield* sql`SELECT 1 FROM ${checkpoints} FOR UPDATE`
              const fiber = yield* Effect.forkDetach(writing)
              yield* Effect.provideContext(breakConnections, admin)
              return fiber
            })
          )
          yield* Fiber.join(fiber)
          const { rows } = yield* tablesOf(prefix)
          const [[row], recorded] = yield* rows
          const numbers = recorded.map(({ number }) => number)
          if (write === "begin") assert.include(row?.header, '"createdAt":2')
          if (write === "remove") assert.isNull(row?.header)
          assert.deepStrictEqual(numbers, write === "append" ? [1, 2] : [])
        }).pipe(Effect.scoped, Effect.provide(client()))
    )

    it.effect("can be interrupted while it appends, without losing parts", () =>
      Effect.gen(function* () {
        const prefix = newPrefix()
        const store = yield* storeWith({ prefix })
        const log = yield* store.open(keyOf("key"))
        yield* log.begin(header())
        const admin = yield* Layer.build(Layer.fresh(client()))
        const sql = yield* Effect.provideContext(SqlClient.SqlClient, admin)
        const { checkpoints, rows } = yield* tablesOf(prefix)
        const waiting = yield* sql.withTransaction(
          Effect.gen(function* () {
            yield* sql`SELECT 1 FROM ${checkpoints} FOR UPDATE`
            const [first, ...others] = yield* Effect.forEach(parts(3), (part) =>
              Effect.forkDetach(log.append(part), { startImmediately: true })
            )
            yield* Effect.sleep("20 millis")
            yield* Fiber.interrupt(first!)
            return others
          })
        )
        yield* Effect.forEach(waiting, Fiber.join)
        assert.lengthOf((yield* rows)[1], 3)
      }).pipe(Effect.scoped, Effect.provide(client()))
    )

    it.effect("acknowledges no part that a simultaneous takeover doesn't see", () =>
      Effect.gen(function* () {
        const prefix = newPrefix()
        const log = yield* Effect.flatMap(storeWith({ prefix }), (store) =>
          store.open(keyOf("key"))
        )
        yield* log.begin(header())
        const admin = yield* Layer.build(Layer.fresh(client()))
        const sql = yield* Effect.provideContext(SqlClient.SqlClient, admin)
        const { checkpoints, parts, expire } = yield* tablesOf(prefix)
        yield* expire
        const other = yield* storeWith({ prefix })
        const [appending, opening] = yield* sql.withTransaction(
          Effect.gen(function* () {
            // The append has to wait for this row.
            yield* sql`INSERT INTO ${parts}
              SELECT id, 1, 0, 0, ${""}, ${""}, 0 FROM ${checkpoints}`
            const appending = yield* Effect.forkDetach(log.append(part(1)))
            yield* Effect.provideContext(locked, admin)
            const opening = yield* Effect.forkScoped(Effect.scoped(other.open(keyOf("key"))))
            yield* Effect.sleep("50 millis")
            return [appending, opening] as const
          })
        )
        yield* Fiber.join(appending)
        const { recovered } = yield* Fiber.join(opening)
        assert.deepStrictEqual(Option.getOrThrow(recovered).parts, [part(1)])
      }).pipe(Effect.scoped, Effect.provide(client()))
    )

    it.effect("creates the tables once when many processes start at once", () =>
      Effect.gen(function* () {
        const prefix = newPrefix()
        yield* Effect.forEach(
          Array.from({ length: 8 }),
          () =>
            Effect.provide(
              Effect.flatMap(storeWith({ prefix }), (store) => store.has(keyOf("key"))),
              Layer.fresh(client())
            ),
          { concurrency: "unbounded" }
        )
        const { sql } = yield* tablesOf(prefix)
        const migrations = yield* sql`SELECT name FROM ${sql(`${prefix}migrations`)}`
        assert.deepStrictEqual(migrations, [{ name: "checkpoints" }])
      }).pipe(Effect.scoped, Effect.provide(client()))
    )

    it.effect("can have its tables in a schema of the application", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`CREATE SCHEMA uploads`
        const store = yield* storeWith({ prefix: "uploads.oss_" })
        yield* story(store)
        const tables = yield* sql`SELECT tablename FROM pg_tables
          WHERE schemaname = 'uploads' ORDER BY tablename`
        assert.deepStrictEqual(
          tables.map(({ tablename }) => tablename),
          ["oss_checkpoints", "oss_migrations", "oss_parts"]
        )
      }).pipe(Effect.scoped, Effect.provide(client()))
    )

    it.effect("needs no right to create tables that exist", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const prefix = newPrefix()
        const role = `${prefix}role`
        yield* sql`CREATE ROLE ${sql(role)}`
        const limited = yield* Layer.build(Layer.fresh(client({ role })))
        const tell = Effect.provideContext(Effect.flatMap(storeWith({ prefix }), story), limited)
        assert.include((yield* refusal(tell)).message, "permission denied")
        yield* Effect.flatMap(storeWith({ prefix }), story)
        yield* sql`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${sql(role)}`
        yield* tell
        yield* sql`DROP OWNED BY ${sql(role)}`
        yield* sql`DROP ROLE ${sql(role)}`
      }).pipe(Effect.scoped, Effect.provide(client()))
    )

    const atOnce = CheckpointStoreContract.laws.filter(({ name }) => name.includes("many"))
    it.effect.each(atOnce)("with serializable transactions: $name", ({ check }) =>
      Effect.provide(
        check,
        Layer.provide(
          SqlCheckpointStore.layer({ prefix: newPrefix() }),
          client({ default_transaction_isolation: "serializable" })
        )
      )
    )
  }
)
