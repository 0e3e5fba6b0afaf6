import { assert, describe, it } from "@effect/vitest"
import { Upload } from "@effect-oss/core"
import { Effect, Fiber, Stream, SubscriptionRef } from "effect"
import { TestClock } from "effect/testing"
import { slowly } from "../support/many.ts"
import { fiveParts, inTime, partSize, requestFor, requests, world } from "../support/world.ts"

describe("Upload.progress", () => {
  it.effect("holds how far the upload has come, from nothing to all", () =>
    Effect.gen(function* () {
      yield* slowly
      const request = requestFor(fiveParts, { concurrency: 1 })
      const { upload, progress } = yield* Upload.progress(request)
      assert.deepInclude(yield* SubscriptionRef.get(progress), { durable: 0, total: null })
      assert.deepStrictEqual(yield* requests, {})
      const fiber = yield* Effect.forkChild(upload)
      yield* TestClock.adjust("2500 millis")
      assert.deepInclude(yield* SubscriptionRef.get(progress), {
        durable: 2 * partSize,
        total: fiveParts.length
      })
      yield* Fiber.interrupt(fiber)
      const seen: Array<number> = []
      const watching = yield* Effect.forkChild(
        Stream.runForEach(SubscriptionRef.changes(progress), ({ durable }) =>
          Effect.sync(() => seen.push(durable))
        )
      )
      yield* inTime(upload)
      yield* Fiber.interrupt(watching)
      assert.deepStrictEqual(
        seen,
        seen.toSorted((a, b) => a - b)
      )
      assert.strictEqual(seen[0], 2 * partSize)
      assert.strictEqual(seen.at(-1), fiveParts.length)
    }).pipe(Effect.provide(world))
  )
})
