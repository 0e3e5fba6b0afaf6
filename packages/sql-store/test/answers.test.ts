/** Answers that are lost, statements that come late, connections that break. */
import { assert, describe, it, layer } from "@effect/vitest"
import { PgClient } from "@effect/sql-pg"
import { Effect, Exit, Fiber, Layer, Logger, Option, Redacted, Scope } from "effect"
import { TestClock } from "effect/testing"
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
  refusal
} from "../../core/test/support/CheckpointStoreContract.ts"
import { Postgres } from "./postgres.ts"
import type { Fate } from "./support.ts"
import { hooked, newPrefix, storeWith, tablesOf } from "./support.ts"

const prefix = "effect_oss_"

const memory = NodeSqlite.layer({ file: ":memory:" })

/** All that a holder can do. */
const story = Effect.fnUntraced(function* (store: CheckpointStore.CheckpointStore["Service"]) {
  const log = yield* store.open(keyOf("key"))
  yield* log.begin(header(1))
  yield* log.append(part(1))
  yield* log.begin(header(2))
  yield* Effect.forEach(parts(3), log.append, { concurrency: "unbounded" })
  yield* log.append({ ...part(3), etag: '"again"' })
  yield* log.remove
  yield* log.begin(header(3))
  yield* log.append(part(2))
  yield* log.append(part(1))
}, Effect.scoped)

const told = Option.some({ header: header(3), parts: [part(2), part(1)] })

/** What the next holder finds. */
const found = Effect.flatMap(storeWith({}), (store) =>
  Effect.scoped(Effect.map(store.open(keyOf("key")), ({ recovered }) => recovered))
)

/** Each statement of the story by its number, from 0. */
const withFates = (fateOf: (index: number, sql: string, params: ReadonlyArray<unknown>) => Fate) =>
  Effect.gen(function* () {
    // The tables are there.
    yield* found
    let index = 0
    const client = yield* hooked((sql, params) => fateOf(index++, sql, params))
    return yield* Effect.provideService(storeWith({}), SqlClient.SqlClient, client)
  })

const statements = Effect.gen(function* () {
  const all: Array<string> = []
  yield* Effect.flatMap(
    withFates((_, sql) => {
      all.push(sql)
      return "answered"
    }),
    story
  )
  return all
}).pipe(Effect.scoped, Effect.provide(memory))

describe("a holder", () => {
  it.live.each(["lost", "cut"] as const)("does all of it once, whichever answer is %s", (fate) =>
    Effect.gen(function* () {
      const count = (yield* statements).length
      assert.isAbove(count, 25)
      yield* Effect.forEach(
        Array.from({ length: count }, (_, index) => index),
        (index) =>
          Effect.gen(function* () {
            const store = yield* withFates((at) => (at === index ? fate : "answered"))
            yield* story(store)
            assert.deepStrictEqual(yield* found, told, `statement ${index}`)
            const { rows } = yield* tablesOf(prefix)
            assert.deepStrictEqual(
              (yield* rows)[0].map(({ token }) => token),
              [null]
            )
          }).pipe(Effect.scoped, Effect.provide(Layer.fresh(memory))),
        { concurrency: "unbounded" }
      )
    })
  )

  it.live("is told so when the database stays away, and can't be wrong about what is there", () =>
    Effect.gen(function* () {
      const count = (yield* statements).length
      yield* Effect.forEach(
        Array.from({ length: count }, (_, index) => index),
        (index) =>
          Effect.gen(function* () {
            const store = yield* withFates((at) => (at >= index ? "refused" : "answered"))
            const exit = yield* Effect.exit(story(store))
            // Nothing but the end may fail without being told.
            assert.isTrue(exit._tag === "Failure" || index >= count - 2, `statement ${index}`)
            const { expire } = yield* tablesOf(prefix)
            yield* expire
            // Whatever stands there can be read, and is one of the story's states.
            const recovered = Option.getOrNull(yield* found)
            const states: Record<number, ReadonlyArray<number>> = {
              1: [1],
              2: [1, 2, 3],
              3: [2, 1]
            }
            const numbers = recovered?.parts.map(({ number }) => number) ?? []
            const expected = states[recovered?.header.createdAt ?? 0] ?? []
            assert.deepStrictEqual(numbers, expected.slice(0, numbers.length), `statement ${index}`)
          }).pipe(Effect.scoped, Effect.provide([Layer.fresh(memory), Logger.layer([])])),
        { concurrency: "unbounded" }
      )
    })
  )

  /** A log that has begun; and a begin that fails since its end is lost, carried out or not. */
  const withDoubt = Effect.fnUntraced(function* (fate: Fate) {
    let fateOf = (_: string): Fate => "answered"
    const store = yield* withFates((_, sql) => fateOf(sql))
    const log = yield* store.open(keyOf("key"))
    yield* log.begin(header(1))
    fateOf = (sql) => {
      if (sql !== "COMMIT") return "answered"
      fateOf = () => "refused"
      return fate
    }
    assert.strictEqual((yield* refusal(log.begin(header(2)))).reason._tag, "Unavailable")
    fateOf = () => "answered"
    const { rows } = yield* tablesOf(prefix)
    return { log, rows }
  })

  it.live.each(["lost", "cut"] as const)("begins again though a begin was %s", (fate) =>
    Effect.gen(function* () {
      const { log, rows } = yield* withDoubt(fate)
      yield* log.begin(header(3))
      yield* log.append(part(1))
      const [[row], recorded] = yield* rows
      assert.include(row?.header, '"createdAt":3')
      assert.lengthOf(recorded, 1)
    }).pipe(Effect.scoped, Effect.provide(memory))
  )

  it.live("adds no part to a header whose begin it was told has failed", () =>
    Effect.gen(function* () {
      const { log, rows } = yield* withDoubt("lost")
      const { reason } = yield* refusal(log.append(part(1)))
      assert.include(reason, { _tag: "Unavailable" })
      assert.lengthOf((yield* rows)[1], 0)
    }).pipe(Effect.scoped, Effect.provide(memory))
  )

  it.live("adds parts to the header before if a begin was not carried out", () =>
    Effect.gen(function* () {
      const { log, rows } = yield* withDoubt("cut")
      yield* log.append(part(1))
      const [[row], recorded] = yield* rows
      assert.include(row?.header, '"createdAt":1')
      assert.lengthOf(recorded, 1)
    }).pipe(Effect.scoped, Effect.provide(memory))
  )

  it.live("lets go what it may have taken without knowing", () =>
    Effect.gen(function* () {
      const fates: Array<Fate> = ["lost", "refused"]
      const store = yield* withFates((_, sql) =>
        sql.includes("ON CONFLICT") ? (fates.shift() ?? "answered") : "answered"
      )
      assert.strictEqual((yield* refusal(store.open(keyOf("key")))).reason._tag, "Unavailable")
      assert.deepStrictEqual(fates, [])
      assert.deepStrictEqual(yield* found, Option.none())
    }).pipe(Effect.scoped, Effect.provide(memory))
  )

  it.live("can't be harmed by a statement of its own that comes once more, however late", () =>
    Effect.gen(function* () {
      const sent: Array<readonly [string, ReadonlyArray<unknown>]> = []
      const store = yield* withFates((_, sql, params) => {
        if (/^\s*(WITH|INSERT|UPDATE|DELETE)/.test(sql)) sent.push([sql, params])
        return "answered"
      })
      const { sql, rows, checkpoints } = yield* tablesOf(prefix)
      const log = yield* store.open(keyOf("key"))
      const steps = [
        log.begin(header(1)),
        log.append(part(1)),
        log.append({ ...part(1), etag: '"again"' }),
        log.begin(header(2)),
        log.append(part(2)),
        log.remove,
        log.begin(header(3)),
        log.append(part(3))
      ]
      for (const [index, step] of steps.entries()) {
        yield* step
        const before = yield* rows
        for (const [text, params] of sent) {
          // What deletes parts is sent behind an update in one transaction, and not without it.
          if (text.startsWith("DELETE")) continue
          yield* sql.unsafe(text, params)
          assert.deepStrictEqual(yield* rows, before, `${text} after step ${index}`)
        }
      }
      yield* sql`UPDATE ${checkpoints} SET token = ${"another"}`
      const before = yield* rows
      for (const [text, params] of sent) {
        if (!text.startsWith("DELETE")) yield* sql.unsafe(text, params)
      }
      assert.deepStrictEqual(yield* rows, before)
    }).pipe(Effect.scoped, Effect.provide(memory))
  )

  it.effect("that couldn't renew in time renews before it writes again", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      let isAway = false
      const store = yield* withFates((_, sql) => {
        seen.push(/^\s*UPDATE \S+ SET expires_at/.test(sql) ? "renew" : sql.trim().slice(0, 6))
        return isAway ? "refused" : "answered"
      })
      const log = yield* store.open(keyOf("key"))
      yield* log.begin(header())
      isAway = true
      yield* TestClock.adjust("61 seconds")
      assert.deepStrictEqual(seen.slice(-3), ["renew", "renew", "renew"])
      assert.strictEqual((yield* refusal(log.append(part(1)))).reason._tag, "Unavailable")
      assert.deepStrictEqual(seen.slice(-1), ["renew"])
      isAway = false
      yield* log.append(part(1))
      assert.deepStrictEqual(seen.slice(-2), ["renew", "WITH h"])
      yield* log.append(part(2))
      assert.deepStrictEqual(seen.slice(-1), ["WITH h"])
    }).pipe(Effect.scoped, Effect.provide(memory))
  )

  it.effect("is told so when the database doesn't answer, and is not kept by it", () =>
    Effect.gen(function* () {
      let fate: Fate = "answered"
      const store = yield* withFates(() => fate)
      const scope = yield* Scope.make()
      const log = yield* Scope.provide(store.open(keyOf("key")), scope)
      yield* log.begin(header())
      fate = "hung"
      for (const write of [log.append(part(1)), log.begin(header(2)), log.remove]) {
        const fiber = yield* Effect.forkChild(refusal(write))
        yield* TestClock.adjust("29 seconds")
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust("1 minute")
        assert.include((yield* Fiber.join(fiber)).message, "did not answer within")
      }
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(closing)
    }).pipe(Effect.scoped, Effect.provide([memory, Logger.layer([])]))
  )

  it.effect("learns by a renewal that its checkpoint is another's", () =>
    Effect.gen(function* () {
      let asked = 0
      const store = yield* withFates(() => {
        asked++
        return "answered"
      })
      const log = yield* store.open(keyOf("key"))
      yield* log.begin(header())
      const { expire } = yield* tablesOf(prefix)
      yield* expire
      yield* Effect.flatMap(storeWith({}), (other) => other.open(keyOf("key")))
      yield* TestClock.adjust("20 seconds")
      const before = asked
      assert.strictEqual((yield* refusal(log.append(part(1)))).reason._tag, "LeaseLost")
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(asked, before)
    }).pipe(Effect.scoped, Effect.provide(memory))
  )
})

layer(Postgres.layer, { excludeTestServices: true, timeout: "1 minute" })(
  "a holder on PostgreSQL",
  (it) => {
    const client = (startupParameters: Record<string, string> = {}) =>
      Layer.unwrap(
        Effect.map(Postgres, ({ url }) =>
          PgClient.layer({ url: Redacted.make(url), startupParameters })
        )
      )

    /** The sessions that wait for a lock, once there are any. */
    const locked = SqlClient.SqlClient.use(
      (sql) => sql<{ pid: number }>`SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`
    ).pipe(
      Effect.tap((sessions) => (sessions.length > 0 ? Effect.void : Effect.sleep("5 millis"))),
      Effect.repeat({ until: (sessions) => sessions.length > 0 })
    )

    /** Ends the server's side of them. */
    const breakConnections = Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      for (const { pid } of yield* locked) yield* sql`SELECT pg_terminate_backend(${pid})`
    })

    it.effect.each(["begin", "append", "remove"] as const)(
      "is none the wiser when the connection breaks in the middle of %s",
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

    it.effect("doesn't keep who is interrupted waiting, nor anybody's parts", () =>
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

    it.effect("has what it was told is recorded seen by who takes over at that moment", () =>
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
            // The part that is about to be appended has to wait for this one.
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

    it.effect("finds its tables made once, however many make them at the same moment", () =>
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

    it.effect("may have its tables in a schema of the application's", () =>
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

    it.effect("needs no right to make tables that are there", () =>
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
    it.effect.each(atOnce)(
      "of an application that wants transactions serializable: $name",
      ({ check }) =>
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
