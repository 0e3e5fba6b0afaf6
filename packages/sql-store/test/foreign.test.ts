/** Rows that no store wrote, and databases whose clock was set back. */
import { assert, layer } from "@effect/vitest"
import { Effect, Option, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { CheckpointStore } from "@effect-oss/core"
import {
  header,
  parts,
  recover,
  refusal,
  withLog
} from "../../core/test/support/CheckpointStoreContract.ts"
import { Postgres } from "./postgres.ts"
import { databases, newPrefix, storeWith, tablesOf } from "./support.ts"

const record = withLog("key", (log) =>
  Effect.andThen(log.begin(header()), Effect.forEach(parts(2), log.append))
)

layer(Postgres.layer, { excludeTestServices: true, timeout: "1 minute" })("a row", (it) => {
  for (const name of ["SQLite in memory", "PostgreSQL"] as const) {
    const test = <E>(
      title: string,
      body: (
        tables: Effect.Success<ReturnType<typeof tablesOf>>,
        store: CheckpointStore.CheckpointStore["Service"]
      ) => Effect.Effect<void, E, SqlClient.SqlClient | CheckpointStore.CheckpointStore>
    ) =>
      it.effect(`${title}, in ${name}`, () =>
        Effect.gen(function* () {
          const prefix = newPrefix()
          const store = yield* storeWith({ prefix })
          const tables = yield* tablesOf(prefix)
          yield* Effect.provideService(
            Effect.andThen(record, body(tables, store)),
            CheckpointStore.CheckpointStore,
            store
          )
        }).pipe(Effect.scoped, Effect.provide(databases[name]))
      )

    test("with a header of 20 MB is damaged, and left out of lists", ({
      sql,
      checkpoints
    }, store) =>
      Effect.gen(function* () {
        yield* sql`UPDATE ${checkpoints} SET header = header || ${" ".repeat(20_000_000)} || header`
        const error = yield* refusal(recover("key"))
        assert.strictEqual(error.reason._tag, "Damaged", error.message)
        assert.deepStrictEqual(yield* Stream.runCollect(store.list), [])
      }))

    test("with an invalid part is damaged", ({ sql, parts: rows }) =>
      Effect.gen(function* () {
        for (const [etag, crc64] of [
          ["x".repeat(1_000_000), "1"],
          ["x", "9".repeat(1_000_000)],
          ["x", "-1"]
        ]) {
          yield* sql`UPDATE ${rows} SET etag = ${etag}, crc64 = ${crc64} WHERE number = 2`
          assert.strictEqual((yield* refusal(recover("key"))).reason._tag, "Damaged")
        }
      }))

    test("with more parts than OSS accepts is damaged", ({ sql, parts: rows }) =>
      Effect.gen(function* () {
        const all = Array.from({ length: 10_001 }, (_, index) => index + 3)
        for (let from = 0; from < all.length; from += 1_000) {
          yield* sql`INSERT INTO ${rows} (id, number, part_offset, size, etag, crc64, n)
            SELECT id, number + ${from + 2}, 0, 1, etag, crc64, n + ${from + 2}
            FROM (${sql.unsafe(numbers)}) AS k CROSS JOIN
              (SELECT id, etag, crc64, n FROM ${rows} WHERE number = 1) AS r`
        }
        const error = yield* refusal(recover("key"))
        assert.include(error.message, "it has more than 10000 parts")
      }))

    test("with the header of another upload is neither listed nor opened", (tables, store) =>
      Effect.gen(function* () {
        const { sql, checkpoints } = tables
        yield* sql`UPDATE ${checkpoints} SET header = REPLACE(header, '"key":"backups', '"key":"other')`
        assert.strictEqual((yield* refusal(recover("key"))).reason._tag, "Damaged")
        assert.deepStrictEqual(yield* Stream.runCollect(store.list), [])
      }))

    test("with a lease until an impossible time is reported as in use", ({ sql, checkpoints }) =>
      Effect.gen(function* () {
        yield* sql`UPDATE ${checkpoints} SET token = 'x', holder = 'web-1', lease_ms = 9000000000000000000,
          expires_at = 9000000000000000000`
        const error = yield* refusal(recover("key"))
        assert.include(error.message, "in use by web-1, for an unknown time")
      }))

    test("with a lease that no process renews is free after the clock was set back", ({
      sql,
      checkpoints
    }) =>
      Effect.gen(function* () {
        yield* sql`UPDATE ${checkpoints} SET token = 'dead', holder = 'web-1', lease_ms = 120,
          expires_at = 4000000000000`
        assert.isTrue(Option.isSome(yield* recover("key")))
      }))
  }
})

/** The numbers from 1 to 1000. */
const digits =
  "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)"
const numbers = `SELECT 1 + a.d + 10 * b.d + 100 * c.d AS number FROM ${digits} AS a CROSS JOIN ${digits} AS b CROSS JOIN ${digits} AS c`
