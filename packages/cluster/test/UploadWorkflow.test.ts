import { assert, describe, it } from "@effect/vitest"
import { Uploads } from "@effect-oss/cluster"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Option } from "effect"
import {
  assertWhole,
  assertWholeBesides,
  bucket,
  content,
  contentOf,
  ended,
  inTime,
  inject,
  key,
  large,
  numbers,
  partSize,
  partsSent,
  pass,
  request,
  requests,
  sorted,
  until,
  world,
  write
} from "./world.ts"

describe("UploadWorkflow", () => {
  it.effect("uploads a file in ranges of parts, each part once", () =>
    Effect.gen(function* () {
      yield* write(large)
      const result = yield* inTime(Uploads.upload(request))
      assert.strictEqual(result.size, large.length)
      assert.isTrue(result.verified)
      assert.deepStrictEqual([result.sent, result.resumed], [large.length, 0])
      yield* assertWhole(large)
      assert.deepStrictEqual(sorted(yield* partsSent), numbers(80))
    }).pipe(Effect.provide(world))
  )

  it.effect("uploads a small file with one request", () =>
    Effect.gen(function* () {
      const small = contentOf(partSize - 1)
      yield* write(small)
      yield* inTime(Uploads.upload(request))
      yield* assertWhole(small)
      assert.deepStrictEqual(yield* requests, { put: 1 })
    }).pipe(Effect.provide(world))
  )

  it.effect("is the same upload for all who submit it while it runs", () =>
    Effect.gen(function* () {
      yield* write(content)
      const [one, two] = yield* inTime(
        Effect.all([Uploads.upload(request), Uploads.upload(request)], { concurrency: 2 })
      )
      assert.deepStrictEqual(one, two)
      const { initiate, uploadPart, complete } = yield* requests
      assert.deepStrictEqual(
        { initiate, uploadPart, complete },
        { initiate: 1, uploadPart: 9, complete: 1 }
      )
    }).pipe(Effect.provide(world))
  )

  it.effect("uploads a changed file as another upload", () =>
    Effect.gen(function* () {
      yield* write(content)
      const first = yield* Uploads.submit(request)
      yield* until(ended(first))
      const changed = contentOf(content.length, 2)
      yield* write(changed)
      const second = yield* Uploads.submit(request)
      assert.notStrictEqual(second, first)
      yield* until(ended(second))
      yield* assertWhole(changed)
    }).pipe(Effect.provide(world))
  )

  it.effect("uploads with other options as another upload", () =>
    Effect.gen(function* () {
      yield* write(content)
      const first = yield* Uploads.submit(request)
      yield* until(ended(first))
      const second = yield* Uploads.submit({ ...request, options: { meta: { owner: "shop" } } })
      assert.notStrictEqual(second, first)
      yield* until(ended(second))
      yield* assertWhole(content)
      const object = yield* (yield* OssEmulator.OssEmulator).object(bucket, key)
      assert.strictEqual(Option.getOrThrow(object).headers["x-oss-meta-owner"], "shop")
    }).pipe(Effect.provide(world))
  )

  it.effect("settles answers that were lost: one object, no part left behind", () =>
    Effect.gen(function* () {
      yield* write(content)
      yield* inject(
        Fault.drop({ operation: "initiate", at: "after" }),
        Fault.drop({ operation: "uploadPart", partNumber: 3, at: "after" }),
        Fault.drop({ operation: "complete", at: "after" })
      )
      yield* inTime(Uploads.upload(request))
      yield* assertWholeBesides(1, content)
    }).pipe(Effect.provide(world))
  )

  it.effect("outlasts a server that is down for ten minutes", () =>
    Effect.gen(function* () {
      yield* write(content)
      yield* inject(Fault.answer({ status: 503, times: Infinity }))
      const id = yield* Uploads.submit(request)
      yield* pass(600)
      const emulator = yield* OssEmulator.OssEmulator
      assert.isAbove((yield* emulator.log).length, 10)
      yield* emulator.clearFaults
      yield* until(ended(id))
      yield* assertWhole(content)
    }).pipe(Effect.provide(world))
  )
})
