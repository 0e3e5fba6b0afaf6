import { assert, describe, it } from "@effect/vitest"
import { Uploads } from "@effect-oss/cluster"
import { OssEmulator } from "@effect-oss/emulator"
import { Effect } from "effect"
import {
  assertNothingLeft,
  assertWhole,
  ended,
  failureOf,
  inject,
  large,
  numbers,
  partSize,
  partsSent,
  pass,
  request,
  slowly,
  sorted,
  until,
  world,
  write
} from "./world.ts"
import { UploadWorkflow } from "../src/internal/uploadWorkflow.ts"

describe("signals", () => {
  it.effect("pause finishes the parts on their way and sends no further ones, resume goes on", () =>
    Effect.gen(function* () {
      yield* write(large)
      yield* inject(slowly)
      const id = yield* Uploads.submit(request)
      yield* until(Effect.map(partsSent, (sent) => sent.length > 20))
      yield* Uploads.pause(id)
      yield* pass(30)
      const sent = yield* partsSent
      assert.strictEqual(yield* (yield* OssEmulator.OssEmulator).inFlight, 0)
      yield* pass(100)
      assert.deepStrictEqual(yield* partsSent, sent)
      assert.deepStrictEqual(yield* Uploads.status(id), {
        _tag: "Sending",
        durable: sent.length * partSize,
        total: large.length,
        paused: true
      })
      yield* Uploads.resume(id)
      yield* until(ended(id))
      yield* assertWhole(large)
      assert.deepStrictEqual(sorted(yield* partsSent), numbers(80))
    }).pipe(Effect.provide(world))
  )

  it.effect("pause and resume, again and again, send each part once", () =>
    Effect.gen(function* () {
      yield* write(large)
      yield* inject(slowly)
      const id = yield* Uploads.submit(request)
      for (let time = 1; time <= 3; time++) {
        yield* until(Effect.map(partsSent, (sent) => sent.length > 15 * time))
        yield* Uploads.pause(id)
        yield* Uploads.pause(id)
        yield* pass(30)
        yield* Uploads.resume(id)
        yield* Uploads.resume(id)
      }
      yield* until(ended(id))
      yield* assertWhole(large)
      assert.deepStrictEqual(sorted(yield* partsSent), numbers(80))
    }).pipe(Effect.provide(world))
  )

  it.effect("cancel interrupts the parts on their way, then aborts the upload", () =>
    Effect.gen(function* () {
      yield* write(large)
      yield* inject(slowly)
      const id = yield* Uploads.submit(request)
      yield* until(Effect.map(partsSent, (sent) => sent.length > 20))
      yield* Uploads.cancel(id)
      yield* until(ended(id))
      assert.strictEqual((yield* failureOf(id))._tag, "Cancelled")
      yield* assertNothingLeft
      const log = yield* (yield* OssEmulator.OssEmulator).log
      assert.strictEqual(log.find(({ operation }) => operation === "abort")?.inFlight, 1)
    }).pipe(Effect.provide(world))
  )

  it.effect("cancel ends a paused upload, too", () =>
    Effect.gen(function* () {
      yield* write(large)
      yield* inject(slowly)
      const id = yield* Uploads.submit(request)
      yield* until(Effect.map(partsSent, (sent) => sent.length > 20))
      yield* Uploads.pause(id)
      yield* pass(30)
      yield* Uploads.cancel(id)
      yield* until(ended(id))
      assert.strictEqual((yield* failureOf(id))._tag, "Cancelled")
      yield* assertNothingLeft
    }).pipe(Effect.provide(world))
  )

  it.effect("the engine's own interrupt leaves nothing behind, either", () =>
    Effect.gen(function* () {
      yield* write(large)
      yield* inject(slowly)
      const id = yield* Uploads.submit(request)
      yield* until(Effect.map(partsSent, (sent) => sent.length > 20))
      yield* UploadWorkflow.interrupt(id)
      yield* until(ended(id))
      yield* pass(60)
      yield* assertNothingLeft
    }).pipe(Effect.provide(world))
  )
})
