/** Streams that can be read only once, in uploads that read them twice. */
import { assert, describe, it } from "@effect/vitest"
import { Source, Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Option, Stream } from "effect"
import { Readable } from "node:stream"
import {
  assertWhole,
  bucket,
  contentOf,
  fiveParts,
  inject,
  key,
  partSize,
  world
} from "../support/world.ts"

const good = contentOf(1_000, 7)

/** A good object stands under the key. */
const withGoodObject = Upload.upload({ key, source: Source.bytes(good) })

const goodObjectStands = Effect.gen(function* () {
  const object = yield* (yield* OssEmulator.OssEmulator).object(bucket, key)
  assert.deepStrictEqual(yield* Option.getOrThrow(object).bytes, good)
})

const unreadable = <A, R>(effect: Effect.Effect<A, Upload.UploadError, R>) =>
  Effect.map(Effect.flip(effect), (error) => {
    if (error._tag !== "SourceError") return assert.fail(error.message)
    assert.strictEqual(error.reason._tag, "SourceUnreadable")
    return error.message
  })

const upload = (source: Source.Source, options: Partial<Upload.UploadRequest> = {}) =>
  Upload.upload({ key, partSize, concurrency: 1, ...options, source })

const generator = async function* (content: Uint8Array) {
  for (let at = 0; at < content.length; at += 10_000) yield content.subarray(at, at + 10_000)
}

const chunksOf = (content: Uint8Array) => [content.slice(0, 50_000), content.slice(50_000)]

/** Each can be read once. */
const oneShots: ReadonlyArray<[string, (content: Uint8Array) => Source.Source]> = [
  [
    "a Readable that is handed out twice",
    (content) => {
      const readable = Readable.from(chunksOf(content))
      return Source.readable("once", () => readable)
    }
  ],
  [
    "a generator that is handed out twice",
    (content) => {
      const once = generator(content)
      return Source.readable("once", () => once)
    }
  ],
  [
    "a new iterable around a generator that is spent",
    (content) => {
      const once = generator(content)
      return Source.readable("once", () => ({ [Symbol.asyncIterator]: () => once }))
    }
  ],
  [
    "a stream of a ReadableStream",
    (content) => {
      const web = new Blob([content.slice()]).stream()
      return Source.stream("once", Stream.orDie(Stream.fromAsyncIterable(web, (cause) => cause)))
    }
  ],
  [
    "a stream that yields nothing once it has been run",
    (content) => {
      const rest = chunksOf(content)
      const once = Stream.suspend(() => Stream.fromIterable(rest.splice(0)))
      return Source.stream("once", once)
    }
  ]
]

describe("what can be read only once", () => {
  it.effect.each(oneShots)("is uploaded, if it is %s", ([, sourceOf]) =>
    Effect.gen(function* () {
      yield* upload(sourceOf(fiveParts))
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect.each(oneShots)(
    "does not replace a good object with an empty one when OSS forgets the upload, if it is %s",
    ([, sourceOf]) =>
      Effect.gen(function* () {
        yield* withGoodObject
        yield* inject(
          Fault.answer({
            operation: "uploadPart",
            partNumber: 5,
            status: 404,
            code: "NoSuchUpload"
          })
        )
        yield* unreadable(upload(sourceOf(fiveParts)))
        yield* goodObjectStands
      }).pipe(Effect.provide(world))
  )

  it.effect.each(oneShots)(
    "does not replace a good object when the next run reads it again, if it is %s",
    ([, sourceOf]) =>
      Effect.gen(function* () {
        yield* withGoodObject
        yield* inject(Fault.answer({ operation: "initiate", status: 403, code: "AccessDenied" }))
        const source = sourceOf(fiveParts)
        assert.strictEqual((yield* Effect.flip(upload(source)))._tag, "OssError")
        assert.include(yield* unreadable(upload(source)), "with a new stream")
        yield* goodObjectStands
      }).pipe(Effect.provide(world))
  )

  it.effect("does not replace a good object when it is compared first", () =>
    Effect.gen(function* () {
      yield* withGoodObject
      const content = contentOf(good.length, 9)
      const rest = [content]
      const once = Stream.suspend(() => Stream.fromIterable(rest.splice(0)))
      const source = Source.stream("once", once, { size: content.length })
      yield* unreadable(upload(source, { skipIdentical: true }))
      yield* goodObjectStands
    }).pipe(Effect.provide(world))
  )
})

describe("a source that is read again", () => {
  const opened = Effect.fnUntraced(function* <E, R>(source: Source.Source<E, R>) {
    const opened = yield* source.open
    if (opened._tag === "RandomAccess") return assert.fail("it is no stream")
    return opened.bytes
  })

  it.effect("may not be shorter than it was", () =>
    Effect.gen(function* () {
      const lengths = [3, 2]
      const shrinking = Stream.suspend(() => Stream.make(new Uint8Array(lengths.shift() ?? 0)))
      const bytes = yield* opened(Source.stream("s", shrinking))
      yield* Stream.runDrain(bytes)
      const error = yield* Effect.flip(Stream.runDrain(bytes))
      assert.include(error.message, "read again, it ends after 2 bytes, and gave more before")
    }).pipe(Effect.scoped)
  )

  it.effect("may be shorter, but not empty, when it is opened anew", () =>
    Effect.gen(function* () {
      const lengths = [3, 2, 0]
      const shrinking = Stream.suspend(() => Stream.make(new Uint8Array(lengths.shift() ?? 0)))
      yield* Stream.runDrain(yield* opened(Source.stream("s", shrinking)))
      yield* Stream.runDrain(yield* opened(Source.stream("s", shrinking)))
      yield* Effect.flip(Stream.runDrain(yield* opened(Source.stream("s", shrinking))))
    }).pipe(Effect.scoped)
  )

  it.effect("may be empty each time", () =>
    Effect.gen(function* () {
      const source = Source.readable("none", () => generator(new Uint8Array(0)))
      yield* upload(source)
      yield* upload(source)
      yield* assertWhole(new Uint8Array(0))
    }).pipe(Effect.provide(world))
  )

  it.effect("is uploaded each time, if each reading begins anew", () =>
    Effect.gen(function* () {
      const source = Source.readable("again", () => generator(fiveParts))
      yield* inject(
        Fault.answer({ operation: "uploadPart", partNumber: 5, status: 404, code: "NoSuchUpload" })
      )
      yield* upload(source)
      const object = yield* (yield* OssEmulator.OssEmulator).object(bucket, key)
      assert.deepStrictEqual(yield* Option.getOrThrow(object).bytes, fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("has to yield bytes, also to those who use no types", () =>
    Effect.gen(function* () {
      const text = Stream.make("text") as unknown as Stream.Stream<Uint8Array>
      const problem = "it yields a string where bytes are expected"
      assert.include(yield* unreadable(upload(Source.stream("text", text))), problem)
      assert.include(yield* unreadable(Stream.run(text, Upload.sink({ key }))), problem)
    }).pipe(Effect.provide(world))
  )

  it.effect("has to be an AsyncIterable", () =>
    Effect.gen(function* () {
      const source = Source.readable("none", () => undefined as never)
      assert.include(yield* unreadable(upload(source)), "it is not an AsyncIterable")
    }).pipe(Effect.provide(world))
  )
})
