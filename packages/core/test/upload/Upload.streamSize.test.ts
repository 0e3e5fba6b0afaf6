import { assert, describe, it } from "@effect/vitest"
import { Body, Checkpoint, CheckpointStore, OssClient, Source, Upload } from "@effect-oss/core"
import { OssEmulator } from "@effect-oss/emulator"
import { Effect, Option, Ref, Schema, Stream } from "effect"
import {
  assertWhole,
  bucket,
  collect,
  contentOf,
  fiveParts,
  key,
  partSize,
  partsSent,
  pending,
  requests,
  world
} from "../support/world.ts"
import { killedAfter, killedAt } from "../support/stopped.ts"
import { chunked, streamRequest } from "../support/streams.ts"
import * as Parts from "../../src/internal/parts.ts"

describe("a stream of unknown length", () => {
  it.effect("that is shorter at the next run starts afresh", () =>
    Effect.gen(function* () {
      yield* killedAfter(streamRequest(chunked(fiveParts), { concurrency: 1 }), 3)
      const shorter = fiveParts.subarray(0, 2 * partSize)
      const events = yield* collect(streamRequest(chunked(shorter)))
      assert.deepInclude(events, { _tag: "Restarted", reason: "SourceChanged" })
      yield* assertWhole(shorter)
    }).pipe(Effect.provide(world))
  )

  it.effect("that goes on where it ended at the last run starts afresh", () =>
    Effect.gen(function* () {
      yield* killedAt(streamRequest(chunked(fiveParts)), "finish")
      const longer = contentOf(fiveParts.length + 1)
      const events = yield* collect(streamRequest(chunked(longer)))
      assert.deepInclude(events, { _tag: "Restarted", reason: "SourceChanged" })
      yield* assertWhole(longer)
    }).pipe(Effect.provide(world))
  )

  /** As standard input is: a second reading yields nothing. */
  const readOnce = (bytes: Uint8Array) => {
    let isRead = false
    return Stream.suspend(() => {
      const again = isRead
      isRead = true
      return again ? Stream.empty : chunked(bytes)
    })
  }

  it.effect("that is another one, and can be read only once, fails in one run and no more", () =>
    Effect.gen(function* () {
      for (const step of ["finish", "remove"] as const) {
        yield* killedAt(streamRequest(chunked(fiveParts)), step)
        const other = contentOf(fiveParts.length, 7)
        const error = yield* Effect.flip(Upload.upload(streamRequest(readOnce(other))))
        assert.strictEqual(error._tag, "SourceError")
        yield* Upload.upload(streamRequest(readOnce(other)))
        yield* assertWhole(other)
      }
    }).pipe(Effect.provide(world))
  )

  it.effect("takes no empty object for what it had begun", () =>
    Effect.gen(function* () {
      yield* killedAfter(streamRequest(chunked(fiveParts), { concurrency: 1 }), 0)
      const emulator = yield* OssEmulator.OssEmulator
      const [begun] = yield* emulator.uploads(bucket)
      yield* emulator.abortUpload({ bucket, key, uploadId: begun!.uploadId })
      const client = yield* OssClient.OssClient
      yield* client.put({ key, body: Body.fromBytes(new Uint8Array(0)) })
      const events = yield* collect(streamRequest(readOnce(fiveParts)))
      assert.deepInclude(events, { _tag: "Restarted", reason: "UploadGone" })
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("that is empty at the next run becomes an empty object", () =>
    Effect.gen(function* () {
      yield* killedAfter(streamRequest(chunked(fiveParts), { concurrency: 1 }), 0)
      yield* Upload.upload(streamRequest(Stream.empty))
      yield* assertWhole(new Uint8Array(0))
    }).pipe(Effect.provide(world))
  )

  it.effect("says in its events that it doesn't know how much there is to come", () =>
    Effect.gen(function* () {
      const events = yield* collect(streamRequest(chunked(fiveParts)))
      const started = events.find((event) => event._tag === "Started")
      assert.strictEqual(started?.size, null)
      const progress = events.filter((event) => event._tag === "Progress")
      assert.deepInclude(progress.at(-1), { total: fiveParts.length, durable: fiveParts.length })
    }).pipe(Effect.provide(world))
  )

  it.effect("is listed as pending with what is known of it", () =>
    Effect.gen(function* () {
      yield* killedAfter(streamRequest(chunked(fiveParts), { concurrency: 1 }), 3)
      const [summary] = yield* pending
      assert.deepInclude(summary, { durable: 3 * partSize, parts: 3 })
      assert.deepInclude(summary?.header, { size: null, sourceId: "stream:numbers", partSize })
    }).pipe(Effect.provide(world))
  )

  /** 128 parts of the first size, and some of twice that. */
  const grown = contentOf(128 * partSize + 5 * partSize + 7)

  it.effect("has parts that grow", () =>
    Effect.gen(function* () {
      const events = yield* collect(streamRequest(chunked(grown)))
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
        yield* killedAfter(streamRequest(chunked(grown), { concurrency: 1 }), done)
        const before = (yield* partsSent).length
        const { resumed } = yield* Upload.upload(streamRequest(chunked(grown)))
        // The part whose record was cut off is adopted: OSS has it.
        const { offset, size } = Parts.growing(done + 1, partSize)
        assert.strictEqual(resumed, Math.min(offset + size, grown.length))
        assert.strictEqual((yield* partsSent).length - before, 130 - done)
        yield* assertWhole(grown)
      }).pipe(Effect.provide(world))
  )

  it.effect("starts afresh where an earlier version's parts grew otherwise, and says so", () =>
    Effect.gen(function* () {
      yield* killedAfter(streamRequest(chunked(fiveParts), { concurrency: 1 }), 3)
      const [summary] = yield* pending
      const { growth, ...earlier } = summary!.header
      assert.strictEqual(growth, Parts.growth)
      const store = yield* CheckpointStore.CheckpointStore
      for (const header of [earlier, { ...earlier, growth: Parts.growth + 1 }]) {
        yield* Effect.scoped(
          Effect.flatMap(store.open(summary!.checkpointKey), ({ begin }) => begin(header))
        )
        const events = yield* collect(
          streamRequest(chunked(fiveParts), { onSourceChanged: "fail" })
        )
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
        const error = yield* Effect.flip(Upload.upload(streamRequest(chunked(fiveParts), options)))
        assert.strictEqual(error._tag, "InvalidRequest")
      }
      assert.deepStrictEqual(yield* requests, {})
    }).pipe(Effect.provide(world))
  )

  it.effect("may have empty chunks, and chunks larger than many parts", () =>
    Effect.gen(function* () {
      const empty = new Uint8Array(0)
      yield* Upload.upload(streamRequest(Stream.make(empty, fiveParts, empty, empty)))
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
        assert.strictEqual(yield* Effect.flip(Upload.upload(streamRequest(stream))), error)
        assert.strictEqual(yield* Ref.get(runs), 1)
        assert.strictEqual((yield* emulator.uploads(bucket)).length, 1)
      }).pipe(Effect.provide(world))
  )
})

describe("a checkpoint's header", () => {
  it.effect("that knows the size reads as before", () =>
    Effect.gen(function* () {
      yield* killedAfter(
        streamRequest(chunked(fiveParts), { size: fiveParts.length, concurrency: 1 }),
        1
      )
      const [summary] = yield* pending
      const json = yield* Schema.encodeEffect(Checkpoint.Header)(summary!.header)
      assert.strictEqual(json.size, fiveParts.length)
      assert.deepStrictEqual(yield* Schema.decodeEffect(Checkpoint.Header)(json), summary!.header)
    }).pipe(Effect.provide(world))
  )
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
      const error = yield* Effect.flip(Upload.upload(streamRequest(chunked(content), { size })))
      assert.isTrue(error instanceof Source.SourceError && error.reason._tag === "SourceChanged")
      const emulator = yield* OssEmulator.OssEmulator
      assert.isTrue(Option.isNone(yield* emulator.object(bucket, key)))
      assert.notProperty(yield* requests, "complete")
    }).pipe(Effect.provide(world))
  )

  it.effect.each([-1, 0.5, Number.NaN, Parts.maxObjectSize + 1])(
    "%d is refused before anything is sent",
    (size) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(
          Upload.upload(streamRequest(chunked(fiveParts), { size, partSize: undefined }))
        )
        assert.strictEqual(error._tag, "InvalidRequest")
        assert.deepStrictEqual(yield* requests, {})
      }).pipe(Effect.provide(world))
  )
})
