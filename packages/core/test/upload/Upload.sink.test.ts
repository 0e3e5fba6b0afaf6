import { assert, describe, it } from "@effect/vitest"
import { Crc64, OssClient, Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Data, Effect, Fiber, Option, Ref, Stream } from "effect"
import { TestClock } from "effect/testing"
import { bucket, contentOf, fiveParts, inTime, key, partSize, requests } from "../support/world.ts"

class Upstream extends Data.TaggedError("Upstream")<{}> {}

const world = OssEmulator.layerClient()

const chunked = (content: Uint8Array, chunk = 30_011): Stream.Stream<Uint8Array> =>
  Stream.fromIterable(
    Array.from({ length: Math.ceil(content.length / chunk) }, (_, index) =>
      content.subarray(index * chunk, (index + 1) * chunk)
    )
  )

const sink = (options: Partial<Upload.SinkRequest> = {}) =>
  Upload.sink({ key, partSize, ...options })

/** The object is these bytes, and nothing is left behind. */
const assertStored = Effect.fnUntraced(function* (content: Uint8Array) {
  const emulator = yield* OssEmulator.OssEmulator
  const object = Option.getOrThrow(yield* emulator.object(bucket, key))
  assert.deepStrictEqual(yield* object.bytes, content)
  assert.deepStrictEqual(yield* emulator.uploads(bucket), [])
  assert.strictEqual(yield* emulator.inFlight, 0)
})

/** There is no object, nothing is on the wire, and so many uploads are open. */
const assertNothingStored = Effect.fnUntraced(function* (open: number) {
  const emulator = yield* OssEmulator.OssEmulator
  assert.isTrue(Option.isNone(yield* emulator.object(bucket, key)))
  assert.strictEqual((yield* emulator.uploads(bucket)).length, open)
  assert.strictEqual(yield* emulator.inFlight, 0)
})

describe("Upload.sink", () => {
  it.effect.each([0, 1, partSize - 1])("makes an object of %i bytes with one request", (size) =>
    Effect.gen(function* () {
      const content = contentOf(size)
      const result = yield* Stream.run(chunked(content), sink())
      assert.deepInclude(result, { bucket, key, size, crc64: Crc64.of(content), verified: true })
      assert.deepStrictEqual(yield* requests, { put: 1 })
      yield* assertStored(content)
    }).pipe(Effect.provide(world))
  )

  it.effect.each([partSize, 2 * partSize, fiveParts.length])(
    "makes an object of %i bytes in parts",
    (size) =>
      Effect.gen(function* () {
        const content = contentOf(size)
        const result = yield* Stream.run(chunked(content), sink())
        assert.deepInclude(result, { size, crc64: Crc64.of(content), sent: size, resumed: 0 })
        assert.strictEqual((yield* requests)["uploadPart"], Math.ceil(size / partSize))
        yield* assertStored(content)
      }).pipe(Effect.provide(world))
  )

  it.effect("sends failed parts again, though the stream can't be read again", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(
        Fault.answer({ operation: "uploadPart", partNumber: 2, status: 500, times: 3 }),
        Fault.drop({ operation: "uploadPart", partNumber: 5, at: "after" }),
        Fault.drop({ operation: "complete", at: "after" })
      )
      const runs = yield* Ref.make(0)
      const once = Stream.unwrap(
        Effect.as(
          Ref.update(runs, (n) => n + 1),
          chunked(fiveParts)
        )
      )
      yield* inTime(Stream.run(once, sink()))
      assert.strictEqual(yield* Ref.get(runs), 1)
      yield* assertStored(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect.each([0, 1, partSize - 1, partSize, 3 * partSize + 5, fiveParts.length])(
    "stores nothing of a stream that fails after %i bytes, and leaves nothing behind",
    (at) =>
      Effect.gen(function* () {
        const failing = Stream.concat(
          chunked(fiveParts.subarray(0, at)),
          Stream.fail(new Upstream())
        )
        const error = yield* Effect.flip(Stream.run(failing, sink()))
        assert.deepStrictEqual(error, new Upstream())
        yield* assertNothingStored(0)
        assert.notProperty(yield* requests, "put")
        assert.notProperty(yield* requests, "complete")
      }).pipe(Effect.provide(world))
  )

  it.effect("keeps the parts of a stream that fails if that is asked for", () =>
    Effect.gen(function* () {
      const failing = Stream.concat(chunked(fiveParts), Stream.fail(new Upstream()))
      yield* Effect.flip(Stream.run(failing, sink({ onFailure: "keep" })))
      yield* assertNothingStored(1)
      assert.notProperty(yield* requests, "abort")
    }).pipe(Effect.provide(world))
  )

  it.effect("stops its parts before it gives them up when it is interrupted", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(
        Fault.stall({ operation: "uploadPart", partNumber: 2, at: { bytes: 70_000 } })
      )
      const fiber = yield* Effect.forkChild(Stream.run(chunked(fiveParts), sink()))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* emulator.inFlight, 1)
      yield* Fiber.interrupt(fiber)
      yield* assertNothingStored(0)
      const log = yield* emulator.log
      assert.strictEqual(log.at(-1)?.operation, "abort")
      assert.strictEqual(log.at(-1)?.inFlight, 1)
    }).pipe(Effect.provide(world))
  )

  it.effect(
    "leaves at most an upload without parts if it is interrupted while it asks for an upload id",
    () =>
      Effect.gen(function* () {
        const emulator = yield* OssEmulator.OssEmulator
        yield* emulator.inject(Fault.stall({ operation: "initiate", at: "after" }))
        const fiber = yield* Effect.forkChild(Stream.run(chunked(fiveParts), sink()))
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* emulator.uploads(bucket)).length, 1)
        yield* Fiber.interrupt(fiber)
        yield* assertNothingStored(1)
      }).pipe(Effect.provide(world))
  )

  it.effect("keeps its parts when it is interrupted, if that is asked for", () =>
    Effect.gen(function* () {
      const stream = Stream.concat(chunked(fiveParts), Stream.never)
      const fiber = yield* Effect.forkChild(Stream.run(stream, sink({ onFailure: "keep" })))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      yield* assertNothingStored(1)
    }).pipe(Effect.provide(world))
  )

  it.effect("interrupts the stream when the upload fails, and gives it up", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(
        Fault.answer({ operation: "uploadPart", partNumber: 3, status: 403, code: "AccessDenied" })
      )
      const closed = yield* Ref.make(false)
      const stream = Stream.concat(chunked(fiveParts), Stream.never).pipe(
        Stream.ensuring(Ref.set(closed, true))
      )
      const error = yield* Effect.flip(Stream.run(stream, sink()))
      assert.isTrue(error._tag === "OssError" && error.reason._tag === "AccessDenied")
      assert.isTrue(yield* Ref.get(closed))
      yield* assertNothingStored(0)
    }).pipe(Effect.provide(world))
  )

  it.effect("ends in time on interruption though the server is gone", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(Fault.stall({ operation: "abort", at: "before", times: Infinity }))
      const stream = Stream.concat(chunked(fiveParts), Stream.never)
      const fiber = yield* Effect.forkChild(Stream.run(stream, sink()))
      yield* TestClock.adjust("1 second")
      const interruption = yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* TestClock.adjust("29 seconds")
      assert.isUndefined(interruption.pollUnsafe())
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(interruption)
      yield* assertNothingStored(1)
    }).pipe(Effect.provide(world))
  )

  it.effect("is timed out like any other effect, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const stream = Stream.concat(chunked(fiveParts), Stream.never)
      const run = Effect.timeoutOption(Stream.run(stream, sink()), "10 seconds")
      assert.isTrue(Option.isNone(yield* inTime(run)))
      yield* assertNothingStored(0)
    }).pipe(Effect.provide(world))
  )

  it.effect("passes an error of the stream on, though it looks like one of OSS", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const error = yield* Effect.flip(client.head("no such key"))
      const failing = Stream.concat(chunked(fiveParts), Stream.fail(error))
      assert.strictEqual(yield* Effect.flip(Stream.run(failing, sink())), error)
      yield* assertNothingStored(0)
    }).pipe(Effect.provide(world))
  )

  it.effect("holds no more of the stream than its parts on their way and one more", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(
        Fault.delay({ operation: "uploadPart", millis: 1_000, times: Infinity })
      )
      const chunk = 10_240
      const parts = 12
      let read = 0
      const ahead: Array<number> = []
      const client = yield* OssClient.OssClient
      let durable = 0
      const watching = OssClient.OssClient.of({
        ...client,
        uploadPart: (part) =>
          Effect.tap(client.uploadPart(part), () =>
            Effect.sync(() => {
              ahead.push(read - durable)
              durable += part.body.size
            })
          )
      })
      const content = contentOf(parts * partSize)
      const counted = chunked(content, chunk).pipe(
        Stream.rechunk(1),
        Stream.tap((bytes) => Effect.sync(() => (read += bytes.length)))
      )
      yield* inTime(
        Effect.provideService(
          Stream.run(counted, sink({ concurrency: 2 })),
          OssClient.OssClient,
          watching
        )
      )
      assert.strictEqual(ahead.length, parts)
      assert.isAtMost(Math.max(...ahead), 3 * partSize + chunk)
      yield* assertStored(content)
    }).pipe(Effect.provide(world))
  )

  it.effect("refuses a bad request before anything is sent", () =>
    Effect.gen(function* () {
      for (const options of [{ key: "/x" }, { partSize: 5 }, { concurrency: 0 }]) {
        const error = yield* Effect.flip(Stream.run(chunked(fiveParts), sink(options)))
        assert.strictEqual(error._tag, "InvalidRequest")
      }
      assert.deepStrictEqual(yield* requests, {})
    }).pipe(Effect.provide(world))
  )
})
