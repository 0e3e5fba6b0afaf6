import { assert, describe, it } from "@effect/vitest"
import { Bandwidth, Source, Upload, UploadDefaults, UploadMany } from "@effect-oss/core"
import { ByteSize, Effect, Layer, Stream } from "effect"
import { Readable } from "node:stream"
import { contentOf, fiveParts, inTime, key, requestFor, requests, world } from "../support/world.ts"

/** What a program without a compiler may pass. */
const loosely = (request: unknown) => request as Upload.UploadRequest
const good = { key, source: Source.bytes(fiveParts, "five") }

const mistakes: ReadonlyArray<
  readonly [mistake: string, request: unknown, field: string, remedy: RegExp]
> = [
  ["no request", undefined, "request", /\{ key, source \}/],
  ["a path", "db.tar", "request", /\{ key, source \}/],
  ["no key", { source: good.source }, "key", /give the object's key/],
  ["a key called name", { name: "k", source: good.source }, "key", /call the option "name" key/],
  ["a key that is a number", { ...good, key: 7 }, "key", /give the object's key/],
  ["no source", { key }, "source", /Source\.file/],
  ["a path as source", { key, source: "db.tar" }, "source", /Source\.file\("db\.tar"\)/],
  ["a URL as source", { key, source: "https://a.example/b" }, "source", /Source\.http\("https:/],
  ["a Buffer as source", { key, source: Buffer.from("content") }, "source", /Source\.bytes/],
  ["a Blob as source", { key, source: new Blob(["x"]) }, "source", /Source\.blob/],
  ["a stream as source", { key, source: Readable.from(["x"]) }, "source", /Source\.readable/],
  [
    "a number of retries",
    { ...good, retry: 3 },
    "retry",
    /RetryPolicy\.backoff\(\{ attempts: 4 \}\)/
  ],
  ["a number as budget", { ...good, retryBudget: 3 }, "retryBudget", /RetryPolicy\.budgetUnsafe/],
  ["an option of ali-oss", { ...good, parallel: 3 }, "parallel", /call it concurrency/],
  ["an option in another case", { ...good, partsize: 1 }, "partsize", /call it partSize/],
  ["a callback for progress", { ...good, progress: () => {} }, "progress", /Upload\.events/],
  ["an unknown option", { ...good, turbo: true }, "turbo", /the options are key, source, /],
  ["a part size that is no length", { ...good, partSize: "8 apples" }, "partSize", /"8 MiB"/]
]

describe("a request with a mistake that a compiler would find", () => {
  it.effect.each(mistakes)(
    "%s is an InvalidRequest that names the right way",
    ([, request, field, remedy]) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Upload.upload(loosely(request)))
        assert.isTrue(error._tag === "InvalidRequest")
        assert.strictEqual(error._tag === "InvalidRequest" && error.field, field)
        assert.match(error.message, remedy)
        assert.deepStrictEqual(yield* requests, {})
      }).pipe(Effect.provide(world))
  )

  it.effect("fails its upload among many, a sink, and a program's defaults", () =>
    Effect.gen(function* () {
      const wrong = loosely({ name: "k", source: good.source })
      const outcomes = yield* Stream.runCollect(UploadMany.uploadAll([wrong, good]))
      assert.sameMembers(
        outcomes.map(({ _tag }) => _tag),
        ["Failed", "Completed"]
      )
      const sink = Upload.sink(loosely({ key, source: good.source }))
      const failed = yield* Effect.flip(Stream.run(Stream.make(fiveParts), sink))
      assert.deepInclude(failed, { _tag: "InvalidRequest", field: "source" })
      const defaults = UploadDefaults.layer({ retry: 3 as never })
      const refused = yield* Effect.flip(Layer.build(defaults))
      assert.deepInclude(refused, { _tag: "InvalidRequest", field: "retry" })
    }).pipe(Effect.provide(world))
  )
})

describe("a length", () => {
  it.effect.each<readonly [string, Upload.UploadRequest["partSize"]]>([
    ["a number", 102_400],
    ["a text", "100 KiB"],
    ["a bigint", 102_400n],
    ["a ByteSize", ByteSize.kibibytes(100)]
  ])("may be %s", ([, partSize]) =>
    Effect.gen(function* () {
      yield* Upload.upload(requestFor(fiveParts, { partSize }))
      assert.deepInclude(yield* requests, { uploadPart: 5 })
    }).pipe(Effect.provide(world))
  )

  it.effect("of a stream and of a rate, too, may be a text", () =>
    Effect.gen(function* () {
      const content = contentOf(200 * 1024)
      const source = Source.stream("s", Stream.make(content), { size: "200 KiB" })
      yield* inTime(Upload.upload({ key, source }))
      assert.deepInclude(yield* requests, { put: 1 })
      yield* Layer.build(Bandwidth.layer({ bytesPerSecond: "2 MB" }))
    }).pipe(Effect.provide(world))
  )
})
