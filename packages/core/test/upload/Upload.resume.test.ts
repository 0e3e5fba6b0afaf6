import { assert, describe, it } from "@effect/vitest"
import { OssClient, OssError, Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Body, RetryPolicy } from "@effect-oss/core"
import { Effect } from "effect"
import {
  assertWhole,
  assertWholeBesides,
  bucket,
  collect,
  contentOf,
  fiveParts,
  inTime,
  key,
  partSize,
  partsSent,
  pending,
  requestFor,
  requests,
  world
} from "../support/world.ts"
import { denied, stopAtPart4, killedAt } from "../support/stopped.ts"

const noSuchKey = new OssError.OssError({
  operation: "head",
  bucket,
  key,
  reason: new OssError.NoSuchKey()
})

describe("the next run", () => {
  it.effect("sends only what is missing, whichever parts those are", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(
        Fault.delay({ operation: "uploadPart", partNumber: 2, millis: 1_000 }),
        denied(2)
      )
      yield* inTime(Effect.flip(Upload.upload(requestFor(fiveParts))))
      const before = (yield* partsSent).length
      const result = yield* Upload.upload(requestFor(fiveParts))
      assert.deepStrictEqual((yield* partsSent).slice(before), [2])
      assert.deepInclude(result, { resumed: fiveParts.length - partSize, sent: partSize })
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("sends a part again that the server lost", () =>
    Effect.gen(function* () {
      const { emulator, uploadId } = yield* stopAtPart4(requestFor(fiveParts))
      yield* emulator.removePart({ bucket, key, uploadId, number: 2 })
      const before = (yield* partsSent).length
      yield* Upload.upload(requestFor(fiveParts))
      assert.deepStrictEqual((yield* partsSent).slice(before).toSorted(), [2, 4, 5])
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("adopts a part whose answer was lost, without sending it again", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(Fault.drop({ operation: "uploadPart", partNumber: 3, at: "after" }))
      const request = requestFor(fiveParts, { concurrency: 1 })
      yield* Effect.flip(Upload.upload({ ...request, retry: RetryPolicy.never }))
      const before = (yield* partsSent).length
      const events = yield* collect(request)
      assert.deepStrictEqual((yield* partsSent).slice(before), [4, 5])
      const adopted = events.filter((event) => event._tag === "PartUploaded" && event.adopted)
      assert.strictEqual(adopted.length, 1)
      const completed = events.find((event) => event._tag === "Completed")
      assert.deepInclude(completed?.result, { resumed: 3 * partSize, sent: partSize + 1_000 })
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("does not adopt a part with other bytes", () =>
    Effect.gen(function* () {
      const { uploadId } = yield* stopAtPart4(requestFor(fiveParts))
      const client = yield* OssClient.OssClient
      for (const number of [2, 4]) {
        const body = Body.fromBytes(contentOf(partSize, 99))
        yield* client.uploadPart({ key, uploadId, number, body })
      }
      const before = (yield* partsSent).length
      yield* Upload.upload(requestFor(fiveParts))
      assert.deepStrictEqual((yield* partsSent).slice(before).toSorted(), [2, 4, 5])
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("keeps the checkpoint's part size when none is asked for", () =>
    Effect.gen(function* () {
      yield* stopAtPart4(requestFor(fiveParts))
      const before = (yield* partsSent).length
      yield* Upload.upload(requestFor(fiveParts, { partSize: undefined }))
      assert.deepStrictEqual((yield* partsSent).slice(before).toSorted(), [4, 5])
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("believes the journal alone where parts can't be listed", () =>
    Effect.gen(function* () {
      const { emulator } = yield* stopAtPart4(requestFor(fiveParts))
      yield* emulator.inject(
        Fault.answer({ operation: "listParts", status: 403, code: "AccessDenied", times: Infinity })
      )
      const before = (yield* partsSent).length
      yield* Upload.upload(requestFor(fiveParts))
      assert.deepStrictEqual((yield* partsSent).slice(before).toSorted(), [4, 5])
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("starts afresh where parts can't be listed and one turns out to be lost", () =>
    Effect.gen(function* () {
      const { emulator, uploadId } = yield* stopAtPart4(requestFor(fiveParts))
      yield* emulator.removePart({ bucket, key, uploadId, number: 2 })
      yield* emulator.inject(
        Fault.answer({ operation: "listParts", status: 403, code: "AccessDenied", times: Infinity })
      )
      const events = yield* collect(requestFor(fiveParts))
      assert.deepInclude(events, { _tag: "Restarted", reason: "PartsLost" })
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("sends a part again that the server loses before Complete", () =>
    Effect.gen(function* () {
      const { emulator, uploadId } = yield* stopAtPart4(requestFor(fiveParts))
      yield* emulator.inject(Fault.delay({ operation: "complete", millis: 60_000 }))
      const before = (yield* partsSent).length
      const loss = Effect.delay(
        emulator.removePart({ bucket, key, uploadId, number: 2 }),
        "30 seconds"
      )
      const run = Upload.upload(requestFor(fiveParts))
      yield* inTime(Effect.all([run, loss], { concurrency: 2 }))
      assert.deepStrictEqual((yield* partsSent).slice(before).toSorted(), [2, 4, 5])
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("says why parts needn't be sent: they are recorded, or others were lost", () =>
    Effect.gen(function* () {
      const { emulator, uploadId } = yield* stopAtPart4(requestFor(fiveParts))
      yield* emulator.inject(Fault.delay({ operation: "complete", millis: 20_000 }))
      const loss = Effect.delay(
        emulator.removePart({ bucket, key, uploadId, number: 2 }),
        "10 seconds"
      )
      const run = collect(requestFor(fiveParts))
      const [events] = yield* inTime(Effect.all([run, loss], { concurrency: 2 }))
      assert.deepStrictEqual(
        events.filter(({ _tag }) => _tag === "Resumed"),
        [
          { _tag: "Resumed", reason: "Recorded", bytes: 3 * partSize, parts: 3 },
          { _tag: "Resumed", reason: "PartsLost", bytes: fiveParts.length - partSize, parts: 4 }
        ]
      )
    }).pipe(Effect.provide(world))
  )

  it.effect("says why parts needn't be sent: they are an object already", () =>
    Effect.gen(function* () {
      yield* killedAt(requestFor(fiveParts), "finish")
      const events = yield* collect(requestFor(fiveParts))
      const bytes = fiveParts.length
      assert.deepInclude(events, { _tag: "Resumed", reason: "Completed", bytes, parts: 5 })
    }).pipe(Effect.provide(world))
  )

  it.effect("fails, and keeps the upload id, while parts can't be listed for another reason", () =>
    Effect.gen(function* () {
      const { emulator, uploadId } = yield* stopAtPart4(requestFor(fiveParts))
      yield* emulator.inject(
        Fault.answer({ operation: "listParts", status: 500, code: "InternalError", times: 5 })
      )
      const request = requestFor(fiveParts, { retry: RetryPolicy.backoff() })
      const error = yield* inTime(Effect.flip(Upload.upload(request)))
      assert.isTrue(error._tag === "OssError" && error.reason._tag === "ServerError")
      assert.strictEqual((yield* requests)["listParts"], 5)
      assert.strictEqual((yield* emulator.uploads(bucket))[0]?.uploadId, uploadId)
      yield* Upload.upload(requestFor(fiveParts))
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("starts afresh when the upload was aborted meanwhile, and says why", () =>
    Effect.gen(function* () {
      const { emulator, uploadId } = yield* stopAtPart4(requestFor(fiveParts))
      yield* emulator.abortUpload({ bucket, key, uploadId })
      const events = yield* collect(requestFor(fiveParts))
      assert.deepInclude(events, { _tag: "Restarted", reason: "UploadGone" })
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect.each(["finish", "remove"] as const)(
    "succeeds without sending anything if the last one died after Complete, at %s",
    (step) =>
      Effect.gen(function* () {
        yield* killedAt(requestFor(fiveParts), step)
        assert.strictEqual((yield* pending).length, step === "finish" ? 1 : 0)
        const before = (yield* partsSent).length
        const result = yield* Upload.upload(requestFor(fiveParts))
        assert.strictEqual((yield* partsSent).length, before)
        assert.deepInclude(result, { verified: true, sent: 0, resumed: fiveParts.length })
        yield* assertWhole(fiveParts)
      }).pipe(Effect.provide(world))
  )

  it.effect("uploads afresh if the object that the last one made is not there any more", () =>
    Effect.gen(function* () {
      yield* killedAt(requestFor(fiveParts), "remove")
      const client = yield* OssClient.OssClient
      yield* client.put({ key, body: Body.fromBytes(contentOf(fiveParts.length, 99)) })
      const before = (yield* partsSent).length
      yield* Upload.upload(requestFor(fiveParts))
      assert.strictEqual((yield* partsSent).length, before + 5)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("does not take a different object of the same size for its own", () =>
    Effect.gen(function* () {
      yield* killedAt(requestFor(fiveParts), "finish")
      const client = yield* OssClient.OssClient
      yield* client.put({ key, body: Body.fromBytes(contentOf(fiveParts.length, 99)) })
      const events = yield* inTime(collect(requestFor(fiveParts)))
      assert.deepInclude(events, { _tag: "Restarted", reason: "UploadGone" })
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect(
    "leaves an upload without parts if the last one died before its upload id was recorded",
    () =>
      Effect.gen(function* () {
        yield* killedAt(requestFor(fiveParts), "begin", 0)
        yield* Upload.upload(requestFor(fiveParts))
        yield* assertWholeBesides(1, fiveParts)
      }).pipe(Effect.provide(world))
  )

  it.effect("waits for a Complete that OSS is still carrying out, and sends nothing again", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      yield* killedAt(requestFor(fiveParts), "finish")
      const before = (yield* partsSent).length
      let looks = 0
      const slow = OssClient.OssClient.of({
        ...client,
        head: (key) =>
          Effect.suspend(() => (++looks < 4 ? Effect.fail(noSuchKey) : client.head(key)))
      })
      yield* inTime(
        Effect.provideService(Upload.upload(requestFor(fiveParts)), OssClient.OssClient, slow)
      )
      assert.strictEqual((yield* partsSent).length, before)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect.each([0, 1, 2, 3, 4])(
    "carries on if the last one died while it recorded part %i",
    (passing) =>
      Effect.gen(function* () {
        yield* killedAt(requestFor(fiveParts, { concurrency: 1 }), "append", passing)
        const before = (yield* partsSent).length
        yield* Upload.upload(requestFor(fiveParts))
        assert.strictEqual((yield* partsSent).length - before, 4 - passing)
        yield* assertWhole(fiveParts)
      }).pipe(Effect.provide(world))
  )
})
