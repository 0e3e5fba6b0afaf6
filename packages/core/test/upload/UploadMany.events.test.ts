import { assert, describe, it } from "@effect/vitest"
import { UploadMany } from "@effect-oss/core"
import type { Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { inject, large, slowly, small } from "../support/many.ts"
import { inTime, partSize, pending, requests, world } from "../support/world.ts"

type Event = UploadMany.Event<Upload.UploadRequest, Upload.UploadError>

const collected = (
  requests: UploadMany.Requests,
  options?: UploadMany.Options
): Effect.Effect<ReadonlyArray<Event>, unknown, Layer> =>
  inTime(Stream.runCollect(UploadMany.events(requests, options)))
type Layer = Effect.Services<ReturnType<typeof pendingOrNot>>
const pendingOrNot = () => UploadMany.events([]).pipe(Stream.runDrain)

/** What happened to the request for this key, without samples. */
const tagsOf = (events: ReadonlyArray<Event>, key: string) =>
  events.flatMap((event) =>
    event._tag !== "Totals" && event._tag !== "Progress" && event.request.key === key
      ? [event._tag]
      : []
  )

describe("UploadMany.events", () => {
  it.effect("tells of each request all that is told of one upload, and then its outcome", () =>
    Effect.gen(function* () {
      yield* slowly
      yield* inject(
        Fault.answer({ operation: "uploadPart", key: "two", partNumber: 2, status: 500 }),
        Fault.answer({ operation: "put", key: "denied", status: 403, code: "AccessDenied" })
      )
      const all = [large("two", 2), small("one"), small("denied")]
      const events = yield* collected(all)
      const two = tagsOf(events, "two")
      assert.deepStrictEqual(
        two.filter((tag) => tag !== "PartUploaded" && tag !== "Retrying"),
        ["Started", "Completing", "Completed"]
      )
      assert.lengthOf(
        two.filter((tag) => tag === "PartUploaded"),
        2
      )
      assert.lengthOf(
        two.filter((tag) => tag === "Retrying"),
        1
      )
      assert.deepStrictEqual(tagsOf(events, "one"), ["Started", "Completed"])
      assert.deepStrictEqual(tagsOf(events, "denied"), ["Started", "Failed"])
      assert.isAbove(
        events.filter((event) => event._tag === "Progress" && event.request === all[0]).length,
        2
      )
    }).pipe(Effect.provide(world))
  )

  it.effect("counts it all, and ends with the totals", () =>
    Effect.gen(function* () {
      yield* slowly
      yield* Stream.runDrain(UploadMany.uploadAll([small("same")])).pipe(inTime)
      yield* inject(
        Fault.answer({ operation: "put", key: "denied", status: 403, code: "AccessDenied" })
      )
      const all = Stream.make(large("four", 4, { concurrency: 1 }), small("same"), small("denied"))
      const events = yield* collected(all, { skipIdentical: true })
      const totals = events.filter((event) => event._tag === "Totals")
      const { rate: _, ...last } = totals.at(-1)!
      assert.strictEqual(events.at(-1), totals.at(-1))
      assert.deepStrictEqual(last, {
        _tag: "Totals",
        completed: 1,
        skipped: 1,
        failed: 1,
        underWay: 0,
        total: 4 * partSize + 200,
        durable: 4 * partSize + 100,
        sent: 4 * partSize
      })
      const durable = totals.map(({ durable }) => durable)
      assert.deepStrictEqual(
        durable,
        durable.toSorted((a, b) => a - b)
      )
      assert.isTrue(totals.some(({ underWay, rate }) => underWay > 0 && rate > 0))
    }).pipe(Effect.provide(world))
  )

  it.effect("tells what was resumed, and counts it as there, not as sent", () =>
    Effect.gen(function* () {
      yield* inject(
        Fault.answer({ operation: "uploadPart", partNumber: 3, status: 403, code: "AccessDenied" })
      )
      yield* collected([large("three", 3, { concurrency: 1 })])
      const events = yield* collected([large("three", 3)])
      const resumed = events.find((event) => event._tag === "Resumed")
      assert.deepInclude(resumed, { parts: 2, bytes: 2 * partSize })
      assert.deepInclude(events.at(-1), { durable: 3 * partSize, sent: partSize })
    }).pipe(Effect.provide(world))
  )

  it.effect("takes no further request until an outcome is read, but slows no upload down", () =>
    Effect.gen(function* () {
      let taken = 0
      const endless = Stream.fromEffectRepeat(
        Effect.sync(() => large(`${++taken}`, 5, { concurrency: 1 }))
      )
      const seen: Array<string> = []
      const fiber = yield* UploadMany.events(endless, { concurrency: 2 }).pipe(
        Stream.runForEach(({ _tag }) =>
          Effect.andThen(
            Effect.sync(() => seen.push(_tag)),
            Effect.sleep("1 day")
          )
        ),
        Effect.forkChild
      )
      yield* TestClock.adjust("1 hour")
      assert.isAtMost(taken, 4)
      assert.lengthOf(seen, 1)
      const { complete = 0 } = yield* requests
      assert.isAtLeast(complete, 2)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world))
  )

  it.effect("stops the uploads when it is not read to its end, and leaves them resumable", () =>
    Effect.gen(function* () {
      yield* slowly
      const all = [large("a", 4, { concurrency: 1 }), large("b", 4, { concurrency: 1 })]
      yield* UploadMany.events(all).pipe(
        Stream.takeUntil(({ _tag }) => _tag === "PartUploaded"),
        Stream.runDrain,
        inTime
      )
      const emulator = yield* OssEmulator.OssEmulator
      assert.strictEqual(yield* emulator.inFlight, 0)
      assert.lengthOf(yield* pending, 2)
    }).pipe(Effect.provide(world))
  )
})
