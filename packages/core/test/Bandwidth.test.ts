import { assert, describe, it } from "@effect/vitest"
import { Bandwidth, CheckpointStore, OssClient, Source, Upload } from "@effect-oss/core"
import * as BandwidthRateLimiter from "@effect-oss/core/BandwidthRateLimiter"
import { OssEmulator } from "@effect-oss/emulator"
import { Clock, Context, Effect, Fiber, Layer, Schema } from "effect"
import { RateLimiter } from "effect/persistence"
import { TestClock } from "effect/testing"
import { reserve } from "../src/internal/client/bandwidth.ts"
import {
  assertWhole,
  collect,
  contentOf,
  fiveParts,
  inTime,
  partSize,
  requestFor,
  requests,
  setBack
} from "./support/world.ts"

const limitedBy = <R>(bandwidth: Layer.Layer<Bandwidth.Bandwidth, never, R>) =>
  Layer.unwrap(
    Effect.map(OssClient.OssClient, (client) =>
      Bandwidth.limited(Layer.succeed(OssClient.OssClient, client))
    )
  ).pipe(
    Layer.provide(bandwidth),
    Layer.provideMerge(OssEmulator.layerClient()),
    Layer.merge(CheckpointStore.layerMemory)
  )

const limited = (bytesPerSecond: number) => limitedBy(Bandwidth.layer({ bytesPerSecond }))

/** How long something took, in seconds of virtual time. */
const seconds = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const start = yield* Clock.currentTimeMillis
    const fiber = yield* Effect.forkChild(Effect.andThen(effect, Clock.currentTimeMillis))
    yield* TestClock.adjust("1 day")
    return ((yield* Fiber.join(fiber)) - start) / 1_000
  })

const takesItsTime = Effect.fnUntraced(function* (bytesPerSecond: number) {
  const took = yield* seconds(Upload.upload(requestFor(fiveParts)))
  assert.closeTo(took, fiveParts.length / bytesPerSecond, 0.1)
  yield* assertWhole(fiveParts)
})

describe("a limit of bandwidth", () => {
  it.effect.each([10_000, 64_000, 1_000_000])(
    "of %s bytes a second makes n bytes take n times as long",
    (rate) => takesItsTime(rate).pipe(Effect.provide(limited(rate)))
  )

  it.effect("is one for all uploads, whether of one request or of many", () =>
    Effect.gen(function* () {
      const small = contentOf(partSize - 1, 2)
      const took = yield* seconds(
        Effect.all(
          [
            Upload.upload(requestFor(fiveParts)),
            Upload.upload(requestFor(small, { key: "small" })),
            Upload.upload(requestFor(fiveParts, { key: "other" }))
          ],
          { concurrency: "unbounded" }
        )
      )
      assert.closeTo(took, (2 * fiveParts.length + small.length) / 50_000, 0.2)
    }).pipe(Effect.provide(limited(50_000)))
  )

  it.effect("is shared evenly: a small upload is not kept waiting by a large one", () =>
    Effect.gen(function* () {
      const rate = 10_000
      const large = yield* Effect.forkChild(Upload.upload(requestFor(fiveParts)))
      yield* TestClock.adjust("5 seconds")
      const small = Upload.upload(requestFor(contentOf(rate, 3), { key: "small" }))
      // Four parts that are left and this one take turns.
      assert.closeTo(yield* seconds(small), 5, 0.5)
      yield* Fiber.join(large)
    }).pipe(Effect.provide(limited(10_000)))
  )

  it.effect("never looks like a stall, however low it is", () =>
    Effect.gen(function* () {
      const request = requestFor(fiveParts, { stallTimeout: "1 second", concurrency: 5 })
      yield* inTime(Upload.upload(request))
      assert.deepInclude(yield* requests, { uploadPart: 5, complete: 1 })
    }).pipe(Effect.provide(limited(5_000)))
  )

  it.effect(
    "and the rate that is told stay what they are when the wall clock is set back by an hour",
    () =>
      Effect.gen(function* () {
        const rate = 100_000
        const upload = collect(requestFor(contentOf(rate * 10)))
        const fiber = yield* Effect.forkChild(setBack("3 seconds", upload))
        yield* TestClock.adjust("11 seconds")
        const events = yield* Fiber.join(fiber)
        const rates = events.flatMap((event) => (event._tag === "Progress" ? [event.rate] : []))
        assert.isAbove(rates.length, 20)
        for (const told of rates.slice(10, -1)) assert.closeTo(told, rate, rate / 2)
      }).pipe(Effect.provide(limited(100_000)))
  )

  it.effect("is not used up by an upload that was interrupted", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(Upload.upload(requestFor(fiveParts)))
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.interrupt(fiber)
      const small = Source.bytes(contentOf(10_000, 3))
      assert.closeTo(yield* seconds(Upload.upload({ key: "small", source: small })), 1, 0.2)
    }).pipe(Effect.provide(limited(10_000)))
  )

  it.effect("of nothing is a defect", () =>
    Effect.gen(function* () {
      for (const rate of [0, -1, Number.NaN]) {
        const exit = yield* Effect.exit(Layer.build(Bandwidth.layer({ bytesPerSecond: rate })))
        assert.strictEqual(exit._tag, "Failure")
      }
    })
  )

  const positive = Schema.Finite.check(Schema.isBetween({ minimum: 1, maximum: 1e9 }))
  const time = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1e12 }))
  it.prop(
    "keeps to the rate over any run of portions, and gives leave in order",
    { rate: positive, gaps: Schema.Array(time), bytes: positive },
    ({ rate, gaps, bytes }) => {
      let [free, now, last] = [0, 0, 0]
      for (const gap of gaps) {
        now += gap / gaps.length / 1_000
        const next = reserve(free, now, bytes, rate)
        const start = now + next.wait
        assert.isAtLeast(next.wait, 0)
        assert.isAtLeast(start, last)
        assert.closeTo(next.free - start, (bytes / rate) * 1_000, 1e-6 * next.free + 1e-6)
        last = start
        free = next.free
      }
    }
  )
})

describe("a limit of bandwidth over a RateLimiter", () => {
  const limiter = RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory))
  const overLimiter = (bytesPerSecond: number) =>
    limitedBy(BandwidthRateLimiter.layer({ bytesPerSecond })).pipe(Layer.provide(limiter))

  it.effect.each([10_000, 64_000, 20_000_000])(
    "of %s bytes a second makes n bytes take n times as long",
    (rate) => takesItsTime(rate).pipe(Effect.provide(overLimiter(rate)))
  )

  it.effect("is one for all processes that have the same store", () =>
    Effect.gen(function* () {
      const process = Layer.build(
        Layer.fresh(BandwidthRateLimiter.layer({ bytesPerSecond: 50_000 }))
      )
      const processes = yield* Effect.replicateEffect(process, 2)
      const takeTwoSeconds = (context: Context.Context<Bandwidth.Bandwidth>) => {
        const { portion, take } = Context.get(context, Bandwidth.Bandwidth)
        return Effect.replicateEffect(take(portion), (2 * 50_000) / portion)
      }
      const all = Effect.forEach(processes, takeTwoSeconds, { concurrency: 2 })
      assert.closeTo(yield* seconds(all), 4, 0.1)
    }).pipe(Effect.scoped, Effect.provide(limiter))
  )

  it.effect("sends nothing while the store is away, and goes on when it is back", () =>
    Effect.gen(function* () {
      let failures = 5
      const flaky = Layer.effect(
        RateLimiter.RateLimiter,
        Effect.map(RateLimiter.RateLimiter, (limiter) => ({
          ...limiter,
          consume: (options: Parameters<typeof limiter.consume>[0]) =>
            Effect.suspend(() =>
              failures-- > 0
                ? new RateLimiter.RateLimiterError({
                    reason: new RateLimiter.RateLimitStoreError({ message: "away" })
                  })
                : limiter.consume(options)
            )
        }))
      ).pipe(Layer.provide(limiter))
      const bandwidth = Layer.provide(BandwidthRateLimiter.layer({ bytesPerSecond: 1e9 }), flaky)
      const { take } = Context.get(yield* Layer.build(bandwidth), Bandwidth.Bandwidth)
      assert.closeTo(yield* seconds(take(1)), 5, 0.1)
    }).pipe(Effect.scoped)
  )
})
