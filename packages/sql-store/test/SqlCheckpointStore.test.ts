import { assert, describe, it, layer } from "@effect/vitest"
import type { Scope } from "effect"
import { Effect, Exit, Fiber, Layer, Logger, Option, Scope as Scopes, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { CheckpointStore } from "@effect-oss/core"
import * as CheckpointStoreContract from "@effect-oss/core/testing/CheckpointStoreContract"
import { SqlCheckpointStore } from "@effect-oss/sql-store"
import * as NodeSqlite from "@effect-oss/sql-store/NodeSqlite"
import {
  keyOf,
  header,
  part,
  parts,
  recover,
  refusal,
  withLog
} from "../../core/test/support/CheckpointStoreContract.ts"
import { Postgres } from "./postgres.ts"
import { databases, newPrefix, storeWith, tablesOf } from "./support.ts"

const some = (count: number) => Option.some({ header: header(), parts: parts(count) })

const record = (count: number) =>
  withLog("key", (log) =>
    Effect.andThen(log.begin(header()), Effect.forEach(parts(count), log.append))
  )

/** The services of a test. */
type World = CheckpointStore.CheckpointStore | SqlClient.SqlClient | Scope.Scope

const inWorld = <A, E, R>(
  database: Layer.Layer<SqlClient.SqlClient, unknown, R>,
  body: (prefix: string) => Effect.Effect<A, E, World>
) =>
  Effect.suspend(() => {
    const prefix = newPrefix()
    return body(prefix).pipe(
      Effect.scoped,
      Effect.provide(Layer.provideMerge(SqlCheckpointStore.layer({ prefix }), database))
    )
  })

/** Opens a checkpoint as another process with the same database would. */
const openElsewhere = (prefix: string, options: SqlCheckpointStore.Options = {}) =>
  Effect.flatMap(storeWith({ prefix, holder: "elsewhere", ...options }), (store) =>
    store.open(keyOf("key"))
  )

/** Calls that must fail after the lease is lost. */
const writes = (log: CheckpointStore.CheckpointLog) => ({
  append: log.append(part(9)),
  begin: log.begin(header(9)),
  remove: log.remove
})

layer(Postgres.layer, { excludeTestServices: true, timeout: "1 minute" })(
  "a SQL checkpoint store",
  (it) => {
    describe.each(Object.entries(databases))(
      "in %s keeps the contract of CheckpointStore",
      (_, database) => {
        it.effect.each(CheckpointStoreContract.laws)("$name", ({ check }) =>
          inWorld(database, () => check)
        )
      }
    )

    describe.each(["SQLite in a file", "PostgreSQL"] as const)("in %s", (name) => {
      const test = <A, E>(title: string, body: (prefix: string) => Effect.Effect<A, E, World>) =>
        it.effect(title, () => inWorld(databases[name], body))

      test("leaves no rows of a checkpoint that was never begun, or was removed", (prefix) =>
        Effect.gen(function* () {
          const { rows } = yield* tablesOf(prefix)
          yield* withLog("key", () => Effect.void)
          assert.deepStrictEqual(yield* rows, [[], []])
          yield* record(3)
          yield* withLog("key", (log) => Effect.andThen(log.append(part(4)), log.remove))
          assert.deepStrictEqual(yield* rows, [[], []])
        }))

      test("names the holder of a checkpoint and the end of its lease", (prefix) =>
        Effect.gen(function* () {
          const store = yield* storeWith({ prefix, expiry: "1 hour" })
          yield* store.open(keyOf("key"))
          const error = yield* refusal(recover("key"))
          assert.strictEqual(error.location, `table ${prefix}checkpoints, key ${keyOf("key")}`)
          const { holder } = error.reason as CheckpointStore.Busy
          const [, who, until] = /^(.*), until (\S+) or longer$/.exec(holder) ?? []
          assert.match(who ?? "", new RegExp(`^process ${process.pid} on host .+`))
          const ahead = Date.parse(until ?? "") - Date.now()
          assert.isTrue(ahead > 3_500_000 && ahead <= 3_600_000, until)
        }))

      test("uses the holder's name from the options", (prefix) =>
        Effect.gen(function* () {
          yield* openElsewhere(prefix)
          const { reason } = yield* refusal(recover("key"))
          assert.match((reason as CheckpointStore.Busy).holder, /^elsewhere, until/)
        }))

      for (const write of ["append", "begin", "remove"] as const) {
        test(`refuses ${write} after the lease was lost, and changes nothing`, (prefix) =>
          Effect.gen(function* () {
            const { rows, expire } = yield* tablesOf(prefix)
            const store = yield* CheckpointStore.CheckpointStore
            const asleep = yield* Scopes.make()
            const old = yield* Scopes.provide(store.open(keyOf("key")), asleep)
            yield* old.begin(header())
            yield* old.append(part(1))
            yield* expire

            const awake = yield* openElsewhere(prefix)
            assert.deepStrictEqual(Option.getOrThrow(awake.recovered).parts, [part(1)])
            yield* awake.append(part(2))
            const before = yield* rows
            const error = yield* refusal(writes(old)[write])
            assert.strictEqual(error.reason._tag, "LeaseLost")
            // Every later call fails too.
            for (const effect of Object.values(writes(old))) {
              assert.strictEqual((yield* refusal(effect)).reason._tag, "LeaseLost")
            }
            yield* Scopes.close(asleep, Exit.void)
            assert.deepStrictEqual(yield* rows, before)

            yield* awake.append(part(3))
            assert.lengthOf((yield* rows)[1], 3)
          }))
      }

      test("lets only one of many take over from a dead holder", (prefix) =>
        Effect.gen(function* () {
          const { expire } = yield* tablesOf(prefix)
          yield* openElsewhere(prefix)
          yield* expire
          const opened = yield* Effect.forEach(
            Array.from({ length: 20 }),
            () => Effect.result(openElsewhere(prefix)),
            { concurrency: "unbounded" }
          )
          const won = opened.filter(({ _tag }) => _tag === "Success")
          assert.lengthOf(won, 1)
          for (const result of opened) {
            if (result._tag === "Failure") {
              const { failure } = result
              assert.strictEqual("reason" in failure ? failure.reason._tag : failure._tag, "Busy")
            }
          }
        }))

      test("lets a holder with an expired lease write until another process takes it", (prefix) =>
        Effect.gen(function* () {
          const { expire } = yield* tablesOf(prefix)
          yield* withLog("key", (log) =>
            Effect.gen(function* () {
              yield* log.begin(header())
              yield* expire
              yield* log.append(part(1))
            })
          )
          assert.deepStrictEqual(yield* recover("key"), some(1))
        }))

      test("keeps a checkpoint held while its holder renews the lease", (prefix) =>
        Effect.gen(function* () {
          const terms = { expiry: "600 millis", renewal: "50 millis" } as const
          const log = yield* openElsewhere(prefix, terms)
          yield* Effect.sleep("900 millis")
          assert.strictEqual((yield* refusal(recover("key"))).reason._tag, "Busy")
          yield* log.begin(header())
        }))

      test("frees a checkpoint when the lease of a dead process expires", (prefix) =>
        Effect.gen(function* () {
          const { sql, checkpoints } = yield* tablesOf(prefix)
          yield* openElsewhere(prefix, { expiry: "50 millis" })
          // With another token, this process no longer renews it.
          yield* sql`UPDATE ${checkpoints} SET token = ${"dead"}`
          yield* Effect.sleep("60 millis")
          assert.deepStrictEqual(yield* recover("key"), Option.none())
        }))

      test("deletes only expired rows without a header when it is first used", (prefix) =>
        Effect.gen(function* () {
          const { sql, checkpoints, rows } = yield* tablesOf(prefix)
          yield* record(1)
          yield* withLog("alive", () =>
            Effect.gen(function* () {
              const dead = { token: "dead", holder: "dead", expires_at: 1 }
              yield* sql`INSERT INTO ${checkpoints} ${sql.insert({ id: "dead", checkpoint_key: '"dead"', ...dead })}`
              const [before] = yield* rows
              assert.lengthOf(before, 3)
              const another = yield* storeWith({ prefix })
              yield* another.has("")
              const [after] = yield* rows
              assert.deepStrictEqual(after.map(({ header }) => header !== null).toSorted(), [
                false,
                true
              ])
            })
          )
          assert.deepStrictEqual(yield* recover("key"), some(1))
        }))

      const damages = {
        header: "its header can't be read",
        part: "its part 2 can't be read",
        key: "it belongs to another checkpoint"
      }
      for (const [what, description] of Object.entries(damages)) {
        test(`names table and key if a ${what} is damaged, and leaves it unchanged`, (prefix) =>
          Effect.gen(function* () {
            const { sql, checkpoints, parts: partRows, rows } = yield* tablesOf(prefix)
            yield* record(3)
            if (what === "header") yield* sql`UPDATE ${checkpoints} SET header = ${"{}"}`
            if (what === "part") yield* sql`UPDATE ${partRows} SET crc64 = ${"x"} WHERE number = 2`
            if (what === "key") yield* sql`UPDATE ${checkpoints} SET checkpoint_key = ${'"other"'}`
            const before = yield* rows
            const error = yield* refusal(recover("key"))
            assert.deepStrictEqual(error.reason, new CheckpointStore.Damaged({ description }))
            assert.strictEqual(error.location, `table ${prefix}checkpoints, key ${keyOf("key")}`)
            assert.deepStrictEqual(yield* rows, before)

            const store = yield* CheckpointStore.CheckpointStore
            const discarding = Effect.scoped(
              Effect.gen(function* () {
                const log = yield* store.open(keyOf("key"), { onUnreadable: "discard" })
                assert.isTrue(Option.isNone(log.recovered))
                assert.deepStrictEqual(log.discarded, error)
                yield* log.begin(header(2))
              })
            )
            if (what === "key") {
              // The row belongs to another checkpoint, so `discard` doesn't apply.
              assert.deepStrictEqual(yield* refusal(discarding), error)
              assert.deepStrictEqual(yield* rows, before)
            } else {
              yield* discarding
              assert.deepStrictEqual(
                yield* recover("key"),
                Option.some({ header: header(2), parts: [] })
              )
            }
          }))
      }

      test("recognizes a row of a newer version, and can discard it", (prefix) =>
        Effect.gen(function* () {
          const { sql, checkpoints } = yield* tablesOf(prefix)
          yield* record(2)
          yield* sql`UPDATE ${checkpoints} SET format = 2, header = ${"unheard-of"}`
          const error = yield* refusal(recover("key"))
          assert.deepStrictEqual(error.reason, new CheckpointStore.UnknownVersion({ version: "2" }))
          assert.include(error.message, `key ${keyOf("key")}: written in format 2`)
          assert.include(error.message, "use a newer version")
          const store = yield* CheckpointStore.CheckpointStore
          yield* Effect.scoped(
            Effect.flatMap(
              store.open(keyOf("key"), { onUnreadable: "discard" }),
              (log) => log.remove
            )
          )
          assert.deepStrictEqual(yield* recover("key"), Option.none())
        }))

      test("leaves tables of a newer version alone", (prefix) =>
        Effect.gen(function* () {
          const { sql, rows } = yield* tablesOf(prefix)
          yield* record(2)
          const before = yield* rows
          const migration = { migration_id: 2, name: "unheard-of" }
          yield* sql`INSERT INTO ${sql(`${prefix}migrations`)} ${sql.insert(migration)}`
          const store = yield* storeWith({ prefix })
          for (const use of [
            store.open(keyOf("key")),
            store.has(keyOf("key")),
            Stream.runDrain(store.list)
          ]) {
            const error = yield* refusal(Effect.scoped(use))
            assert.strictEqual(error.location, `table ${prefix}migrations`)
            assert.strictEqual(error.reason._tag, "UnknownVersion")
          }
          assert.deepStrictEqual(yield* rows, before)
        }))

      test("lists page by page, and skips unreadable rows with a warning", (prefix) =>
        Effect.gen(function* () {
          const { sql, checkpoints, rows } = yield* tablesOf(prefix)
          const keys = Array.from({ length: 7 }, (_, index) => `key ${index}`)
          yield* Effect.forEach(keys, (key, index) =>
            withLog(key, (log) =>
              Effect.andThen(
                log.begin(header(index, key)),
                Effect.forEach(parts(index), log.append, { discard: true })
              )
            )
          )
          yield* sql`UPDATE ${checkpoints} SET header = ${"{}"} WHERE checkpoint_key = ${JSON.stringify(keyOf("key 3"))}`
          yield* sql`UPDATE ${checkpoints} SET format = 2 WHERE checkpoint_key = ${JSON.stringify(keyOf("key 5"))}`
          const before = yield* rows
          const warnings: Array<unknown> = []
          const logger = Logger.make(({ message }) => void warnings.push(message))
          for (const pageSize of [1, 2, 7, 100]) {
            const store = yield* storeWith({ prefix, pageSize })
            const listed = yield* Stream.runCollect(store.list).pipe(
              Effect.provide(Logger.layer([logger]))
            )
            assert.deepStrictEqual(
              listed
                .map(({ checkpointKey, durable, parts, header }) => [
                  checkpointKey,
                  durable / 8_388_608,
                  parts,
                  header.createdAt
                ])
                .toSorted(),
              [0, 1, 2, 4, 6].map((index) => [keyOf(`key ${index}`), index, index, index])
            )
            assert.lengthOf(warnings.splice(0), 2)
          }
          assert.deepStrictEqual(yield* rows, before)
        }))

      test("records nothing inside a transaction of the application", () =>
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const error = yield* refusal(sql.withTransaction(recover("key")))
          assert.include((error as CheckpointStore.CheckpointError).message, "transaction")
          yield* record(1)
          yield* withLog("key", (log) =>
            Effect.gen(function* () {
              for (const write of Object.values(writes(log))) {
                const refused = yield* refusal(sql.withTransaction(write))
                assert.include((refused as CheckpointStore.CheckpointError).message, "transaction")
              }
            })
          )
          assert.deepStrictEqual(yield* recover("key"), some(1))
        }))

      test("names a missing table, and works again when it is back", (prefix) =>
        Effect.gen(function* () {
          const { sql, checkpoints } = yield* tablesOf(prefix)
          yield* record(1)
          yield* sql`ALTER TABLE ${checkpoints} RENAME TO ${sql(`${prefix}elsewhere`)}`
          const error = yield* refusal(recover("key"))
          assert.strictEqual(error.reason._tag, "Unavailable")
          assert.include(error.message, `${prefix}checkpoints`)
          yield* sql`ALTER TABLE ${sql(`${prefix}elsewhere`)} RENAME TO ${checkpoints}`
          assert.deepStrictEqual(yield* recover("key"), some(1))
        }))

      test("writes all parts even if one append is interrupted", () =>
        Effect.gen(function* () {
          yield* withLog("key", (log) =>
            Effect.gen(function* () {
              yield* log.begin(header())
              const [first, ...others] = yield* Effect.forEach(parts(5), (one) =>
                Effect.forkChild(log.append(one), { startImmediately: true })
              )
              yield* Fiber.interrupt(first!)
              yield* Effect.forEach(others, Fiber.join)
            })
          )
          assert.deepStrictEqual(yield* recover("key"), some(5))
        }))
    })
  }
)

describe("a SQL checkpoint store", () => {
  const wrong: ReadonlyArray<[string, SqlCheckpointStore.Options]> = [
    ["prefix", { prefix: "" }],
    ["prefix", { prefix: "x".repeat(41) }],
    ["prefix", { prefix: 'a"b' }],
    ["prefix", { prefix: "a.b.c" }],
    ["prefix", { prefix: "1a" }],
    ["expiry", { expiry: 0 }],
    ["expiry", { expiry: "Infinity" as never }],
    ["expiry", { expiry: -1 }],
    ["renewal", { expiry: 1000, renewal: 1000 }],
    ["renewal", { renewal: 0 }],
    ["pageSize", { pageSize: 0 }],
    ["pageSize", { pageSize: 1.5 }]
  ]
  it.effect.each(wrong)("rejects the option %s of %o", ([field, options]) =>
    Effect.gen(function* () {
      const built = Layer.build(
        Layer.provide(SqlCheckpointStore.layer(options), NodeSqlite.layer({ file: ":memory:" }))
      )
      const error = yield* refusal(Effect.scoped(built))
      assert.strictEqual(error._tag, "InvalidRequest")
      assert.strictEqual("field" in error ? error.field : "", field)
    })
  )
})
