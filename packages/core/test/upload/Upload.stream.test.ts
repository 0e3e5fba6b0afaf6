import { assert, describe, it } from "@effect/vitest"
import {
  Checkpoint,
  CheckpointStore,
  Crc64,
  OssClient,
  Part,
  Source,
  Upload
} from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Data, Effect, Fiber, Option, Ref, Schema, Stream } from "effect"
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
  pending,
  requests,
  world
} from "../support/world.ts"

class Upstream extends Data.TaggedError("Upstream")<{ readonly at: number }> {}

/** In chunks that fit no part. */
const chunked = (content: Uint8Array, chunk = 30_011): Stream.Stream<Uint8Array> =>
  Stream.fromIterable(
    Array.from({ length: Math.ceil(content.length / chunk) }, (_, index) =>
      content.subarray(index * chunk, (index + 1) * chunk)
    )
  )

const broken = (content: Uint8Array, at: number) =>
  Stream.concat(chunked(content.subarray(0, at)), Stream.fail(new Upstream({ at })))

const requestFor = <E = never, R = never>(
  stream: Stream.Stream<Uint8Array, E, R>,
  options: Partial<Omit<Upload.UploadRequest<E, R>, "source">> & {
    readonly size?: number | undefined
  } = {}
): Upload.UploadRequest<E, R> => {
  const { size, ...rest } = options
  return { key, source: Source.stream("numbers", stream, { size }), partSize, ...rest }
}

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
        const result = yield* Upload.upload(requestFor(chunked(content), { size: sizeOf(content) }))
        assert.deepStrictEqual(yield* requests, { put: 1 })
        assert.deepInclude(result, { size, crc64: Crc64.of(content), verified: true, sent: size })
        yield* assertWhole(content)
      }).pipe(Effect.provide(world))
    )

    it.effect.each([1, 2, 3])("of exactly %i parts has no empty tail", (count) =>
      Effect.gen(function* () {
        const content = contentOf(count * partSize)
        yield* Upload.upload(requestFor(chunked(content), { size: sizeOf(content) }))
        assert.strictEqual((yield* partsSent).length, count)
        yield* assertWhole(content)
      }).pipe(Effect.provide(world))
    )

    it.effect("goes up in parts, and is the stream to the last bit", () =>
      Effect.gen(function* () {
        const request = requestFor(chunked(fiveParts), { size: sizeOf(fiveParts) })
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
            Upload.upload(requestFor(broken(fiveParts, at), { size }))
          )
          assert.deepStrictEqual(error, new Upstream({ at }))
          const emulator = yield* OssEmulator.OssEmulator
          assert.isTrue(Option.isNone(yield* emulator.object(bucket, key)))
          const before = (yield* partsSent).length
          const result = yield* Upload.upload(requestFor(chunked(fiveParts), { size }))
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
          const request = requestFor(chunked(fiveParts), {
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
        yield* killedAfter(requestFor(chunked(fiveParts), { size, concurrency: 1 }), 3)
        const changed = Uint8Array.from(fiveParts)
        changed[partSize + 5]! ^= 1
        const events = yield* collect(requestFor(chunked(changed), { size }))
        assert.deepInclude(events, { _tag: "Restarted", reason: "SourceChanged" })
        yield* assertWhole(changed)
      }).pipe(Effect.provide(world))
    )

    it.effect("fails, and keeps what it has, when it is another one and that is asked for", () =>
      Effect.gen(function* () {
        const size = sizeOf(fiveParts)
        yield* killedAfter(requestFor(chunked(fiveParts), { size, concurrency: 1 }), 3)
        const changed = Uint8Array.from(fiveParts)
        changed[5]! ^= 1
        const request = requestFor(chunked(changed), { size, onSourceChanged: "fail" })
        assert.strictEqual(yield* reasonOf(Upload.upload(request)), "SourceChanged")
        const before = (yield* partsSent).length
        yield* Upload.upload(requestFor(chunked(fiveParts), { size }))
        assert.deepStrictEqual((yield* partsSent).slice(before).toSorted(), [5])
        yield* assertWhole(fiveParts)
      }).pipe(Effect.provide(world))
    )

    it.effect.each(["finish", "remove"] as const)(
      "succeeds without sending if the last run died after Complete, at %s",
      (step) =>
        Effect.gen(function* () {
          const request = requestFor(chunked(fiveParts), { size: sizeOf(fiveParts) })
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
        yield* killedAt(requestFor(chunked(fiveParts), { size }), "finish")
        const changed = Uint8Array.from(fiveParts)
        changed[fiveParts.length - 1]! ^= 1
        const events = yield* collect(requestFor(chunked(changed), { size }))
        assert.deepInclude(events, { _tag: "Restarted", reason: "SourceChanged" })
        yield* assertWhole(changed)
      }).pipe(Effect.provide(world))
    )

    it.effect("starts afresh when the upload was aborted meanwhile", () =>
      Effect.gen(function* () {
        const request = requestFor(chunked(fiveParts), { size: sizeOf(fiveParts), concurrency: 1 })
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
        const events = yield* collect(requestFor(chunked(fiveParts), { size: sizeOf(fiveParts) }))
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
        const run = Upload.upload(requestFor(chunked(fiveParts), { size: sizeOf(fiveParts) }))
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
        yield* inTime(Upload.upload(requestFor(once, { size: sizeOf(fiveParts) })))
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
        const request = requestFor(counted, { size: sizeOf(content), concurrency: 3 })
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
        const request = requestFor(stream, { size: sizeOf(fiveParts) })
        const fiber = yield* Effect.forkChild(Upload.upload(request))
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(fiber)
        assert.isTrue(yield* Ref.get(closed))
        assert.strictEqual(yield* emulator.inFlight, 0)
        const result = yield* Upload.upload(
          requestFor(chunked(fiveParts), { size: sizeOf(fiveParts) })
        )
        assert.isAtLeast(result.resumed, 3 * partSize)
        yield* assertWhole(fiveParts)
      }).pipe(Effect.provide(world))
    )

    it.effect("has no object while its end is not reached", () =>
      Effect.gen(function* () {
        const stream = Stream.concat(chunked(fiveParts), Stream.never)
        const fiber = yield* Effect.forkChild(Upload.upload(requestFor(stream)))
        yield* TestClock.adjust("1 hour")
        const emulator = yield* OssEmulator.OssEmulator
        assert.isTrue(Option.isNone(yield* emulator.object(bucket, key)))
        assert.isUndefined(fiber.pollUnsafe())
        yield* Fiber.interrupt(fiber)
      }).pipe(Effect.provide(world))
    )
  })
}

/** A run that dies right when its part after so many is to be recorded. */
const killedAfter = <E>(request: Upload.UploadRequest<E>, recorded: number) =>
  killedAt(request, "append", recorded)

const killedAt = Effect.fnUntraced(function* <E>(
  request: Upload.UploadRequest<E>,
  step: "append" | "finish" | "remove",
  passing = 0
) {
  const store = yield* CheckpointStore.CheckpointStore
  let left = passing
  const dies = <A, E>(at: typeof step, effect: Effect.Effect<A, E>) =>
    Effect.suspend(() => (at === step && left-- === 0 ? Effect.die("killed") : effect))
  const mortal = CheckpointStore.CheckpointStore.of({
    ...store,
    open: (checkpoint) =>
      Effect.map(store.open(checkpoint), (log) => ({
        ...log,
        append: (part) => dies("append", log.append(part)),
        finish: (receipt) => dies("finish", log.finish(receipt)),
        remove: dies("remove", log.remove)
      }))
  })
  const exit = yield* Upload.upload(request).pipe(
    Effect.provideService(CheckpointStore.CheckpointStore, mortal),
    Effect.exit
  )
  assert.isTrue(exit._tag === "Failure" && exit.cause.reasons.some(({ _tag }) => _tag === "Die"))
})

describe("a stream whose declared size is wrong", () => {
  it.effect.each<readonly [string, number, number]>([
    ["one byte more, in parts", 4 * partSize + 1_000, 4 * partSize + 999],
    ["one byte less, in parts", 4 * partSize + 1_000, 4 * partSize + 1_001],
    ["a part more", 4 * partSize, 3 * partSize],
    ["a part less", 3 * partSize, 4 * partSize],
    ["one byte more, in one request", 1_000, 999],
    ["one byte less, in one request", 999, 1_000],
    ["nothing at all", 0, 10],
    ["something where nothing was declared", 10, 0]
  ])("by %s stores nothing", ([, actual, size]) =>
    Effect.gen(function* () {
      const content = contentOf(actual)
      const error = yield* Effect.flip(Upload.upload(requestFor(chunked(content), { size })))
      assert.isTrue(error instanceof Source.SourceError && error.reason._tag === "SourceChanged")
      const emulator = yield* OssEmulator.OssEmulator
      assert.isTrue(Option.isNone(yield* emulator.object(bucket, key)))
      assert.notProperty(yield* requests, "complete")
    }).pipe(Effect.provide(world))
  )

  it.effect.each([-1, 0.5, Number.NaN, Part.maxObjectSize + 1])(
    "%d is refused before anything is sent",
    (size) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(
          Upload.upload(requestFor(chunked(fiveParts), { size, partSize: undefined }))
        )
        assert.strictEqual(error._tag, "InvalidRequest")
        assert.deepStrictEqual(yield* requests, {})
      }).pipe(Effect.provide(world))
  )
})

describe("a stream of unknown length", () => {
  it.effect("that is shorter at the next run starts afresh", () =>
    Effect.gen(function* () {
      yield* killedAfter(requestFor(chunked(fiveParts), { concurrency: 1 }), 3)
      const shorter = fiveParts.subarray(0, 2 * partSize)
      const events = yield* collect(requestFor(chunked(shorter)))
      assert.deepInclude(events, { _tag: "Restarted", reason: "SourceChanged" })
      yield* assertWhole(shorter)
    }).pipe(Effect.provide(world))
  )

  it.effect("that goes on where it ended at the last run starts afresh", () =>
    Effect.gen(function* () {
      yield* killedAt(requestFor(chunked(fiveParts)), "finish")
      const longer = contentOf(fiveParts.length + 1)
      const events = yield* collect(requestFor(chunked(longer)))
      assert.deepInclude(events, { _tag: "Restarted", reason: "SourceChanged" })
      yield* assertWhole(longer)
    }).pipe(Effect.provide(world))
  )

  it.effect("that is empty at the next run becomes an empty object", () =>
    Effect.gen(function* () {
      yield* killedAfter(requestFor(chunked(fiveParts), { concurrency: 1 }), 0)
      yield* Upload.upload(requestFor(Stream.empty))
      yield* assertWhole(new Uint8Array(0))
    }).pipe(Effect.provide(world))
  )

  it.effect("says in its events that it doesn't know how much there is to come", () =>
    Effect.gen(function* () {
      const events = yield* collect(requestFor(chunked(fiveParts)))
      const started = events.find((event) => event._tag === "Started")
      assert.strictEqual(started?.size, null)
      const progress = events.filter((event) => event._tag === "Progress")
      assert.deepInclude(progress.at(-1), { total: fiveParts.length, durable: fiveParts.length })
    }).pipe(Effect.provide(world))
  )

  it.effect("is listed as pending with what is known of it", () =>
    Effect.gen(function* () {
      yield* killedAfter(requestFor(chunked(fiveParts), { concurrency: 1 }), 3)
      const [summary] = yield* pending
      assert.deepInclude(summary, { durable: 3 * partSize, parts: 3 })
      assert.deepInclude(summary?.header, { size: null, sourceId: "stream:numbers", partSize })
    }).pipe(Effect.provide(world))
  )

  /** 128 parts of the first size, and some of twice that. */
  const grown = contentOf(128 * partSize + 5 * partSize + 7)

  it.effect("has parts that grow", () =>
    Effect.gen(function* () {
      const events = yield* collect(requestFor(chunked(grown)))
      const sizes = new Map(
        events.flatMap((event) =>
          event._tag === "PartUploaded" ? [[event.number, event.size] as const] : []
        )
      )
      assert.strictEqual(sizes.size, 131)
      assert.deepStrictEqual(
        [1, 128, 129, 130, 131].map((number) => sizes.get(number)),
        [partSize, partSize, 2 * partSize, 2 * partSize, partSize + 7]
      )
      yield* assertWhole(grown)
    }).pipe(Effect.provide(world))
  )

  it.effect.each([10, 128, 129, 130])(
    "resumes after %i parts, whether they have grown or not",
    (done) =>
      Effect.gen(function* () {
        yield* killedAfter(requestFor(chunked(grown), { concurrency: 1 }), done)
        const before = (yield* partsSent).length
        const { resumed } = yield* Upload.upload(requestFor(chunked(grown)))
        // The part whose record was cut off is adopted: OSS has it.
        const { offset, size } = Part.growing(done + 1, partSize)
        assert.strictEqual(resumed, Math.min(offset + size, grown.length))
        assert.strictEqual((yield* partsSent).length - before, 130 - done)
        yield* assertWhole(grown)
      }).pipe(Effect.provide(world))
  )

  it.effect("starts afresh where an earlier version's parts grew otherwise, and says so", () =>
    Effect.gen(function* () {
      yield* killedAfter(requestFor(chunked(fiveParts), { concurrency: 1 }), 3)
      const [summary] = yield* pending
      const { growth, ...earlier } = summary!.header
      assert.strictEqual(growth, Part.growth)
      const store = yield* CheckpointStore.CheckpointStore
      for (const header of [earlier, { ...earlier, growth: Part.growth + 1 }]) {
        yield* Effect.scoped(
          Effect.flatMap(store.open(summary!.checkpointKey), ({ begin }) => begin(header))
        )
        const events = yield* collect(requestFor(chunked(fiveParts), { onSourceChanged: "fail" }))
        assert.deepInclude(events, { _tag: "Restarted", reason: "PartSizeChanged" })
        yield* assertWhole(fiveParts)
      }
    }).pipe(Effect.provide(world))
  )

  it.effect("can't be looked for on the server, or be taken over from ali-oss", () =>
    Effect.gen(function* () {
      const from = Checkpoint.fromAliOss({
        file: "x",
        name: key,
        fileSize: 1,
        partSize,
        uploadId: "u",
        doneParts: []
      })
      for (const options of [{ discover: true }, { from }]) {
        const error = yield* Effect.flip(Upload.upload(requestFor(chunked(fiveParts), options)))
        assert.strictEqual(error._tag, "InvalidRequest")
      }
      assert.deepStrictEqual(yield* requests, {})
    }).pipe(Effect.provide(world))
  )

  it.effect("may have empty chunks, and chunks larger than many parts", () =>
    Effect.gen(function* () {
      const empty = new Uint8Array(0)
      yield* Upload.upload(requestFor(Stream.make(empty, fiveParts, empty, empty)))
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect(
    "may fail with what looks like an error of OSS: it is neither retried nor settled",
    () =>
      Effect.gen(function* () {
        const emulator = yield* OssEmulator.OssEmulator
        const client = yield* OssClient.OssClient
        const error = yield* Effect.flip(client.listParts({ key, uploadId: "none" }))
        const runs = yield* Ref.make(0)
        const stream = Stream.unwrap(
          Effect.as(
            Ref.update(runs, (n) => n + 1),
            Stream.concat(chunked(fiveParts), Stream.fail(error))
          )
        )
        assert.strictEqual(yield* Effect.flip(Upload.upload(requestFor(stream))), error)
        assert.strictEqual(yield* Ref.get(runs), 1)
        assert.strictEqual((yield* emulator.uploads(bucket)).length, 1)
      }).pipe(Effect.provide(world))
  )
})

describe("a checkpoint's header", () => {
  it.effect("that knows the size reads as before", () =>
    Effect.gen(function* () {
      yield* killedAfter(
        requestFor(chunked(fiveParts), { size: fiveParts.length, concurrency: 1 }),
        1
      )
      const [summary] = yield* pending
      const json = yield* Schema.encodeEffect(Checkpoint.Header)(summary!.header)
      assert.strictEqual(json.size, fiveParts.length)
      assert.deepStrictEqual(yield* Schema.decodeEffect(Checkpoint.Header)(json), summary!.header)
    }).pipe(Effect.provide(world))
  )
})
