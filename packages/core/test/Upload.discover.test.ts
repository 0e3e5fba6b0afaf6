import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, OssClient, RetryPolicy, Upload } from "@effect-oss/core"
import { Body } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Layer } from "effect"
import {
  assertWhole,
  bucket,
  collect,
  contentOf,
  fiveParts,
  key,
  partSize,
  partsSent,
  requestFor,
  requests,
  world
} from "./world.ts"

/** An upload that ended at a part, and whose checkpoint is lost. */
const lostAt = Effect.fnUntraced(function* (partNumber: number, content = fiveParts) {
  const emulator = yield* OssEmulator.OssEmulator
  yield* emulator.inject(
    Fault.answer({ operation: "uploadPart", partNumber, status: 403, code: "AccessDenied" })
  )
  const request = requestFor(content, { concurrency: 1, retry: RetryPolicy.never })
  yield* Effect.flip(Upload.upload(request)).pipe(
    Effect.provide(Layer.fresh(CheckpointStore.layerMemory))
  )
  const [upload] = yield* emulator.uploads(bucket)
  return upload!.uploadId
})

const discovering = requestFor(fiveParts, { discover: true, partSize: undefined })

describe("an upload whose checkpoint is lost", () => {
  it.effect("is found on the server, and its parts are adopted", () =>
    Effect.gen(function* () {
      yield* lostAt(4)
      const before = (yield* partsSent).length
      const events = yield* collect(discovering)
      assert.deepStrictEqual((yield* partsSent).slice(before).toSorted(), [4, 5])
      const adopted = events.filter((event) => event._tag === "PartUploaded" && event.adopted)
      assert.strictEqual(adopted.length, 3)
      assert.strictEqual((yield* requests)["initiate"], 1)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("is not looked for unless asked", () =>
    Effect.gen(function* () {
      const uploadId = yield* lostAt(4)
      yield* Upload.upload(requestFor(fiveParts))
      const emulator = yield* OssEmulator.OssEmulator
      const left = yield* emulator.uploads(bucket)
      assert.deepStrictEqual(
        left.map((upload) => upload.uploadId),
        [uploadId]
      )
    }).pipe(Effect.provide(world))
  )

  it.effect("of another source is neither adopted nor aborted", () =>
    Effect.gen(function* () {
      const uploadId = yield* lostAt(4, contentOf(fiveParts.length, 99))
      const before = (yield* partsSent).length
      yield* Upload.upload(requestFor(fiveParts, { discover: true }))
      assert.strictEqual((yield* partsSent).length - before, 5)
      const emulator = yield* OssEmulator.OssEmulator
      const left = yield* emulator.uploads(bucket)
      assert.deepStrictEqual(
        left.map((upload) => [upload.uploadId, upload.parts.length]),
        [[uploadId, 3]]
      )
    }).pipe(Effect.provide(world))
  )

  it.effect("with some parts of another version of the source gets those sent again", () =>
    Effect.gen(function* () {
      const uploadId = yield* lostAt(4)
      const client = yield* OssClient.OssClient
      const body = Body.fromBytes(contentOf(partSize, 99))
      yield* client.uploadPart({ key, uploadId, number: 3, body })
      const before = (yield* partsSent).length
      yield* Upload.upload(discovering)
      assert.deepStrictEqual((yield* partsSent).slice(before).toSorted(), [3, 4, 5])
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("is left alone if it belongs to another checkpoint of the same store", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(
        Fault.answer({ operation: "uploadPart", partNumber: 4, status: 403, code: "AccessDenied" })
      )
      yield* Effect.flip(Upload.upload(requestFor(fiveParts, { concurrency: 1 })))
      const { source } = requestFor(fiveParts)
      const twin = {
        name: "twin",
        open: Effect.map(source.open, (opened) => ({ ...opened, id: "bytes:twin" }))
      }
      yield* Upload.upload(requestFor(fiveParts, { source: twin, discover: true }))
      assert.strictEqual((yield* requests)["initiate"], 2)
      yield* Upload.upload(requestFor(fiveParts))
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )
})
