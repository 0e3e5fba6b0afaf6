import { assert, describe, it } from "@effect/vitest"
import { Clock, Data, Deferred, Effect, Exit, Fiber, Redacted, Ref } from "effect"
import { TestClock } from "effect/testing"
import * as OssCredentials from "../../src/OssCredentials.ts"
import * as Credentials from "../../src/internal/client/credentials.ts"

/** Asked at this machine's own time. */
const providerOf = <E = never>(source: OssCredentials.Source<E>) =>
  Effect.map(Credentials.make(source), (provider) => ({
    ...provider,
    current: Effect.flatMap(Clock.currentTimeMillis, provider.current)
  }))

class StsDown extends Data.TaggedError("StsDown")<{}> {}

const issue = (n: number, expiresAt?: number): OssCredentials.Credentials => ({
  accessKeyId: `STS.${n}`,
  accessKeySecret: Redacted.make(`secret-${n}`),
  securityToken: Redacted.make(`token-${n}`),
  expiresAt
})

/** Issues STS.1, STS.2 and so on; `lifetime` in milliseconds. */
const counting = Effect.fnUntraced(function* (lifetime?: number) {
  const issued = yield* Ref.make(0)
  const source = Effect.gen(function* () {
    const n = yield* Ref.updateAndGet(issued, (n) => n + 1)
    const now = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
    return issue(n, lifetime === undefined ? undefined : now + lifetime)
  })
  return { issued, keys: yield* providerOf(source) }
})

describe("fixed keys", () => {
  it.effect("stay what they are, whatever OSS says of them", () =>
    Effect.gen(function* () {
      const fixed = issue(0)
      const keys = yield* providerOf(fixed)
      yield* keys.expired(fixed)
      assert.strictEqual(yield* keys.current, fixed)
    })
  )
})

describe("temporary keys", () => {
  it.effect("are asked for when they are first needed, and kept", () =>
    Effect.gen(function* () {
      const { issued, keys } = yield* counting()
      assert.strictEqual(yield* Ref.get(issued), 0)
      const [first, second] = [yield* keys.current, yield* keys.current]
      yield* TestClock.adjust("10 days")
      assert.deepStrictEqual(
        [first.accessKeyId, second.accessKeyId, (yield* keys.current).accessKeyId],
        ["STS.1", "STS.1", "STS.1"]
      )
    })
  )

  it.effect("are refreshed once, however many requests found them expired", () =>
    Effect.gen(function* () {
      const { issued, keys } = yield* counting()
      const old = yield* keys.current
      const seen = yield* Effect.forEach(
        Array.from({ length: 20 }),
        () => Effect.andThen(keys.expired(old), keys.current),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(new Set(seen.map((key) => key.accessKeyId)), new Set(["STS.2"]))
      assert.strictEqual(yield* Ref.get(issued), 2)
    })
  )

  it.effect("are shared with requests that ask while a refresh is under way", () =>
    Effect.gen(function* () {
      const answer = yield* Deferred.make<OssCredentials.Credentials>()
      const asked = yield* Ref.make(0)
      const keys = yield* providerOf(
        Effect.andThen(
          Ref.update(asked, (n) => n + 1),
          Deferred.await(answer)
        )
      )
      const waiting = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 20 }), () => keys.current, {
          concurrency: "unbounded"
        })
      )
      yield* Effect.yieldNow
      yield* Deferred.succeed(answer, issue(7))
      const seen = yield* Fiber.join(waiting)
      assert.deepStrictEqual(new Set(seen.map((key) => key.accessKeyId)), new Set(["STS.7"]))
      assert.strictEqual(yield* Ref.get(asked), 1)
    })
  )

  it.effect("come although the request that asked for them first was interrupted", () =>
    Effect.gen(function* () {
      const answer = yield* Deferred.make<OssCredentials.Credentials>()
      const keys = yield* providerOf(Deferred.await(answer))
      const first = yield* Effect.forkChild(keys.current, { startImmediately: true })
      const second = yield* Effect.forkChild(keys.current, { startImmediately: true })
      yield* Fiber.interrupt(first)
      yield* Deferred.succeed(answer, issue(3))
      assert.strictEqual((yield* Fiber.join(second)).accessKeyId, "STS.3")
    })
  )

  it.effect("are refreshed a minute before they expire", () =>
    Effect.gen(function* () {
      const { keys } = yield* counting(3_600_000)
      yield* keys.current
      yield* TestClock.adjust(3_600_000 - 60_001)
      assert.strictEqual((yield* keys.current).accessKeyId, "STS.1")
      yield* TestClock.adjust(2)
      assert.strictEqual((yield* keys.current).accessKeyId, "STS.2")
    })
  )

  it.effect("stay in use until they expire if new ones are not to be had", () =>
    Effect.gen(function* () {
      let asked = 0
      let isUp = true
      const keys = yield* providerOf(
        Effect.suspend(() =>
          ++asked > 0 && isUp ? Effect.succeed(issue(asked, 3_600_000)) : Effect.fail(new StsDown())
        )
      )
      yield* keys.current
      isUp = false
      yield* TestClock.setTime(3_541_000)
      const eight = Effect.all(
        Array.from({ length: 8 }, () => keys.current),
        {
          concurrency: "unbounded"
        }
      )
      const seen = [...(yield* eight), ...(yield* eight)]
      assert.deepStrictEqual(new Set(seen.map((key) => key.accessKeyId)), new Set(["STS.1"]))
      assert.strictEqual(asked, 2)
      // Every 10 seconds it is tried again.
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* keys.current).accessKeyId, "STS.1")
      assert.strictEqual(asked, 3)
      yield* TestClock.setTime(3_600_000)
      assert.deepStrictEqual(yield* Effect.exit(keys.current), Exit.fail(new StsDown()))
    })
  )

  it.effect(
    "that OSS says have expired are not used again, though new ones are not to be had",
    () =>
      Effect.gen(function* () {
        let isUp = true
        const keys = yield* providerOf(
          Effect.suspend(() =>
            isUp ? Effect.succeed(issue(1, 3_600_000)) : Effect.fail(new StsDown())
          )
        )
        yield* keys.current
        isUp = false
        yield* TestClock.setTime(3_541_000)
        yield* keys.expired(yield* keys.current)
        assert.deepStrictEqual(yield* Effect.exit(keys.current), Exit.fail(new StsDown()))
      })
  )

  it.effect("are not asked for with each request by a clock that is far ahead", () =>
    Effect.gen(function* () {
      const { issued, keys } = yield* counting(-7_200_000)
      yield* Effect.repeat(keys.current, { times: 9 })
      assert.strictEqual(yield* Ref.get(issued), 1)
    })
  )

  it.effect("expire by the server's time, where this machine's clock is an hour ahead", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(3_600_000)
      const issued = yield* Ref.make(0)
      // Good for an hour of the server's.
      const source = Effect.map(
        Ref.updateAndGet(issued, (n) => n + 1),
        (n) => issue(n, n * 3_600_000)
      )
      const provider = yield* Credentials.make(source)
      for (const [minute, asked] of [
        [0, 1],
        [5, 1],
        [58, 1],
        [59, 2],
        [90, 2]
      ] as const) {
        yield* TestClock.setTime(3_600_000 + minute * 60_000)
        yield* provider.current(minute * 60_000)
        assert.strictEqual(yield* Ref.get(issued), asked, `after ${minute} minutes`)
      }
    })
  )

  it.effect("that OSS doesn't know are replaced once they are a minute old", () =>
    Effect.gen(function* () {
      const { issued, keys } = yield* counting()
      const first = yield* keys.current
      yield* TestClock.adjust("59 seconds")
      assert.isFalse(yield* keys.unknown(first))
      assert.strictEqual(yield* keys.current, first)
      yield* TestClock.adjust("1 second")
      assert.isTrue(yield* keys.unknown(first))
      const second = yield* keys.current
      assert.isTrue(yield* keys.unknown(first))
      assert.isFalse(yield* keys.unknown(second))
      assert.strictEqual(yield* Ref.get(issued), 2)
    })
  )

  it.effect("are asked for again after a failure, which is not kept", () =>
    Effect.gen(function* () {
      const up = yield* Ref.make(false)
      const keys = yield* providerOf(
        Effect.flatMap(Ref.get(up), (up) =>
          up ? Effect.succeed(issue(1)) : Effect.fail(new StsDown())
        )
      )
      assert.deepStrictEqual(yield* Effect.exit(keys.current), Exit.fail(new StsDown()))
      yield* Ref.set(up, true)
      assert.strictEqual((yield* keys.current).accessKeyId, "STS.1")
    })
  )

  it.effect("that were replaced in the meantime do not cost another refresh", () =>
    Effect.gen(function* () {
      const { issued, keys } = yield* counting()
      const old = yield* keys.current
      yield* keys.expired(old)
      yield* keys.current
      yield* keys.expired(old)
      yield* keys.current
      assert.strictEqual(yield* Ref.get(issued), 2)
    })
  )
})
