import { CheckpointStore, OssClient, Source, Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import type { Scope } from "effect"
import { TestClock } from "effect/testing"
import { Watch } from "../src/internal/watched.ts"

const KiB = 1024
const partSize = 100 * KiB
const key = "k"

/** Three parts, of which an earlier run sent two. */
const begun = Effect.gen(function* () {
  const emulator = yield* OssEmulator.OssEmulator
  const watch = new Watch()
  const source = Source.bytes(new Uint8Array(3 * partSize))
  yield* emulator.inject(Fault.answer({ partNumber: 3, status: 403, code: "AccessDenied" }))
  yield* Effect.flip(Upload.upload({ key, source, partSize }))
  return { emulator, watch, upload: { key, source: watch.source(key, source), partSize } }
})

/** Runs it over the client that is watched. */
const run = Effect.fnUntraced(function* (
  watch: Watch,
  request: Upload.UploadRequest<never, Scope.Scope>
) {
  const client = Layer.effect(OssClient.OssClient, OssClient.OssClient)
  const upload = Effect.provide(Upload.upload(request), watch.layer(client))
  return yield* Effect.forkScoped(upload)
})

const layer = Layer.merge(OssEmulator.layerClient(), CheckpointStore.layerMemory)

describe("an upload that is watched", () => {
  it.effect("counts what an earlier run sent apart from what is sent now", () =>
    Effect.gen(function* () {
      const { emulator, watch, upload } = yield* begun
      yield* emulator.inject(Fault.stall({ partNumber: 3, at: { bytes: 70 * KiB } }))
      yield* run(watch, upload)
      yield* TestClock.adjust("1 second")
      const [entry] = watch.entries()
      assert.deepInclude(entry, { key, size: 3 * partSize, resumed: 2 * partSize })
      assert.isAbove(entry?.sent ?? 0, 0)
      assert.isAtMost(entry?.sent ?? 0, partSize)
      watch.ended(key)
      assert.deepStrictEqual(watch.entries(), [])
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("says what is in the way, until that is over", () =>
    Effect.gen(function* () {
      const { emulator, watch, upload } = yield* begun
      yield* emulator.inject(Fault.answer({ partNumber: 3, status: 503, code: "Busy", times: 2 }))
      const fiber = yield* run(watch, upload)
      yield* TestClock.adjust("1 millis")
      assert.match(watch.trouble() ?? "", /^uploadPart .* part 3: /)
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      assert.isUndefined(watch.trouble())
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
