import { assert, describe, it } from "@effect/vitest"
import { Source, Upload, UploadMany } from "@effect-oss/core"
import { Fault } from "@effect-oss/emulator"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { inject, large, small } from "../support/many.ts"
import {
  assertWhole,
  contentOf,
  editable,
  fiveParts,
  partSize,
  pending,
  requestFor,
  requests,
  world
} from "../support/world.ts"

describe("skipIdentical", () => {
  const skipping = { skipIdentical: true }

  it.effect("sends nothing of what is stored already, to the last bit", () =>
    Effect.gen(function* () {
      const all = Stream.make(small("a"), large("b", 2))
      yield* Stream.runDrain(UploadMany.uploadAll(all))
      const before = yield* requests
      const outcomes = yield* Stream.runCollect(UploadMany.uploadAll(all, skipping))
      assert.deepStrictEqual(
        outcomes.map(({ _tag }) => _tag),
        ["Skipped", "Skipped"]
      )
      assert.deepStrictEqual(yield* requests, { ...before, head: (before["head"] ?? 0) + 2 })
      for (const outcome of outcomes) {
        if (outcome._tag === "Failed") return assert.fail()
        assert.deepInclude(outcome.result, { sent: 0, resumed: 0, verified: true, skipped: true })
      }
    }).pipe(Effect.provide(world))
  )

  it.effect("sends what differs in a byte, in size, or in that it isn't there", () =>
    Effect.gen(function* () {
      yield* Upload.upload(requestFor(fiveParts))
      const flipped = Uint8Array.from(fiveParts)
      flipped[partSize]! ^= 1
      for (const content of [flipped, fiveParts.subarray(1), contentOf(partSize * 2, 9)]) {
        const result = yield* Upload.upload(requestFor(content, skipping))
        assert.notProperty(result, "skipped")
        yield* assertWhole(content)
      }
      const result = yield* Upload.upload(requestFor(fiveParts, { ...skipping, key: "new" }))
      assert.strictEqual(result.sent, fiveParts.length)
    }).pipe(Effect.provide(world))
  )

  it.effect("sends what may not be looked at", () =>
    Effect.gen(function* () {
      yield* Upload.upload(requestFor(fiveParts))
      yield* inject(Fault.answer({ operation: "head", status: 403, code: "AccessDenied" }))
      const result = yield* Upload.upload(requestFor(fiveParts, skipping))
      assert.strictEqual(result.sent, fiveParts.length)
    }).pipe(Effect.provide(world))
  )

  it.effect("reads the source only if the sizes agree", () =>
    Effect.gen(function* () {
      yield* Upload.upload(requestFor(contentOf(100)))
      const { source, edit } = editable(contentOf(100))
      let read = 0
      const watched: Source.Source = {
        name: "watched",
        open: Effect.map(source.open, (opened) =>
          opened._tag === "RandomAccess"
            ? {
                ...opened,
                read: (target, offset) => {
                  read += target.length
                  return opened.read(target, offset)
                }
              }
            : opened
        )
      }
      const request = requestFor(contentOf(0), { ...skipping, source: watched })
      assert.isTrue((yield* Upload.upload(request)).skipped)
      assert.strictEqual(read, 100)
      yield* edit(contentOf(101))
      yield* Upload.upload(request)
      // To be sent, and no more.
      assert.strictEqual(read, 100 + 101)
    }).pipe(Effect.provide(world))
  )

  it.effect("compares a stream whose size is known, and sends one whose size is not", () =>
    Effect.gen(function* () {
      yield* Upload.upload(requestFor(fiveParts))
      const bytes = Stream.make(fiveParts.subarray(0, 1_000), fiveParts.subarray(1_000))
      const known = Source.stream("s", bytes, { size: fiveParts.length })
      const request = requestFor(fiveParts, { ...skipping, source: known })
      assert.isTrue((yield* Upload.upload(request)).skipped)
      const unknown = requestFor(fiveParts, { ...skipping, source: Source.stream("s", bytes) })
      assert.strictEqual((yield* Upload.upload(unknown)).sent, fiveParts.length)
    }).pipe(Effect.provide(world))
  )

  it.effect("sends where the endpoint tells no CRC64, or HEAD is not allowed", () =>
    Effect.gen(function* () {
      yield* Upload.upload(requestFor(fiveParts))
      for (const fault of [
        Fault.noCrc({ operation: "head" }),
        Fault.answer({ operation: "head", status: 403 })
      ]) {
        yield* inject(fault)
        const result = yield* Upload.upload(requestFor(fiveParts, skipping))
        assert.strictEqual(result.sent, fiveParts.length)
      }
    }).pipe(Effect.provide(world))
  )

  it.effect("gives up what an earlier run left of the same upload", () =>
    Effect.gen(function* () {
      yield* Upload.upload(requestFor(fiveParts))
      yield* inject(Fault.stall({ operation: "uploadPart", partNumber: 4, at: "before" }))
      const request = requestFor(fiveParts, { concurrency: 1 })
      const fiber = yield* Effect.forkChild(Upload.upload(request))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      assert.strictEqual((yield* pending).length, 1)
      assert.isTrue((yield* Upload.upload({ ...request, ...skipping })).skipped)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("may be asked of one request, and not of another", () =>
    Effect.gen(function* () {
      yield* Stream.runDrain(UploadMany.uploadAll(Stream.make(small("a"), small("bb"))))
      const all = Stream.make(small("a"), small("bb", { skipIdentical: false }))
      const outcomes = yield* Stream.runCollect(UploadMany.uploadAll(all, skipping))
      assert.deepStrictEqual(
        outcomes.map(({ _tag, request }) => `${_tag} ${request.key}`).toSorted(),
        ["Completed bb", "Skipped a"]
      )
    }).pipe(Effect.provide(world))
  )
})
