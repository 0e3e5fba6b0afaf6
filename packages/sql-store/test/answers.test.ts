/** Lost answers, late statements and broken connections. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Logger, Option, Scope } from "effect"
import { TestClock } from "effect/testing"
import { SqlClient } from "effect/sql"
import * as NodeSqlite from "@effect-oss/sql-store/NodeSqlite"
import { keyOf, header, part, refusal } from "../../core/test/support/CheckpointStoreContract.ts"
import type { Fate } from "./support.ts"
import { hooked, storeWith, story, tablesOf } from "./support.ts"

const prefix = "effect_oss_"

const memory = NodeSqlite.layer({ file: ":memory:" })

const told = Option.some({ header: header(3), parts: [part(2), part(1)] })

/** The checkpoint that the next holder finds. */
const found = Effect.flatMap(storeWith({}), (store) =>
  Effect.scoped(Effect.map(store.open(keyOf("key")), ({ recovered }) => recovered))
)

/** A store whose statements, numbered from 0, have the outcomes of `fateOf`. */
const withFates = (fateOf: (index: number, sql: string, params: ReadonlyArray<unknown>) => Fate) =>
  Effect.gen(function* () {
    // Creates the tables first.
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
  it.live.each(["lost", "cut", "starting"] as const)(
    "makes each change once, whichever answer is %s",
    (fate) =>
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

  it.live("fails when the database stays unavailable, and leaves a valid checkpoint", () =>
    Effect.gen(function* () {
      const count = (yield* statements).length
      yield* Effect.forEach(
        Array.from({ length: count }, (_, index) => index),
        (index) =>
          Effect.gen(function* () {
            const store = yield* withFates((at) => (at >= index ? "refused" : "answered"))
            const exit = yield* Effect.exit(story(store))
            // Only the release of the lease may fail without an error.
            assert.isTrue(exit._tag === "Failure" || index >= count - 2, `statement ${index}`)
            const { expire } = yield* tablesOf(prefix)
            yield* expire
            // The checkpoint is readable, and is one of the story's states.
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

  /** A log with a checkpoint, and a second `begin` that failed because of its COMMIT's outcome. */
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

  it.live.each(["lost", "cut"] as const)("can begin again after a begin that was %s", (fate) =>
    Effect.gen(function* () {
      const { log, rows } = yield* withDoubt(fate)
      yield* log.begin(header(3))
      yield* log.append(part(1))
      const [[row], recorded] = yield* rows
      assert.include(row?.header, '"createdAt":3')
      assert.lengthOf(recorded, 1)
    }).pipe(Effect.scoped, Effect.provide(memory))
  )

  it.live("adds no part to the header of a begin that it reported as failed", () =>
    Effect.gen(function* () {
      const { log, rows } = yield* withDoubt("lost")
      const { reason } = yield* refusal(log.append(part(1)))
      assert.include(reason, { _tag: "Unavailable" })
      assert.lengthOf((yield* rows)[1], 0)
    }).pipe(Effect.scoped, Effect.provide(memory))
  )

  it.live("adds parts to the earlier header if a begin did not run", () =>
    Effect.gen(function* () {
      const { log, rows } = yield* withDoubt("cut")
      yield* log.append(part(1))
      const [[row], recorded] = yield* rows
      assert.include(row?.header, '"createdAt":1')
      assert.lengthOf(recorded, 1)
    }).pipe(Effect.scoped, Effect.provide(memory))
  )

  it.live("releases a lease that it may have taken without knowing", () =>
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

  it.live("ignores its own statements when they arrive again later", () =>
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
          // A DELETE only runs after an UPDATE in the same transaction.
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

  it.effect("that couldn't renew in time renews before the next write", () =>
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

  it.effect("fails when the database doesn't answer, and closes in 5 seconds", () =>
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

  it.effect("learns from a renewal that another process has its checkpoint", () =>
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
