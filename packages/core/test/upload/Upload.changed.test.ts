import { assert, describe, it } from "@effect/vitest"
import { Part, Source, Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { RetryPolicy } from "@effect-oss/core"
import { Effect, Option } from "effect"
import {
  assertWhole,
  bucket,
  collect,
  contentOf,
  editable,
  fiveParts,
  inTime,
  key,
  partSize,
  partsSent,
  pending,
  requestFor,
  world
} from "../support/world.ts"
import { stopAtPart4, killedAt } from "../support/stopped.ts"

describe("when only the inode differs from the last run, as after a remount", () => {
  const file = (content: Uint8Array, inode: number): Source.Source => {
    const fingerprint = `size=${content.length};modified=1;inode=${inode}`
    const open = Effect.map(Source.bytes(content).open, (opened) => ({
      ...opened,
      id: "file:/mnt/db.tar",
      fingerprint,
      currentFingerprint: Effect.succeed(fingerprint)
    }))
    return { name: "db.tar", open }
  }
  const first = { ...requestFor(fiveParts, { concurrency: 1 }), source: file(fiveParts, 1) }

  it.effect("compares what was sent with the bytes, and sends only what is missing", () =>
    Effect.gen(function* () {
      yield* stopAtPart4(first)
      const before = (yield* partsSent).length
      yield* Upload.upload({ ...first, source: file(fiveParts, 2) })
      assert.deepStrictEqual((yield* partsSent).slice(before), [4, 5])
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("does the same out of the journal where parts may not be listed", () =>
    Effect.gen(function* () {
      const { emulator } = yield* stopAtPart4(first)
      yield* emulator.inject(
        Fault.answer({ operation: "listParts", status: 403, code: "AccessDenied" })
      )
      const before = (yield* partsSent).length
      yield* Upload.upload({ ...first, source: file(fiveParts, 2) })
      assert.deepStrictEqual((yield* partsSent).slice(before), [4, 5])
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("sends again each part that is not what it was", () =>
    Effect.gen(function* () {
      yield* stopAtPart4(first)
      const other = Uint8Array.from(fiveParts)
      other[partSize + 7]! ^= 1
      const before = (yield* partsSent).length
      yield* Upload.upload({ ...first, source: file(other, 2) })
      assert.deepStrictEqual((yield* partsSent).slice(before), [2, 4, 5])
      yield* assertWhole(other)
    }).pipe(Effect.provide(world))
  )

  it.effect("takes no object for this source's without reading it", () =>
    Effect.gen(function* () {
      yield* killedAt(first, "finish")
      const other = Uint8Array.from(fiveParts)
      other[partSize + 7]! ^= 1
      yield* inTime(Upload.upload({ ...first, source: file(other, 2) }))
      yield* assertWhole(other)
    }).pipe(Effect.provide(world))
  )
})

describe("when something else is asked for than by the last run", () => {
  const changed: ReadonlyArray<[string, Partial<Upload.UploadRequest>]> = [
    ["OptionsChanged", { meta: { owner: "someone else" } }],
    ["OptionsChanged", { mime: "text/plain" }],
    ["OptionsChanged", { headers: { "Cache-Control": "no-cache" } }],
    ["OptionsChanged", { storageClass: "IA" }],
    ["OptionsChanged", { tagging: { project: "x" } }],
    ["OptionsChanged", { serverSideEncryption: { algorithm: "KMS", keyId: "another" } }],
    ["PartSizeChanged", { partSize: 2 * Part.minPartSize }]
  ]
  it.effect.each(changed)("starts afresh, says %s, and aborts the old upload", ([reason, change]) =>
    Effect.gen(function* () {
      yield* stopAtPart4(requestFor(fiveParts))
      const events = yield* collect(requestFor(fiveParts, change))
      assert.isTrue(events.some((event) => event._tag === "Restarted" && event.reason === reason))
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("starts afresh though the old upload may not be aborted, and stays", () =>
    Effect.gen(function* () {
      const { emulator } = yield* stopAtPart4(requestFor(fiveParts))
      yield* emulator.inject(
        Fault.answer({ operation: "abort", status: 403, code: "AccessDenied" })
      )
      const result = yield* Upload.upload(requestFor(fiveParts, { mime: "text/plain" }))
      assert.strictEqual(result.sent, fiveParts.length)
      const left = yield* emulator.uploads(bucket)
      assert.deepStrictEqual(
        left.map(({ parts }) => parts.length),
        [3]
      )
      assert.deepStrictEqual(yield* pending, [])
    }).pipe(Effect.provide(world))
  )

  it.effect("carries on with what only Complete sets, as it is asked for now", () =>
    Effect.gen(function* () {
      const { emulator } = yield* stopAtPart4(requestFor(fiveParts, { acl: "private" }))
      const before = (yield* partsSent).length
      yield* Upload.upload(requestFor(fiveParts, { acl: "public-read" }))
      assert.deepStrictEqual((yield* partsSent).slice(before).toSorted(), [4, 5])
      const object = Option.getOrThrow(yield* emulator.object(bucket, key))
      assert.strictEqual(object.headers["x-oss-object-acl"], "public-read")
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("fails, and keeps the old upload's checkpoint, while that can't be aborted", () =>
    Effect.gen(function* () {
      const { emulator, uploadId } = yield* stopAtPart4(requestFor(fiveParts))
      yield* emulator.inject(
        Fault.answer({ operation: "abort", status: 500, code: "InternalError", times: 5 })
      )
      const other = requestFor(fiveParts, { meta: { owner: "someone else" } })
      const once = { ...other, retry: RetryPolicy.backoff() }
      const error = yield* inTime(Effect.flip(Upload.upload(once)))
      assert.isTrue(error._tag === "OssError" && error.reason._tag === "ServerError")
      assert.strictEqual((yield* emulator.uploads(bucket))[0]?.uploadId, uploadId)
      assert.strictEqual((yield* pending)[0]?.parts, 3)
      yield* Upload.upload(other)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("starts afresh with a source that changed in between", () =>
    Effect.gen(function* () {
      const { source, edit } = editable(fiveParts)
      yield* stopAtPart4(requestFor(fiveParts, { source }))
      const other = contentOf(fiveParts.length, 2)
      yield* edit(other)
      const events = yield* collect(requestFor(other, { source }))
      assert.deepInclude(events, { _tag: "Restarted", reason: "SourceChanged" })
      yield* assertWhole(other)
    }).pipe(Effect.provide(world))
  )

  it.effect(
    "sends a source that has become small with one request, and aborts the old upload",
    () =>
      Effect.gen(function* () {
        const { source, edit } = editable(fiveParts)
        yield* stopAtPart4(requestFor(fiveParts, { source }))
        yield* edit(contentOf(10))
        yield* Upload.upload(requestFor(fiveParts, { source }))
        yield* assertWhole(contentOf(10))
      }).pipe(Effect.provide(world))
  )

  it.effect("fails, and keeps everything, if asked to fail when the source changed", () =>
    Effect.gen(function* () {
      const { source, edit } = editable(fiveParts)
      const { emulator, uploadId } = yield* stopAtPart4(requestFor(fiveParts, { source }))
      yield* edit(contentOf(fiveParts.length, 2))
      const request = requestFor(fiveParts, { source, onSourceChanged: "fail" })
      const error = yield* Effect.flip(Upload.upload(request))
      assert.isTrue(error._tag === "SourceError" && error.reason._tag === "SourceChanged")
      assert.strictEqual((yield* emulator.uploads(bucket))[0]?.uploadId, uploadId)
      assert.strictEqual((yield* pending).length, 1)
    }).pipe(Effect.provide(world))
  )
})

describe("a source that changes while it is uploaded", () => {
  it.effect("fails before Complete, so that no mixture is stored", () =>
    Effect.gen(function* () {
      const { source, edit } = editable(fiveParts)
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(
        Fault.delay({ operation: "uploadPart", partNumber: 5, millis: 60_000 })
      )
      const other = contentOf(fiveParts.length, 2)
      const run = Effect.flip(
        Upload.upload(requestFor(fiveParts, { source, stallTimeout: "5 minutes" }))
      )
      const [error] = yield* inTime(
        Effect.all([run, Effect.delay(edit(other), "30 seconds")], { concurrency: 2 })
      )
      assert.isTrue(error._tag === "SourceError" && error.reason._tag === "SourceChanged")
      assert.isTrue((yield* emulator.object(bucket, key))._tag === "None")
      yield* Upload.upload(requestFor(other, { source }))
      yield* assertWhole(other)
    }).pipe(Effect.provide(world))
  )

  it.effect("stores nothing if it goes up with one request", () =>
    Effect.gen(function* () {
      const { source, edit } = editable(contentOf(90_000))
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(
        Fault.delay({ operation: "put", millis: 60_000, at: { bytes: 65_536 } })
      )
      const request = requestFor(fiveParts, { source, stallTimeout: "5 minutes" })
      const edits = Effect.delay(edit(contentOf(90_000, 2)), "30 seconds")
      const [error] = yield* inTime(
        Effect.all([Effect.flip(Upload.upload(request)), edits], { concurrency: 2 })
      )
      assert.isTrue(error._tag === "SourceError" && error.reason._tag === "SourceChanged")
      assert.isTrue((yield* emulator.object(bucket, key))._tag === "None")
    }).pipe(Effect.provide(world))
  )
})
