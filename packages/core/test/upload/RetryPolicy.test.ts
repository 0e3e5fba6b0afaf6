import { assert, describe, it } from "@effect/vitest"
import { OssError, RetryPolicy } from "@effect-oss/core"
import { Clock, Duration, Effect, Random, Result, Schedule } from "effect"
import { TestClock } from "effect/testing"
import { inTime, setBack } from "../support/world.ts"
import * as Attempts from "../../src/internal/upload/retry.ts"

const failing = (reason: OssError.Reason, status?: number) =>
  new OssError.OssError({
    operation: "uploadPart",
    bucket: "b",
    key: "k",
    ...(status === undefined ? {} : { status }),
    reason
  })
const reset = failing(new OssError.Transport({ description: "reset" }))
const denied = failing(new OssError.AccessDenied({ description: "no" }))

/** The waits, in milliseconds, before a policy gives up on the same error again and again. */
const waits = (policy: RetryPolicy.RetryPolicy, error: OssError.OssError, most = 20) =>
  Effect.gen(function* () {
    const step = yield* Schedule.toStep(policy)
    const delays: Array<number> = []
    while (delays.length < most) {
      const next = yield* Effect.result(step(0, error))
      if (Result.isFailure(next)) break
      delays.push(Duration.toMillis(next.success[1]))
    }
    return delays
  })

describe("RetryPolicy.backoff", () => {
  it.effect("makes five attempts, each wait between nothing and a limit that doubles", () =>
    Effect.gen(function* () {
      for (let seed = 0; seed < 200; seed++) {
        const delays = yield* waits(RetryPolicy.backoff(), reset).pipe(Random.withSeed(seed))
        assert.strictEqual(delays.length, 4)
        delays.forEach((delay, index) => assert.isBelow(delay, 200 * 2 ** index))
      }
    })
  )

  it.effect("spreads its waits over the whole range", () =>
    Effect.gen(function* () {
      const firsts: Array<number> = []
      for (let seed = 0; seed < 200; seed++) {
        firsts.push((yield* waits(RetryPolicy.backoff(), reset, 1).pipe(Random.withSeed(seed)))[0]!)
      }
      assert.isBelow(Math.min(...firsts), 20)
      assert.isAbove(Math.max(...firsts), 180)
    })
  )

  it.effect("never waits longer than its cap", () =>
    Effect.gen(function* () {
      const policy = RetryPolicy.backoff({ attempts: 21 })
      const delays = yield* waits(policy, reset).pipe(Random.withSeed("cap"))
      assert.strictEqual(delays.length, 20)
      assert.isTrue(delays.every((delay) => delay <= 20_000))
      assert.isTrue(delays.slice(8).some((delay) => delay > 10_000))
    })
  )

  it.effect("waits at least as long as the server asks, but not for ever", () =>
    Effect.gen(function* () {
      const asked = failing(new OssError.Throttled({ retryAfter: 30_000 }))
      assert.deepStrictEqual(
        yield* waits(RetryPolicy.backoff(), asked),
        [30_000, 30_000, 30_000, 30_000]
      )
      const absurd = failing(new OssError.Throttled({ retryAfter: 86_400_000 }))
      assert.strictEqual((yield* waits(RetryPolicy.standard, absurd))[0], 5 * 60_000)
    })
  )
})

/** For how long, in milliseconds, and how often a policy retries a request that always fails with this error. */
const persistence = (policy: RetryPolicy.RetryPolicy, error: OssError.OssError) =>
  inTime(
    Effect.gen(function* () {
      let attempts = 0
      const start = yield* Clock.currentTimeMillis
      const request = Effect.suspend(() => {
        attempts++
        return Effect.fail(error)
      })
      yield* Effect.ignore(Effect.retry(request, policy))
      return { attempts, millis: (yield* Clock.currentTimeMillis) - start }
    })
  )

describe("RetryPolicy.patient", () => {
  it.effect("retries an outage until the time is over, and for at least its attempts", () =>
    Effect.gen(function* () {
      const { attempts, millis } = yield* persistence(RetryPolicy.standard, reset)
      assert.isAtLeast(millis, 120_000)
      assert.isAtMost(millis, 140_000)
      assert.isAtLeast(attempts, 12)
      const hasty = RetryPolicy.patient({ for: 0, attempts: 3 })
      assert.strictEqual((yield* persistence(hasty, reset)).attempts, 3)
    }).pipe(Random.withSeed("patient"))
  )

  it.effect("waits likewise for a provider of credentials that is away", () =>
    Effect.gen(function* () {
      const expired = new OssError.CredentialsExpired({ description: "STS", isOutage: true })
      const { millis } = yield* persistence(RetryPolicy.standard, failing(expired))
      assert.isAtLeast(millis, 120_000)
    })
  )

  it.effect("gives up on an error that is no outage after its attempts", () =>
    Effect.gen(function* () {
      const damaged = new OssError.ChecksumMismatch({ of: "part", expected: 1n, actual: 2n })
      const { attempts } = yield* persistence(RetryPolicy.standard, failing(damaged))
      assert.strictEqual(attempts, 5)
    })
  )

  it.effect("counts on the monotonic clock: a wall clock that is set back changes nothing", () =>
    Effect.gen(function* () {
      const retried = Effect.ignore(Effect.retry(Effect.fail(reset), RetryPolicy.standard))
      const fiber = yield* Effect.forkChild(setBack("1 minute", retried))
      yield* TestClock.adjust("140 seconds")
      assert.isDefined(fiber.pollUnsafe())
    })
  )
})

describe("RetryPolicy.byReason", () => {
  const throttled = failing(new OssError.Throttled({ retryAfter: 1_500 }))
  const policy = RetryPolicy.byReason({
    Transport: Schedule.spaced("1 second").pipe(Schedule.upTo({ times: 2 })),
    Throttled: Schedule.forever.pipe(
      Schedule.setInputType<RetryPolicy.Because<"Throttled">>(),
      Schedule.modifyDelay(({ input }) => Effect.succeed(input.reason.retryAfter ?? 0))
    )
  })

  it.effect("takes the row of the reason, which sees the reason as what it is", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* waits(policy, reset), [1_000, 1_000])
      assert.deepStrictEqual(yield* waits(policy, throttled, 3), [1_500, 1_500, 1_500])
    })
  )

  it.effect("counts each reason by itself", () =>
    Effect.gen(function* () {
      const step = yield* Schedule.toStep(policy)
      for (const error of [reset, throttled, reset, throttled]) yield* step(0, error)
      assert.isTrue(Result.isFailure(yield* Effect.result(step(0, reset))))
      assert.isTrue(Result.isSuccess(yield* Effect.result(step(0, throttled))))
    })
  )

  it.effect("falls back to the standard policy, or to what is given", () =>
    Effect.gen(function* () {
      const stalled = failing(new OssError.Stalled({ millis: 30_000 }))
      const standard = waits(RetryPolicy.standard, stalled).pipe(Random.withSeed(1))
      assert.deepStrictEqual(
        yield* waits(policy, stalled).pipe(Random.withSeed(1)),
        yield* standard
      )
      const strict = RetryPolicy.byReason({ Throttled: undefined }, RetryPolicy.never)
      assert.deepStrictEqual(yield* waits(strict, stalled), [])
      assert.deepStrictEqual(yield* waits(strict, throttled), [])
    })
  )
})

describe("RetryPolicy.budget", () => {
  it.effect("is spent by retries, earned back by successes, and never grows", () =>
    Effect.gen(function* () {
      const { spend, earn } = yield* RetryPolicy.budget(2)
      yield* Effect.all([earn, earn])
      assert.deepStrictEqual(yield* Effect.all([spend, spend, spend]), [true, true, false])
      yield* earn
      assert.deepStrictEqual(yield* Effect.all([spend, spend]), [true, false])
    })
  )
})

/** A request that fails with these errors, one after the other, and then succeeds; and how often it was made. */
const scripted = (errors: ReadonlyArray<OssError.OssError>) => {
  let made = 0
  const request = Effect.suspend(() => {
    const error = errors[made++]
    return error === undefined ? Effect.succeed("done") : Effect.fail(error)
  })
  return { request, made: () => made }
}

const atOnce: RetryPolicy.RetryPolicy = Schedule.recurs(4)
const silent = { onRetry: () => Effect.void }

describe("retrying a request", () => {
  it.effect("ends with the first success, and reports each failure before it", () =>
    Effect.gen(function* () {
      const retries: Array<Attempts.Retry> = []
      const retrying = Attempts.make({
        policy: atOnce,
        budget: RetryPolicy.budgetUnsafe(10),
        onRetry: (retry) => Effect.sync(() => retries.push(retry))
      })
      const { request } = scripted([reset, reset])
      assert.strictEqual(yield* retrying(request), "done")
      assert.deepStrictEqual(
        retries.map(({ attempt, error }) => [attempt, error]),
        [
          [1, reset],
          [2, reset]
        ]
      )
    })
  )

  it.effect("stops at once at an error that can't go away, whatever the policy", () =>
    Effect.gen(function* () {
      const retrying = Attempts.make({
        policy: Schedule.forever,
        budget: RetryPolicy.budgetUnsafe(10),
        ...silent
      })
      const { request, made } = scripted([denied])
      assert.strictEqual(yield* Effect.flip(retrying(request)), denied)
      assert.strictEqual(made(), 1)
    })
  )

  it.effect("asks no policy about an error that can't go away", () =>
    Effect.gen(function* () {
      let asked = 0
      const retrying = Attempts.make({
        policy: Schedule.tap(Schedule.forever, () => Effect.sync(() => asked++)),
        budget: RetryPolicy.budgetUnsafe(10),
        ...silent
      })
      yield* Effect.flip(retrying(scripted([denied]).request))
      assert.strictEqual(asked, 0)
    })
  )

  it.effect("lets errors that are not OSS's pass", () =>
    Effect.gen(function* () {
      const retrying = Attempts.make({
        policy: Schedule.forever,
        budget: RetryPolicy.budgetUnsafe(10),
        ...silent
      })
      let made = 0
      const request = Effect.suspend(() => Effect.fail(`failure ${++made}` as const))
      assert.strictEqual(yield* Effect.flip(retrying(request)), "failure 1")
    })
  )

  it.effect("spends nothing on a server that gives no response", () =>
    Effect.gen(function* () {
      const retrying = Attempts.make({
        policy: Schedule.recurs(50),
        budget: RetryPolicy.budgetUnsafe(0),
        ...silent
      })
      const away = scripted(Array.from({ length: 50 }, () => reset))
      assert.strictEqual(yield* retrying(away.request), "done")
    })
  )

  it.effect("shares one budget among all requests, and earns it back with successes", () =>
    Effect.gen(function* () {
      const retrying = Attempts.make({
        policy: Schedule.forever,
        budget: RetryPolicy.budgetUnsafe(3),
        ...silent
      })
      const busy = failing(new OssError.Throttled({}), 503)
      const dead = scripted(Array.from({ length: 50 }, () => busy))
      yield* Effect.flip(retrying(dead.request))
      assert.strictEqual(dead.made(), 4)
      const next = scripted([busy])
      yield* Effect.flip(retrying(next.request))
      assert.strictEqual(next.made(), 1)
      yield* retrying(scripted([]).request)
      const third = scripted([busy])
      assert.strictEqual(yield* retrying(third.request), "done")
      // That success gave back what its retry had taken.
      const fourth = scripted([busy])
      assert.strictEqual(yield* retrying(fourth.request), "done")
    })
  )

  it.effect(
    "sends a request again at once, at no cost, after the client has learnt the time or got new credentials",
    () =>
      Effect.gen(function* () {
        const retrying = Attempts.make({
          policy: RetryPolicy.never,
          budget: RetryPolicy.budgetUnsafe(0),
          ...silent
        })
        const skewed = scripted([failing(new OssError.ClockSkew({ offset: 1 }))])
        assert.strictEqual(yield* retrying(skewed.request), "done")
        const expired = failing(new OssError.CredentialsExpired({ description: "old" }))
        assert.strictEqual(yield* retrying(scripted([expired]).request), "done")
        const still = scripted([expired, expired])
        const { attempt, reason } = yield* Effect.flip(retrying(still.request))
        assert.deepStrictEqual([attempt, reason], [2, expired.reason])
        assert.strictEqual(still.made(), 2)
      })
  )
})
