import { assert, describe, it } from "@effect/vitest"
import { Source, Upload, UploadMany } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import {
  assertWhole,
  contentOf,
  fiveParts,
  inject,
  inTime,
  partSize,
  partsSent,
  requestFor,
  world
} from "../support/world.ts"

const oneAtOnce = requestFor(fiveParts, { concurrency: 1 })
const first = { operation: "uploadPart", partNumber: 1 } as const

describe("a part whose retry waits", () => {
  it.effect("lets the others go first", () =>
    Effect.gen(function* () {
      yield* inject(Fault.answer({ ...first, status: 500, code: "InternalError" }))
      yield* inTime(Upload.upload(oneAtOnce))
      assert.deepStrictEqual(yield* partsSent, [1, 2, 3, 4, 5, 1])
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("keeps its place where the server asked for fewer", () =>
    Effect.gen(function* () {
      yield* inject(Fault.answer({ ...first, status: 503, code: "ServiceUnavailable" }))
      yield* inTime(Upload.upload(oneAtOnce))
      assert.deepStrictEqual(yield* partsSent, [1, 1, 2, 3, 4, 5])
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("is of an upload that has no more slots than it asked for, among many others", () =>
    Effect.gen(function* () {
      yield* inject(Fault.delay({ operation: "uploadPart", millis: 1_000, times: 5 }))
      const all = UploadMany.uploadAll([oneAtOnce], { parts: 10 })
      yield* Effect.forkChild(Stream.runDrain(all))
      yield* TestClock.adjust("1500 millis")
      assert.deepStrictEqual(yield* partsSent, [1, 2])
    }).pipe(Effect.provide(world))
  )

  it.effect(
    "is one of twice as many as there are slots: a network that is away isn't asked by all",
    () =>
      Effect.gen(function* () {
        yield* inject(Fault.drop({ operation: "uploadPart", at: "before", times: 1_000 }))
        const many = requestFor(contentOf(20 * partSize), { concurrency: 2 })
        yield* inTime(Effect.ignore(Upload.upload(many)))
        assert.deepStrictEqual([...new Set(yield* partsSent)].toSorted(), [1, 2, 3, 4])
      }).pipe(Effect.provide(world))
  )
})

it.effect("a small file whose retry waits lets the next ones go first", () =>
  Effect.gen(function* () {
    yield* inject(Fault.answer({ operation: "put", status: 500, code: "InternalError" }))
    const requests = ["a", "b", "c"].map((key) => ({
      key,
      source: Source.bytes(contentOf(9), key)
    }))
    yield* inTime(Stream.runDrain(UploadMany.uploadAll(requests, { parts: 1, concurrency: 2 })))
    const log = yield* (yield* OssEmulator.OssEmulator).log
    assert.deepStrictEqual(
      log.map(({ key }) => key),
      ["a", "b", "c", "a"]
    )
  }).pipe(Effect.provide(world))
)
