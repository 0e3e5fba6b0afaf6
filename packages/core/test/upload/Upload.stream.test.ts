import { assert, describe, it } from "@effect/vitest"
import { Crc64, Source, Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Fiber, Option, Ref, Stream } from "effect"
import { TestClock } from "effect/testing"
import {
  assertWhole,
  bucket,
  collect,
  contentOf,
  fiveParts,
  inTime,
  key,
  partSize,
  partsSent,
  requests,
  world
} from "../support/world.ts"
import { killedAfter, killedAt } from "../support/stopped.ts"
import { Upstream, chunked, broken, streamRequest } from "../support/streams.ts"

const reasonOf = <A, E, R>(upload: Effect.Effect<A, E | Source.SourceError, R>) =>
  Effect.map(Effect.flip(upload), (error) =>
    error instanceof Source.SourceError ? error.reason._tag : error
  )

/** What the two kinds of sequences have in common. */
const lengths = [
  ["of known length", (content: Uint8Array) => content.length],
  ["of unknown length", () => undefined]
] as const

for (const [name, sizeOf] of lengths) {
  describe(`a stream ${name}`, () => {
    it.effect.each([0, 1, partSize - 1])("of %i bytes goes up with one request", (size) =>
      Effect.gen(function* () {
        const content = contentOf(size)
        const result = yield* Upload.upload(
          streamRequest(chunked(content), { size: sizeOf(content) })
        )
        assert.deepStrictEqual(yield* requests, { put: 1 })
        assert.deepInclude(result, { size, crc64: Crc64.of(content), verified: true, sent: size })
        yield* assertWhole(content)
      }).pipe(Effect.provide(world))
    )

    it.effect.each([1, 2, 3])("of exactly %i parts has no empty tail", (count) =>
      Effect.gen(function* () {
        const content = contentOf(count * partSize)
        yield* Upload.upload(streamRequest(chunked(content), { size: sizeOf(content) }))
        assert.strictEqual((yield* partsSent).length, count)
        yield* assertWhole(content)
      }).pipe(Effect.provide(world))
    )

    it.effect("goes up in parts, and is the stream to the last bit", () =>
      Effect.gen(function* () {
        const request = streamRequest(chunked(fiveParts), { size: sizeOf(fiveParts) })
        const result = yield* Upload.upload(request)
        assert.deepStrictEqual((yield* partsSent).toSorted(), [1, 2, 3, 4, 5])
        assert.deepInclude(result, { size: fiveParts.length, crc64: Crc64.of(fiveParts) })
        assert.deepInclude(result, { resumed: 0, sent: fiveParts.length, verified: true })
        yield* assertWhole(fiveParts)
      }).pipe(Effect.provide(world))
    )

    it.effect.each([1, 2, 3, 4, 5])(
      "carries on after its own failure within part %i, and sends nothing twice",
      (part) =>
        Effect.gen(function* () {
          const size = sizeOf(fiveParts)
          const at = Math.min(part * partSize, fiveParts.length) - 1
          const error = yield* Effect.flip(
            Upload.upload(streamRequest(broken(fiveParts, at), { size }))
          )
          assert.deepStrictEqual(error, new Upstream({ at }))
          const emulator = yield* OssEmulator.OssEmulator
          assert.isTrue(Option.isNone(yield* emulator.object(bucket, key)))
          const before = (yield* partsSent).length
          const result = yield* Upload.upload(streamRequest(chunked(fiveParts), { size }))
          assert.strictEqual(result.resumed + result.sent, fiveParts.length)
          const [first, second] = [
            (yield* partsSent).slice(0, before),
            (yield* partsSent).slice(before)
          ]
          assert.deepStrictEqual([...first, ...second].toSorted(), [1, 2, 3, 4, 5])
          yield* assertWhole(fiveParts)
        }).pipe(Effect.provide(world))
    )

    it.effect.each([0, 1, 2, 3, 4])(
      "carries on after the process died once %i parts were recorded",
      (recorded) =>
        Effect.gen(function* () {
          const request = streamRequest(chunked(fiveParts), {
            size: sizeOf(fiveParts),
            concurrency: 1
          })
          yield* killedAfter(request, recorded)
          const before = (yield* partsSent).length
          const result = yield* Upload.upload(request)
          // The part whose record was cut off is adopted: OSS has it.
          assert.strictEqual((yield* partsSent).length - before, 4 - recorded)
          assert.strictEqual(result.resumed, Math.min((recorded + 1) * partSize, fiveParts.length))
          yield* assertWhole(fiveParts)
        }).pipe(Effect.provide(world))
    )

    it.effect("starts afresh when it is another one at the next run", () =>
      Effect.gen(function* () {
        const size = sizeOf(fiveParts)
        yield* killedAfter(streamRequest(chunked(fiveParts), { size, concurrency: 1 }), 3)
        const changed = Uint8Array.from(fiveParts)
        changed[partSize + 5]! ^= 1
        const events = yield* collect(streamRequest(chunked(changed), { size }))
        assert.deepInclude(events, { _tag: "Restarted", reason: "SourceChanged" })
        yield* assertWhole(changed)
      }).pipe(Effect.provide(world))
    )

    it.effect("fails, and keeps what it has, when it is another one and that is asked for", () =>
      Effect.gen(function* () {
        const size = sizeOf(fiveParts)
        yield* killedAfter(streamRequest(chunked(fiveParts), { size, concurrency: 1 }), 3)
        const changed = Uint8Array.from(fiveParts)
        changed[5]! ^= 1
        const request = streamRequest(chunked(changed), { size, onSourceChanged: "fail" })
        assert.strictEqual(yield* reasonOf(Upload.upload(request)), "SourceChanged")
        const before = (yield* partsSent).length
        yield* Upload.upload(streamRequest(chunked(fiveParts), { size }))
        assert.deepStrictEqual((yield* partsSent).slice(before).toSorted(), [5])
        yield* assertWhole(fiveParts)
      }).pipe(Effect.provide(world))
    )

    it.effect.each(["finish", "remove"] as const)(
      "succeeds without sending if the last run died after Complete, at %s",
      (step) =>
        Effect.gen(function* () {
          const request = streamRequest(chunked(fiveParts), { size: sizeOf(fiveParts) })
          yield* killedAt(request, step)
          const before = (yield* partsSent).length
          const result = yield* Upload.upload(request)
          assert.deepInclude(result, { resumed: fiveParts.length, sent: 0, verified: true })
          assert.strictEqual((yield* partsSent).length, before)
          yield* assertWhole(fiveParts)
        }).pipe(Effect.provide(world))
    )

    it.effect("replaces the object that another stream made before the process died", () =>
      Effect.gen(function* () {
        const size = sizeOf(fiveParts)
        yield* killedAt(streamRequest(chunked(fiveParts), { size }), "finish")
        const changed = Uint8Array.from(fiveParts)
        changed[fiveParts.length - 1]! ^= 1
        const events = yield* collect(streamRequest(chunked(changed), { size }))
        assert.deepInclude(events, { _tag: "Restarted", reason: "SourceChanged" })
        yield* assertWhole(changed)
      }).pipe(Effect.provide(world))
    )

    it.effect("starts afresh when the upload was aborted meanwhile", () =>
      Effect.gen(function* () {
        const request = streamRequest(chunked(fiveParts), {
          size: sizeOf(fiveParts),
          concurrency: 1
        })
        yield* killedAfter(request, 3)
        const emulator = yield* OssEmulator.OssEmulator
        const [{ uploadId } = { uploadId: "" }] = yield* emulator.uploads(bucket)
        yield* emulator.abortUpload({ bucket, key, uploadId })
        const events = yield* collect(request)
        assert.deepInclude(events, { _tag: "Restarted", reason: "UploadGone" })
        yield* assertWhole(fiveParts)
      }).pipe(Effect.provide(world))
    )

    it.effect("is read again when the upload is aborted on the way", () =>
      Effect.gen(function* () {
        const emulator = yield* OssEmulator.OssEmulator
        yield* emulator.inject(
          Fault.answer({
            operation: "uploadPart",
            partNumber: 4,
            status: 404,
            code: "NoSuchUpload"
          })
        )
        const events = yield* collect(
          streamRequest(chunked(fiveParts), { size: sizeOf(fiveParts) })
        )
        assert.deepInclude(events, { _tag: "Restarted", reason: "UploadGone" })
        const left = yield* emulator.uploads(bucket)
        yield* Effect.forEach(left, ({ uploadId }) =>
          emulator.abortUpload({ bucket, key, uploadId })
        )
        yield* assertWhole(fiveParts)
      }).pipe(Effect.provide(world))
    )

    it.effect("sends a part again that the server loses before Complete", () =>
      Effect.gen(function* () {
        const emulator = yield* OssEmulator.OssEmulator
        yield* emulator.inject(Fault.delay({ operation: "complete", millis: 60_000 }))
        const loss = Effect.gen(function* () {
          yield* Effect.sleep("30 seconds")
          const [{ uploadId } = { uploadId: "" }] = yield* emulator.uploads(bucket)
          yield* emulator.removePart({ bucket, key, uploadId, number: 2 })
        })
        const run = Upload.upload(streamRequest(chunked(fiveParts), { size: sizeOf(fiveParts) }))
        yield* inTime(Effect.all([run, loss], { concurrency: 2 }))
        assert.deepStrictEqual((yield* partsSent).toSorted(), [1, 2, 2, 3, 4, 5])
        yield* assertWhole(fiveParts)
      }).pipe(Effect.provide(world))
    )

    it.effect("sends a failed part again from its buffer, without reading the stream again", () =>
      Effect.gen(function* () {
        const emulator = yield* OssEmulator.OssEmulator
        yield* emulator.inject(
          Fault.answer({ operation: "uploadPart", partNumber: 2, status: 500, times: 3 }),
          Fault.drop({ operation: "uploadPart", partNumber: 4, at: { bytes: 70_000 } }),
          Fault.answer({ operation: "uploadPart", partNumber: 5, status: 503 })
        )
        const runs = yield* Ref.make(0)
        const once = Stream.unwrap(
          Effect.as(
            Ref.update(runs, (n) => n + 1),
            chunked(fiveParts)
          )
        )
        yield* inTime(Upload.upload(streamRequest(once, { size: sizeOf(fiveParts) })))
        assert.strictEqual(yield* Ref.get(runs), 1)
        yield* assertWhole(fiveParts)
      }).pipe(Effect.provide(world))
    )

    it.effect("is read no further ahead than one part more than are on their way", () =>
      Effect.gen(function* () {
        const emulator = yield* OssEmulator.OssEmulator
        yield* emulator.inject(
          Fault.delay({ operation: "uploadPart", millis: 1_000, times: Infinity })
        )
        const chunk = 10_240
        let read = 0
        const content = contentOf(20 * partSize)
        const counted = chunked(content, chunk).pipe(
          Stream.rechunk(1),
          Stream.tap((bytes) => Effect.sync(() => (read += bytes.length)))
        )
        const ahead: Array<number> = []
        const request = streamRequest(counted, { size: sizeOf(content), concurrency: 3 })
        const watched = Upload.events(request).pipe(
          Stream.runForEach((event) =>
            Effect.sync(() => {
              if (event._tag === "PartUploaded") ahead.push(read - (event.durable - partSize))
            })
          )
        )
        yield* inTime(watched)
        assert.isAtLeast(ahead.length, 20)
        assert.isAtMost(Math.max(...ahead), 4 * partSize + chunk)
        assert.isAtLeast(Math.max(...ahead), 4 * partSize)
        yield* assertWhole(content)
      }).pipe(Effect.provide(world))
    )

    it.effect("is closed, and its parts are off the wire, once its interruption returns", () =>
      Effect.gen(function* () {
        const emulator = yield* OssEmulator.OssEmulator
        yield* emulator.inject(
          Fault.stall({ operation: "uploadPart", partNumber: 4, at: { bytes: 70_000 } })
        )
        const closed = yield* Ref.make(false)
        const stream = Stream.concat(chunked(fiveParts), Stream.never).pipe(
          Stream.ensuring(Ref.set(closed, true))
        )
        const request = streamRequest(stream, { size: sizeOf(fiveParts) })
        const fiber = yield* Effect.forkChild(Upload.upload(request))
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(fiber)
        assert.isTrue(yield* Ref.get(closed))
        assert.strictEqual(yield* emulator.inFlight, 0)
        const result = yield* Upload.upload(
          streamRequest(chunked(fiveParts), { size: sizeOf(fiveParts) })
        )
        assert.isAtLeast(result.resumed, 3 * partSize)
        yield* assertWhole(fiveParts)
      }).pipe(Effect.provide(world))
    )

    it.effect("has no object while its end is not reached", () =>
      Effect.gen(function* () {
        const stream = Stream.concat(chunked(fiveParts), Stream.never)
        const fiber = yield* Effect.forkChild(Upload.upload(streamRequest(stream)))
        yield* TestClock.adjust("1 hour")
        const emulator = yield* OssEmulator.OssEmulator
        assert.isTrue(Option.isNone(yield* emulator.object(bucket, key)))
        assert.isUndefined(fiber.pollUnsafe())
        yield* Fiber.interrupt(fiber)
      }).pipe(Effect.provide(world))
    )
  })
}
