/** A store's directory that was cloned, or restored on another machine. */
import { assert, describe, it } from "@effect/vitest"
import { NodeServices } from "@effect/platform-node"
import { Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, FileSystem, Layer, Option } from "effect"
import { header, parts, recover, withLog } from "../../core/test/support/CheckpointStoreContract.ts"
import {
  assertWhole,
  bucket,
  contentOf,
  editable,
  fiveParts,
  partsSent,
  requestFor
} from "../../core/test/support/world.ts"
import { layerHooked, layerIn, temporaryDirectory } from "./support/support.ts"

const services = Layer.merge(OssEmulator.layerClient(), NodeServices.layer)

const record = withLog("key", (log) =>
  Effect.andThen(log.begin(header()), Effect.forEach(parts(3), log.append))
)

const copyOf = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const copy = `${directory}-copy`
  yield* fs.copy(directory, copy)
  yield* Effect.addFinalizer(() => Effect.ignore(fs.remove(copy, { recursive: true })))
  return copy
})

/** A source that looks alike whatever it holds: its name, size and fingerprint are the same. */
const requestOf = (content: Uint8Array) => requestFor(content, { source: editable(content).source })

/** Stops with parts 1 to 4 recorded. */
const stopAtPart5 = Effect.fnUntraced(function* (directory: string) {
  const { inject } = yield* OssEmulator.OssEmulator
  yield* inject(
    Fault.answer({ operation: "uploadPart", partNumber: 5, status: 403, code: "AccessDenied" })
  )
  yield* Effect.flip(
    Effect.provide(Upload.upload({ ...requestOf(fiveParts), concurrency: 1 }), layerIn(directory))
  )
})

describe("a checkpoint", () => {
  it.effect("has its parts where it was recorded, and none in a copy or on another machine", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* Effect.provide(record, layerIn(directory))
      const copy = yield* copyOf(directory)
      const another = { boot: "another", machine: "another" }
      for (const [store, count] of [
        [layerIn(directory), 3],
        [layerIn(copy), 0],
        [layerHooked(directory, () => Effect.void, another), 0]
      ] as const) {
        const found = yield* Effect.provide(recover("key"), store)
        assert.deepStrictEqual(found, Option.some({ header: header(), parts: parts(count) }))
      }
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect(
    "in a copy carries on with the parts at OSS that are the source's, and sends no more",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        yield* stopAtPart5(directory)
        const copy = yield* copyOf(directory)
        const before = (yield* partsSent).length
        const result = yield* Effect.provide(Upload.upload(requestOf(fiveParts)), layerIn(copy))
        assert.deepStrictEqual((yield* partsSent).slice(before), [5])
        assert.isAbove(result.resumed, 0)
        yield* Effect.provide(assertWhole(fiveParts), layerIn(copy))
      }).pipe(Effect.provide(services))
  )

  it.effect("of two machines whose files differ, but look alike, makes no mixture", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* stopAtPart5(directory)
      const copy = yield* copyOf(directory)
      const other = contentOf(fiveParts.length, 3)
      const result = yield* Effect.provide(Upload.upload(requestOf(other)), layerIn(copy))
      assert.isTrue(result.verified)
      yield* Effect.provide(assertWhole(other), layerIn(copy))
      const uploads = yield* OssEmulator.OssEmulator.use(({ uploads }) => uploads(bucket))
      assert.deepStrictEqual(uploads, [])
    }).pipe(Effect.provide(services))
  )
})
