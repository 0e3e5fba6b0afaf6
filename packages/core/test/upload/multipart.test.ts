import { assert, describe, it } from "@effect/vitest"
import { Body, Crc64, OssClient, Part, Source } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Result } from "effect"
import {
  bucket,
  contentOf,
  editable,
  fiveParts,
  inTime,
  inject,
  key,
  partSize,
  partsSent,
  requests,
  world
} from "../support/world.ts"
import * as MultipartUpload from "../../src/internal/upload/multipart.ts"

const { parts } = Result.getOrThrow(Part.plan(fiveParts.length, partSize))

const stepsOf = (source: Source.Source) =>
  Effect.gen(function* () {
    const opened = yield* source.open
    if (opened._tag === "Sequential") return assert.fail("it is sequential")
    return yield* MultipartUpload.open({ key, source: opened, sourceName: source.name })
  })
const steps = stepsOf(Source.bytes(fiveParts, "source"))

const openUploads = OssEmulator.OssEmulator.use((emulator) => emulator.uploads(bucket))
const partOf = (content: Uint8Array, { offset, size }: Part.Part) =>
  content.subarray(offset, offset + size)

describe("MultipartUpload", () => {
  it.effect("takes an upload from its id to its object, by whoever holds the steps", () =>
    Effect.gen(function* () {
      const one = yield* steps
      const other = yield* steps
      const uploadId = yield* one.initiate(() => Effect.void)
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
      const uploadId = yield* it.initiate(() => Effect.void)
      yield* inject(Fault.answer({ operation: "listParts", status: 403, code: "AccessDenied" }))
      const tasks = yield* it.tasks(uploadId, parts)
      assert.deepStrictEqual(new Set(tasks.map(({ _tag }) => _tag)), new Set(["Missing"]))
    }).pipe(Effect.scoped, Effect.provide(world))
  )

  it.effect("settles a Complete whose answer was lost", () =>
    Effect.gen(function* () {
      const it = yield* steps
      const uploadId = yield* it.initiate(() => Effect.void)
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
      const uploadId = yield* it.initiate(() => Effect.void)
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

  describe("initiate", () => {
    it.effect("hands over its upload id, and leaves those of others alone", () =>
      Effect.gen(function* () {
        const other = yield* (yield* OssClient.OssClient).initiate(key)
        const recorded: Array<string> = []
        const record = (uploadId: string) => Effect.sync(() => recorded.push(uploadId))
        yield* inject(Fault.drop({ operation: "initiate", at: "before" }))
        const uploadId = yield* inTime((yield* steps).initiate((id) => Effect.asVoid(record(id))))
        assert.deepStrictEqual(recorded, [uploadId])
        assert.deepStrictEqual(
          (yield* openUploads).map((upload) => upload.uploadId),
          [other.uploadId, uploadId]
        )
      }).pipe(Effect.scoped, Effect.provide(world))
    )

    it.effect("aborts its upload id if that can't be recorded", () =>
      Effect.gen(function* () {
        const it = yield* steps
        assert.strictEqual(yield* Effect.flip(it.initiate(() => Effect.fail("shut"))), "shut")
        assert.deepStrictEqual(yield* openUploads, [])
      }).pipe(Effect.scoped, Effect.provide(world))
    )
  })

  it.effect("aborts, also what is gone already", () =>
    Effect.gen(function* () {
      const uploadId = yield* (yield* steps).initiate(() => Effect.void)
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
