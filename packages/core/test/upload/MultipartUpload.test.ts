import { assert, describe, it } from "@effect/vitest"
import type { Checkpoint } from "@effect-oss/core"
import {
  Body,
  CheckpointStore,
  Crc64,
  MultipartUpload,
  OssClient,
  Part,
  Source
} from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Option, Result } from "effect"
import {
  bucket,
  contentOf,
  editable,
  fiveParts,
  inTime,
  key,
  partSize,
  partsSent,
  requests,
  world
} from "../support/world.ts"

const { parts } = Result.getOrThrow(Part.plan(fiveParts.length, partSize))

const stepsOf = (source: Source.Source) =>
  Effect.gen(function* () {
    const opened = yield* source.open
    if (opened._tag === "Sequential") return assert.fail("it is sequential")
    return yield* MultipartUpload.open({ key, source: opened, sourceName: source.name })
  })
const steps = stepsOf(Source.bytes(fiveParts, "source"))

const header = {
  sourceId: "source",
  fingerprint: "1",
  size: fiveParts.length,
  partSize,
  options: "",
  createdAt: 0
}

/** A log that remembers what it was told last. */
const remembering = () => {
  const log = {
    recovered: Option.none<Checkpoint.Header>(),
    others: Effect.succeed<ReadonlyArray<string>>([]),
    begin: (header: Checkpoint.Header) =>
      Effect.sync(() => {
        log.recovered = Option.some(header)
      })
  }
  return log
}

const openUploads = OssEmulator.OssEmulator.use((emulator) => emulator.uploads(bucket))
const inject = (...faults: ReadonlyArray<Fault.Fault>) =>
  OssEmulator.OssEmulator.use((emulator) => emulator.inject(...faults))

const partOf = (content: Uint8Array, { offset, size }: Part.Part) =>
  content.subarray(offset, offset + size)

describe("Multipart", () => {
  it.effect("takes an upload from its id to its object, by whoever holds the steps", () =>
    Effect.gen(function* () {
      const one = yield* steps
      const other = yield* steps
      const uploadId = yield* one.begin(remembering(), header)
      const first = yield* Effect.forEach(yield* one.tasks(uploadId, parts.slice(0, 2)), (task) =>
        one.part(uploadId, task)
      )
      const rest = yield* Effect.forEach(yield* other.tasks(uploadId, parts.slice(2)), (task) =>
        other.part(uploadId, task)
      )
      const durable = [...first, ...rest]
      assert.deepStrictEqual(
        durable.map(({ sent }) => sent),
        parts.map(({ size }) => size)
      )
      const result = yield* one.complete(
        uploadId,
        durable.map(({ part }) => part)
      )
      assert.strictEqual(result.crc64, Crc64.of(fiveParts))
      assert.isTrue(result.verified)
      assert.deepStrictEqual(yield* openUploads, [])
    }).pipe(Effect.scoped, Effect.provide(world))
  )

  it.effect("adopts what OSS has of these parts, unless it differs", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const { uploadId } = yield* client.initiate(key)
      const send = (number: number, bytes: Uint8Array) =>
        client.uploadPart({ key, uploadId, number, body: Body.fromBytes(bytes) })
      yield* Effect.forEach(parts.slice(0, 3), (part) => send(part.number, partOf(fiveParts, part)))
      yield* send(4, contentOf(partSize, 7))
      const it = yield* steps
      const tasks = yield* it.tasks(uploadId, parts.slice(1))
      assert.deepStrictEqual(
        tasks.map(({ _tag, part }) => [part.number, _tag]),
        [
          [2, "Adoptable"],
          [3, "Adoptable"],
          [4, "Adoptable"],
          [5, "Missing"]
        ]
      )
      const durable = yield* Effect.forEach(tasks, (task) => it.part(uploadId, task))
      assert.deepStrictEqual(
        durable.map(({ part, sent }) => [part.number, sent]),
        [
          [2, 0],
          [3, 0],
          [4, partSize],
          [5, 1_000]
        ]
      )
      assert.deepStrictEqual(
        durable.map(({ part }) => part.crc64),
        parts.slice(1).map((part) => Crc64.of(partOf(fiveParts, part)))
      )
    }).pipe(Effect.scoped, Effect.provide(world))
  )

  it.effect("sends everything where parts may not be listed", () =>
    Effect.gen(function* () {
      const it = yield* steps
      const uploadId = yield* it.begin(remembering(), header)
      yield* inject(Fault.answer({ operation: "listParts", status: 403, code: "AccessDenied" }))
      const tasks = yield* it.tasks(uploadId, parts)
      assert.deepStrictEqual(new Set(tasks.map(({ _tag }) => _tag)), new Set(["Missing"]))
    }).pipe(Effect.scoped, Effect.provide(world))
  )

  it.effect("settles a Complete whose answer was lost", () =>
    Effect.gen(function* () {
      const it = yield* steps
      const uploadId = yield* it.begin(remembering(), header)
      const durable = yield* Effect.forEach(yield* it.tasks(uploadId, parts), (task) =>
        it.part(uploadId, task)
      )
      yield* inject(Fault.drop({ operation: "complete", at: "after" }))
      const recorded = durable.map(({ part }) => part)
      const result = yield* inTime(it.complete(uploadId, recorded))
      // So does who was suspended meanwhile.
      const again = yield* inTime((yield* steps).complete(uploadId, recorded))
      assert.deepStrictEqual(
        [result.crc64, again.crc64],
        [Crc64.of(fiveParts), Crc64.of(fiveParts)]
      )
    }).pipe(Effect.scoped, Effect.provide(world))
  )

  it.effect("completes nothing once the source has changed", () =>
    Effect.gen(function* () {
      const { source, edit } = editable(fiveParts)
      const it = yield* stepsOf(source)
      const uploadId = yield* it.begin(remembering(), header)
      const durable = yield* Effect.forEach(yield* it.tasks(uploadId, parts), (task) =>
        it.part(uploadId, task)
      )
      yield* it.unchanged
      yield* edit(contentOf(fiveParts.length, 9))
      const error = yield* Effect.flip(
        it.complete(
          uploadId,
          durable.map(({ part }) => part)
        )
      )
      assert.strictEqual(error.reason._tag, "SourceChanged")
      assert.strictEqual((yield* Effect.flip(it.unchanged)).reason._tag, "SourceChanged")
      assert.isUndefined((yield* requests)["complete"])
    }).pipe(Effect.scoped, Effect.provide(world))
  )

  describe("begin", () => {
    it.effect("carries on with the upload id that was recorded", () =>
      Effect.gen(function* () {
        const it = yield* steps
        const log = remembering()
        const uploadId = yield* it.begin(log, header)
        assert.strictEqual(yield* it.begin(log, header), uploadId)
        assert.lengthOf(yield* openUploads, 1)
      }).pipe(Effect.scoped, Effect.provide(world))
    )

    it.effect("aborts what a run left that ended while it asked, but nothing of others", () =>
      Effect.gen(function* () {
        const it = yield* steps
        const log = remembering()
        const foreign = yield* (yield* OssClient.OssClient).initiate(key)
        const lost = yield* it.begin(
          {
            ...log,
            begin: (header) =>
              header.phase._tag === "Initiating" ? log.begin(header) : Effect.void
          },
          header
        )
        const taken = yield* (yield* OssClient.OssClient).initiate(key)
        const uploadId = yield* it.begin(
          { ...log, others: Effect.succeed([taken.uploadId]) },
          header
        )
        assert.deepStrictEqual(
          (yield* openUploads).map((upload) => upload.uploadId),
          [foreign.uploadId, taken.uploadId, uploadId]
        )
        assert.notStrictEqual(uploadId, lost)
      }).pipe(Effect.scoped, Effect.provide(world))
    )

    it.effect("aborts its upload id if the log doesn't let it in", () =>
      Effect.gen(function* () {
        const it = yield* steps
        const shut = new CheckpointStore.CheckpointError({
          location: "test",
          reason: new CheckpointStore.LeaseLost()
        })
        const log = {
          ...remembering(),
          begin: ({ phase }: Checkpoint.Header) =>
            phase._tag === "Initiating" ? Effect.void : Effect.fail(shut)
        }
        const error = yield* Effect.flip(it.begin(log, header))
        assert.strictEqual(error.reason._tag, "LeaseLost")
        assert.deepStrictEqual(yield* openUploads, [])
      }).pipe(Effect.scoped, Effect.provide(world))
    )
  })

  it.effect("aborts, also what is gone already", () =>
    Effect.gen(function* () {
      const uploadId = yield* (yield* steps).begin(remembering(), header)
      yield* MultipartUpload.abort({ key }, uploadId)
      yield* MultipartUpload.abort({ key }, uploadId)
      assert.deepStrictEqual(yield* openUploads, [])
      assert.deepStrictEqual(yield* partsSent, [])
    }).pipe(Effect.scoped, Effect.provide(world))
  )

  it.effect("refuses a key that OSS would refuse, before anything is sent", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(MultipartUpload.abort({ key: "/x" }, "id"))
      assert.strictEqual(error._tag, "InvalidRequest")
      assert.deepStrictEqual(yield* requests, {})
    }).pipe(Effect.provide(world))
  )
})
