import { assert, describe, it } from "@effect/vitest"
import { Uploads } from "@effect-oss/cluster"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect } from "effect"
import {
  assertNothingLeft,
  assertWhole,
  bucket,
  content,
  contentOf,
  ended,
  failureOf,
  inject,
  key,
  large,
  numbers,
  openUploads,
  partSize,
  partsSent,
  request,
  requests,
  slowly,
  sorted,
  until,
  world,
  write
} from "./world.ts"

describe("a source that changes", () => {
  it.effect("before its ranges are sent, fails typed, and leaves nothing behind", () =>
    Effect.gen(function* () {
      yield* write(large)
      yield* inject(slowly)
      const id = yield* Uploads.submit(request)
      yield* until(Effect.map(partsSent, (sent) => sent.length > 20))
      yield* write(contentOf(large.length, 2))
      yield* until(ended(id))
      const error = yield* failureOf(id)
      assert.strictEqual(error._tag === "SourceError" && error.reason._tag, "SourceChanged")
      yield* assertNothingLeft
    }).pipe(Effect.provide(world))
  )

  it.effect("once all parts are durable, is not completed", () =>
    Effect.gen(function* () {
      yield* write(content)
      yield* inject(
        Fault.delay({ operation: "uploadPart", partNumber: 9, millis: 60_000, at: "after" })
      )
      const id = yield* Uploads.submit(request)
      yield* until(Effect.map(partsSent, (sent) => sent.length === 9))
      yield* write(contentOf(content.length, 2))
      yield* until(ended(id))
      const error = yield* failureOf(id)
      assert.strictEqual(error._tag === "SourceError" && error.reason._tag, "SourceChanged")
      assert.isUndefined((yield* requests).complete)
      yield* assertNothingLeft
    }).pipe(Effect.provide(world))
  )

  it.effect("that is gone, fails typed", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Uploads.submit(request))
      assert.strictEqual(error._tag === "SourceError" && error.reason._tag, "SourceNotFound")
    }).pipe(Effect.provide(world))
  )
})

describe("an upload that fails", () => {
  const denied = Fault.answer({
    operation: "uploadPart",
    partNumber: 40,
    status: 403,
    code: "AccessDenied"
  })

  it.effect("keeps its parts, and the next attempt sends only what is missing", () =>
    Effect.gen(function* () {
      yield* write(large)
      yield* inject(denied)
      const first = yield* Uploads.submit(request)
      yield* until(ended(first))
      const error = yield* failureOf(first)
      assert.strictEqual(error._tag === "OssError" && error.reason._tag, "AccessDenied")
      assert.lengthOf(yield* openUploads, 1)
      const second = yield* Uploads.submit(request)
      assert.notStrictEqual(second, first)
      yield* until(ended(second))
      yield* assertWhole(large)
      assert.strictEqual((yield* requests).initiate, 1)
      assert.deepStrictEqual(sorted(yield* partsSent), numbers(80))
    }).pipe(Effect.provide(world))
  )

  it.effect("begins afresh if what it left is gone", () =>
    Effect.gen(function* () {
      yield* write(large)
      yield* inject(denied)
      const first = yield* Uploads.submit(request)
      yield* until(ended(first))
      const emulator = yield* OssEmulator.OssEmulator
      for (const { uploadId } of yield* openUploads) {
        yield* emulator.abortUpload({ bucket, key, uploadId })
      }
      yield* until(ended(yield* Uploads.submit(request)))
      yield* assertWhole(large)
    }).pipe(Effect.provide(world))
  )

  it.effect("begins afresh with parts of another size, and aborts what it left", () =>
    Effect.gen(function* () {
      yield* write(large)
      yield* inject(denied)
      yield* until(ended(yield* Uploads.submit(request)))
      yield* until(ended(yield* Uploads.submit({ ...request, partSize: 2 * partSize })))
      yield* assertWhole(large)
      assert.strictEqual((yield* requests).initiate, 2)
    }).pipe(Effect.provide(world))
  )

  it.effect("aborts its parts if asked to, when no part is on its way any more", () =>
    Effect.gen(function* () {
      yield* write(large)
      yield* inject(slowly, denied)
      const id = yield* Uploads.submit({ ...request, onFailure: "abort" })
      yield* until(ended(id))
      yield* assertNothingLeft
      const log = yield* (yield* OssEmulator.OssEmulator).log
      const abort = log.find(({ operation }) => operation === "abort")
      assert.strictEqual(abort?.inFlight, 1)
      assert.isBelow((yield* partsSent).length, 80)
    }).pipe(Effect.provide(world))
  )
})
