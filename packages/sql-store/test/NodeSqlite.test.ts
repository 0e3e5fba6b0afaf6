import { assert, describe, it } from "@effect/vitest"
import { chmodSync, readdirSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { Effect, Layer, Stream } from "effect"
import { SqlClient } from "effect/sql"
import * as NodeSqlite from "@effect-oss/sql-store/NodeSqlite"
import { refusal } from "../../core/test/support/CheckpointStoreContract.ts"
import { sqliteFile } from "./support.ts"

const numbers = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE numbers (n INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT`
  yield* sql`INSERT INTO numbers ${sql.insert([
    { n: 1, name: "one" },
    { n: 2, name: "two" }
  ])}`
  return sql
})

const memory = Effect.provide(NodeSqlite.layer({ file: ":memory:" }))

describe("a client of node:sqlite", () => {
  it.effect("returns rows, values and streams", () =>
    Effect.gen(function* () {
      const sql = yield* numbers
      const query = sql`SELECT name, n, n FROM numbers ORDER BY n`
      assert.deepStrictEqual(
        JSON.stringify(yield* query),
        '[{"name":"one","n":1},{"name":"two","n":2}]'
      )
      assert.deepStrictEqual(yield* query.values, [
        ["one", 1, 1],
        ["two", 2, 2]
      ])
      assert.lengthOf(yield* Stream.runCollect(query.stream), 2)
    }).pipe(memory)
  )

  it.effect("returns integers of any size with SafeIntegers", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const query = sql`SELECT 9007199254740993 AS n`
      const rows = yield* Effect.provideService(query, SqlClient.SafeIntegers, true)
      assert.deepStrictEqual(
        rows.map(({ n }) => n),
        [9_007_199_254_740_993n]
      )
      assert.include((yield* refusal(query)).message, "too large")
    }).pipe(memory)
  )

  it.effect("classifies errors by the reasons of Effect", () =>
    Effect.gen(function* () {
      const sql = yield* numbers
      const reasonOf = <A>(
        query: Effect.Effect<A, { readonly reason: { readonly _tag: string } }>
      ) => Effect.map(refusal(query), ({ reason }) => reason._tag)
      assert.strictEqual(
        yield* reasonOf(sql`INSERT INTO numbers VALUES (3, 'two')`),
        "UniqueViolation"
      )
      assert.strictEqual(
        yield* reasonOf(sql`INSERT INTO numbers VALUES (3, NULL)`),
        "ConstraintError"
      )
      assert.strictEqual(yield* reasonOf(sql`SELECT`), "UnknownError")
      const nowhere = Layer.build(NodeSqlite.layer({ file: "/nowhere/at/all.sqlite" }))
      assert.strictEqual(yield* reasonOf(Effect.scoped(nowhere)), "ConnectionError")
    }).pipe(memory)
  )

  it.effect("rolls back a failed transaction, or the failed part of one", () =>
    Effect.gen(function* () {
      const sql = yield* numbers
      const add = (n: number) => sql`INSERT INTO numbers VALUES (${n}, ${`${n}`})`
      const failing = (n: number) => Effect.andThen(add(n), Effect.fail("no"))
      yield* Effect.flip(sql.withTransaction(failing(3)))
      yield* sql.withTransaction(
        Effect.andThen(add(4), Effect.ignore(sql.withTransaction(failing(5))))
      )
      assert.deepStrictEqual((yield* sql`SELECT n FROM numbers`.values).flat(), [1, 2, 4])
    }).pipe(memory)
  )

  it.effect("can write in a transaction after a read, while another process tries to write", () =>
    Effect.gen(function* () {
      const file = yield* sqliteFile
      const other = yield* Layer.build(NodeSqlite.layer({ file, busyTimeout: "20 millis" }))
      const write = SqlClient.SqlClient.use((sql) => sql`INSERT INTO numbers VALUES (3, 'three')`)
      yield* Effect.gen(function* () {
        const sql = yield* numbers
        yield* sql.withTransaction(
          Effect.gen(function* () {
            yield* sql`SELECT n FROM numbers`
            yield* Effect.ignore(Effect.provideContext(write, other))
            yield* sql`INSERT INTO numbers VALUES (4, 'four')`
          })
        )
        yield* Effect.provideContext(write, other)
        assert.deepStrictEqual((yield* sql`SELECT n FROM numbers`.values).flat(), [1, 2, 3, 4])
      }).pipe(Effect.provide(NodeSqlite.layer({ file })))
    })
  )

  it.effect(
    "creates the file and its journal files with mode 0600, and keeps the mode of an existing file",
    () =>
      Effect.gen(function* () {
        const file = yield* sqliteFile
        const modes = () =>
          readdirSync(dirname(file)).map((name) => statSync(join(dirname(file), name)).mode & 0o777)
        const use = Effect.provide(
          SqlClient.SqlClient.use((sql) =>
            Effect.andThen(sql`CREATE TABLE IF NOT EXISTS t (n INTEGER)`, Effect.sync(modes))
          ),
          NodeSqlite.layer({ file }),
          { local: true }
        )
        assert.deepStrictEqual(yield* use, [0o600, 0o600, 0o600])
        chmodSync(file, 0o640)
        assert.deepStrictEqual(yield* use, [0o640, 0o640, 0o640])
      })
  )

  it.effect(
    "reads a file that another client wrote, and waits for its lock up to busyTimeout",
    () =>
      Effect.gen(function* () {
        const file = yield* sqliteFile
        yield* Effect.scoped(Effect.provide(numbers, NodeSqlite.layer({ file })))
        const other = yield* Layer.build(NodeSqlite.layer({ file }))
        const hurried = NodeSqlite.layer({ file, busyTimeout: "20 millis" })
        const write = SqlClient.SqlClient.use((sql) => sql`INSERT INTO numbers VALUES (3, 'three')`)
        const sql = yield* Effect.provideContext(SqlClient.SqlClient, other)
        const { reason } = yield* sql.withTransaction(
          Effect.andThen(sql`DELETE FROM numbers`, refusal(Effect.provide(write, hurried)))
        )
        assert.strictEqual(reason._tag, "LockTimeoutError")
        yield* Effect.provide(write, hurried)
        assert.lengthOf(yield* sql`SELECT n FROM numbers`, 1)
      })
  )
})

describe("the lock of a file", () => {
  it.effect("has one holder at a time, until the scope closes", () =>
    Effect.gen(function* () {
      const file = yield* sqliteFile
      const lock = NodeSqlite.lock(file)
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* lock
          const { reason } = yield* refusal(Effect.scoped(lock))
          assert.strictEqual(reason._tag, "LockTimeoutError")
        })
      )
      yield* Effect.scoped(lock)
    })
  )
})
