import { Body, Crc64, OssClient } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Option } from "effect"
import { TestClock } from "effect/testing"
import { body, content, emulated } from "./inProcess.ts"
import { bytesOf } from "./support.ts"

describe("without faults", () => {
  it.effect("an upload in parts becomes an object", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const emulator = yield* OssEmulator.OssEmulator
      const { uploadId } = yield* client.initiate("k", {
        mime: "text/plain",
        meta: { Author: "me" },
        storageClass: "IA"
      })
      const send = (number: number) => client.uploadPart({ key: "k", uploadId, number, body })
      const receipts = yield* Effect.forEach([1, 2, 3], send)
      const listed = yield* client.listParts({ key: "k", uploadId, after: 1 })
      assert.deepStrictEqual(
        listed.parts.map(({ number, size, etag }) => [number, size, etag]),
        [2, 3].map((number) => [number, content.length, receipts[number - 1]?.etag ?? ""])
      )
      assert.isTrue(Option.isNone(listed.next))
      const parts = receipts.map(({ etag }, index) => ({ number: index + 1, etag }))
      const done = yield* client.complete({ key: "k", uploadId, parts })
      const object = Option.getOrThrow(yield* emulator.object(client.bucket, "k"))
      const whole = Buffer.concat([content, content, content])
      assert.deepStrictEqual(Buffer.from(yield* object.bytes), whole)
      assert.deepStrictEqual(Option.getOrNull(done.crc64), Crc64.of(whole))
      assert.deepStrictEqual(object.headers, {
        "content-type": "text/plain",
        "x-oss-meta-author": "me",
        "x-oss-storage-class": "IA"
      })
      assert.deepStrictEqual(yield* client.head("k"), {
        size: whole.length,
        etag: done.etag,
        crc64: Option.some(Crc64.of(whole))
      })
      assert.deepStrictEqual(yield* emulator.uploads(client.bucket), [])
    }).pipe(emulated)
  )

  it.effect.each([0, 1, 65_536, 65_537])("an object of %d bytes is put", (size) =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const emulator = yield* OssEmulator.OssEmulator
      const bytes = bytesOf(size)
      yield* client.put({ key: "k", body: Body.fromBytes(bytes) })
      const object = Option.getOrThrow(yield* emulator.object(client.bucket, "k"))
      assert.deepStrictEqual(yield* object.bytes, bytes)
      const entry = (yield* emulator.log)[0]
      assert.deepStrictEqual([entry?.bytes, entry?.whole], [size, true])
    }).pipe(emulated)
  )

  it.effect("uploads are listed in pages of 1,000, with the server's time", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      yield* TestClock.adjust("1 minute")
      yield* Effect.repeat(client.initiate("k"), { times: 1000 })
      const first = yield* client.listUploads({})
      assert.deepStrictEqual([first.uploads.length, first.serverTime], [1000, 60_000])
      const after = Option.getOrThrow(first.next)
      const second = yield* client.listUploads({ after })
      assert.deepStrictEqual([second.uploads.length, Option.isNone(second.next)], [1, true])
    }).pipe(emulated)
  )

  it.effect("refusals carry OSS's code, status and request id", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const place = { key: "k", uploadId: "none" }
      const errors = yield* Effect.all([
        Effect.flip(client.head("k")),
        Effect.flip(client.uploadPart({ ...place, number: 1, body })),
        Effect.flip(client.abort(place)),
        Effect.flip(client.complete({ ...place, parts: [{ number: 1, etag: "x" }] }))
      ])
      assert.deepStrictEqual(
        errors.map(({ operation, status, code, reason }) => [operation, status, code, reason._tag]),
        [
          ["head", 404, "NoSuchKey", "NoSuchKey"],
          ["uploadPart", 404, "NoSuchUpload", "NoSuchUpload"],
          ["abort", 404, "NoSuchUpload", "NoSuchUpload"],
          ["complete", 404, "NoSuchUpload", "NoSuchUpload"]
        ]
      )
      assert.deepStrictEqual(
        errors.map(({ bucket, key, requestId }) => [bucket, key, requestId?.length]),
        errors.map(() => ["test-bucket", "k", 24])
      )
    }).pipe(emulated)
  )

  it.effect("a bucket that was not named does not exist", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const error = yield* Effect.flip(client.initiate("k"))
      assert.strictEqual(error.reason._tag, "NoSuchBucket")
    }).pipe(Effect.provide(OssEmulator.layerClient({ bucket: "mine", buckets: ["theirs"] })))
  )

  it.effect("the world changes from outside", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const emulator = yield* OssEmulator.OssEmulator
      const { bucket } = client
      const { uploadId } = yield* client.initiate("k")
      yield* client.uploadPart({ key: "k", uploadId, number: 1, body })
      yield* emulator.removePart({ bucket, key: "k", uploadId, number: 1 })
      assert.deepStrictEqual((yield* client.listParts({ key: "k", uploadId })).parts, [])
      yield* emulator.abortUpload({ bucket, key: "k", uploadId })
      const error = yield* Effect.flip(client.listParts({ key: "k", uploadId }))
      assert.strictEqual(error.reason._tag, "NoSuchUpload")
      yield* client.put({ key: "k", body })
      yield* emulator.deleteObject(bucket, "k")
      assert.isTrue(Option.isNone(yield* emulator.object(bucket, "k")))
    }).pipe(emulated)
  )
})

describe("bodies", () => {
  it.effect("a body that can't be read fails with its own error, and nothing is committed", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const emulator = yield* OssEmulator.OssEmulator
      const broken: Body.Body<"broken"> = {
        size: 100_000,
        read: (_, offset) => (offset === 0 ? Effect.void : Effect.fail("broken"))
      }
      const error = yield* Effect.flip(client.put({ key: "k", body: broken }))
      assert.strictEqual(error, "broken")
      assert.isTrue(Option.isNone(yield* emulator.object(client.bucket, "k")))
      const entry = (yield* emulator.log)[0]
      assert.deepStrictEqual([entry?.outcome, entry?.whole], [{ _tag: "Aborted" }, false])
    }).pipe(emulated)
  )

  it.effect("interruption inside the body commits nothing and reads no further", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const emulator = yield* OssEmulator.OssEmulator
      const offsets: Array<number> = []
      const slow: Body.Body = {
        size: 1_000_000,
        read: (_, offset) =>
          Effect.delay(
            Effect.sync(() => void offsets.push(offset)),
            "1 second"
          )
      }
      const fiber = yield* Effect.forkChild(client.put({ key: "k", body: slow }))
      yield* TestClock.adjust("2500 millis")
      yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(offsets, [0, 65_536])
      assert.isTrue(Option.isNone(yield* emulator.object(client.bucket, "k")))
      const entry = (yield* emulator.log)[0]
      assert.deepStrictEqual(
        [entry?.outcome, entry?.bytes, entry?.ended],
        [{ _tag: "Aborted" }, 131_072, 2500]
      )
    }).pipe(emulated)
  )

  it.effect("requests side by side are counted", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(Fault.delay({ millis: 100, times: Infinity }))
      const puts = ["a", "b", "c"].map((key) => client.put({ key, body }))
      const fiber = yield* Effect.forkChild(Effect.all(puts, { concurrency: 2 }))
      yield* TestClock.adjust("50 millis")
      assert.strictEqual(yield* emulator.inFlight, 2)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(
        (yield* emulator.log).map(({ inFlight }) => inFlight),
        [1, 2, 2]
      )
      yield* emulator.clearFaults
      yield* client.put({ key: "d", body })
    }).pipe(emulated)
  )
})
