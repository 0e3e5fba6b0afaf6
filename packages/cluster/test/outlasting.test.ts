import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Fiber, Layer, Logger } from "effect"
import { SqlError } from "effect/sql"
import { TestClock } from "effect/testing"
import { connecting, layerOutlasting, outlasting } from "../src/internal/outlasting.ts"

const refused = new SqlError.SqlError({
  reason: new SqlError.ConnectionError({
    cause: new Error("connect ECONNREFUSED 127.0.0.1:5432"),
    message: "Failed to connect"
  })
})

/** What PostgreSQL answers, as its driver tells it. */
const answered = (code: string) =>
  new SqlError.SqlError({
    reason: new SqlError.UnknownError({
      cause: Object.assign(new Error("no"), { code }),
      message: "Failed to connect"
    })
  })

/** Fails so often, and succeeds then. */
const failing = (times: number, error: SqlError.SqlError) => {
  let tries = 0
  const effect = Effect.suspend(() =>
    ++tries > times ? Effect.succeed("there") : Effect.fail(error)
  )
  return { effect, tries: () => tries }
}

describe("what is done while the database is away", () => {
  it.effect("is tried once a second until it is there, and told once", () => {
    const said: Array<unknown> = []
    const { effect, tries } = failing(300, refused)
    return Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(outlasting(effect))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(tries(), 11)
      yield* TestClock.adjust("290 seconds")
      assert.strictEqual(yield* Fiber.join(fiber), "there")
      assert.deepStrictEqual(said.flat(), [
        "The database is away; waiting for it: Failed to connect: connect ECONNREFUSED 127.0.0.1:5432"
      ])
    }).pipe(Effect.provide(Logger.layer([Logger.make(({ message }) => said.push(message))])))
  })

  it.effect.each([
    ["57P03", "it starts"],
    ["57P01", "an administrator ends it"],
    ["53300", "it has too many connections"],
    ["53100", "its disk is full"],
    ["25006", "it is a standby"]
  ])("is tried again after %s: %s", ([code = ""]) =>
    Effect.gen(function* () {
      const { effect } = failing(1, answered(code))
      const fiber = yield* Effect.forkChild(outlasting(effect))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(fiber), "there")
    }).pipe(Effect.provide(Logger.layer([])))
  )

  it.effect.each([
    ["3D000", "there is no such database"],
    ["22P02", "a value is malformed"]
  ])("is a defect at once after %s: %s", ([code = ""]) =>
    Effect.gen(function* () {
      const { effect, tries } = failing(1, answered(code))
      const exit = yield* Effect.exit(outlasting(effect))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      assert.strictEqual(tries(), 1)
    })
  )
})

class Connected extends Context.Service<Connected, string>()("test/Connected") {}

describe("a layer that needs the database", () => {
  it.effect("is built when the database is there, however long that takes", () =>
    Effect.gen(function* () {
      const { effect, tries } = failing(100, refused)
      const layer = layerOutlasting(Layer.effect(Connected, Effect.orDie(effect)))
      const fiber = yield* Effect.forkChild(Layer.build(layer))
      yield* TestClock.adjust("100 seconds")
      assert.strictEqual(Context.get(yield* Fiber.join(fiber), Connected), "there")
      assert.strictEqual(tries(), 101)
    }).pipe(Effect.scoped, Effect.provide(Logger.layer([])))
  )
})

describe("a connection", () => {
  it.effect(
    "waits a minute for a server that starts, then fails as one that may be there later",
    () =>
      Effect.gen(function* () {
        let open = 0
        const { effect, tries } = failing(Infinity, answered("57P03"))
        const opened = Effect.acquireRelease(
          Effect.sync(() => open++),
          () => Effect.sync(() => open--)
        )
        const layer = Layer.effect(Connected, Effect.andThen(opened, effect))
        const fiber = yield* Effect.forkChild(Effect.exit(Layer.build(connecting(layer))))
        yield* TestClock.adjust("59 seconds")
        assert.strictEqual(tries(), 60)
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust("2 seconds")
        const error = yield* Effect.flip(yield* Fiber.join(fiber))
        assert.strictEqual(error.reason._tag, "ConnectionError")
        assert.isTrue(error.isRetryable)
        assert.strictEqual(open, 0)
      }).pipe(Effect.scoped, Effect.provide(Logger.layer([])))
  )

  it.effect("fails at once if its password is wrong", () =>
    Effect.gen(function* () {
      const wrong = new SqlError.SqlError({
        reason: new SqlError.AuthenticationError({ cause: undefined, message: "wrong" })
      })
      const { effect, tries } = failing(Infinity, wrong)
      const error = yield* Effect.flip(Layer.build(connecting(Layer.effect(Connected, effect))))
      assert.strictEqual(error.reason._tag, "AuthenticationError")
      assert.strictEqual(tries(), 1)
    }).pipe(Effect.scoped)
  )
})
