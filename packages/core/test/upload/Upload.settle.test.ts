import { assert, describe, it } from "@effect/vitest"
import { Body, Crc64, OssClient, RetryPolicy, Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Option } from "effect"
import {
  assertWhole,
  bucket,
  collect,
  contentOf,
  fiveParts,
  inTime,
  inject,
  key,
  pending,
  reasonOf,
  requestFor,
  requests,
  world
} from "../support/world.ts"

describe("Complete", () => {
  const lost: ReadonlyArray<[string, Fault.Fault]> = [
    ["its answer is lost", Fault.drop({ operation: "complete", at: "after" })],
    [
      "it answers 500 after the commit",
      Fault.answer({ operation: "complete", status: 500, code: "InternalError", at: "after" })
    ],
    [
      "it answers cut-off XML",
      Fault.raw({ operation: "complete", body: "<CompleteMultipartUploadRes" })
    ],
    ["it never answers", Fault.stall({ operation: "complete", at: "after" })]
  ]
  it.effect.each(lost)("is a success when %s", ([_, fault]) =>
    Effect.gen(function* () {
      yield* inject(fault)
      const result = yield* inTime(Upload.upload(requestFor(fiveParts)))
      assert.isTrue(result.verified)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("is a success when its answer is lost each time but the object is there", () =>
    Effect.gen(function* () {
      yield* inject(Fault.drop({ operation: "complete", at: "after", times: Infinity }))
      yield* Upload.upload(requestFor(fiveParts, { retry: RetryPolicy.never }))
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  const other = contentOf(fiveParts.length, 99)
  const storeOther = Effect.gen(function* () {
    const client = yield* OssClient.OssClient
    yield* client.put({ key, body: Body.fromBytes(other) })
  })

  it.effect("is no success because another object of the same size is there", () =>
    Effect.gen(function* () {
      yield* storeOther
      yield* inject(Fault.drop({ operation: "complete", at: "before", times: 5 }))
      const request = requestFor(fiveParts, { retry: RetryPolicy.backoff() })
      const error = yield* inTime(Effect.flip(Upload.upload(request)))
      assert.strictEqual(reasonOf(error), "Transport")
      assert.strictEqual((yield* pending)[0]?.parts, 5)
      const result = yield* Upload.upload(requestFor(fiveParts))
      assert.strictEqual(result.sent, 0)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("is no success because an object of the same CRC64 and another size is there", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const longer = {
        size: fiveParts.length + 1,
        etag: "longer",
        crc64: Option.some(Crc64.of(fiveParts)),
        lastModified: undefined
      }
      yield* inject(Fault.drop({ operation: "complete", at: "before", times: 5 }))
      const request = requestFor(fiveParts, { retry: RetryPolicy.backoff() })
      const upload = Effect.provideService(Upload.upload(request), OssClient.OssClient, {
        ...client,
        head: () => Effect.succeed(longer)
      })
      assert.strictEqual(reasonOf(yield* inTime(Effect.flip(upload))), "Transport")
    }).pipe(Effect.provide(world))
  )

  it.effect("is waited for while OSS still carries it out, after its answer was lost", () =>
    Effect.gen(function* () {
      yield* inject(
        Fault.drop({ operation: "complete", at: "after" }),
        Fault.answer({ operation: "head", status: 404, code: "NoSuchKey", times: 3 })
      )
      const events = yield* inTime(collect(requestFor(fiveParts)))
      assert.notInclude(
        events.map(({ _tag }) => _tag),
        "Restarted"
      )
      assert.strictEqual((yield* requests)["initiate"], 1)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect(
    "that never arrived is no loss if the object is there, and its upload is given up",
    () =>
      Effect.gen(function* () {
        yield* Upload.upload(requestFor(fiveParts))
        yield* inject(Fault.drop({ operation: "complete", at: "before", times: Infinity }))
        const request = requestFor(fiveParts, { retry: RetryPolicy.never })
        assert.isTrue((yield* inTime(Upload.upload(request))).verified)
        yield* assertWhole(fiveParts)
      }).pipe(Effect.provide(world))
  )

  it.effect("whose object was replaced by another one before the answer came makes it again", () =>
    Effect.gen(function* () {
      yield* inject(
        Fault.stall({ operation: "complete", at: "after" }),
        Fault.delay({ operation: "complete", millis: 60_000, at: "before" })
      )
      const replacing = Effect.delay(storeOther, "5 minutes")
      const [events] = yield* inTime(
        Effect.all([collect(requestFor(fiveParts)), replacing], { concurrency: 2 })
      )
      assert.deepInclude(events, { _tag: "Restarted", reason: "UploadGone" })
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("fails, and keeps the upload, when it fails before the commit each time", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* inject(
        Fault.answer({ operation: "complete", status: 500, code: "InternalError", times: 5 })
      )
      const request = requestFor(fiveParts, { retry: RetryPolicy.backoff() })
      const error = yield* inTime(Effect.flip(Upload.upload(request)))
      assert.strictEqual(reasonOf(error), "ServerError")
      assert.strictEqual((yield* emulator.uploads(bucket))[0]?.parts.length, 5)
      const result = yield* Upload.upload(requestFor(fiveParts))
      assert.strictEqual(result.sent, 0)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("with forbidOverwrite is a success when only its own answer was lost", () =>
    Effect.gen(function* () {
      yield* inject(Fault.drop({ operation: "complete", at: "after" }))
      yield* inTime(Upload.upload(requestFor(fiveParts, { forbidOverwrite: true })))
      yield* assertWhole(fiveParts)
      yield* inject(Fault.drop({ operation: "put", at: "after" }))
      yield* inTime(
        Upload.upload(requestFor(contentOf(9), { key: "small", forbidOverwrite: true }))
      )
      yield* assertWhole(contentOf(9), "small")
    }).pipe(Effect.provide(world))
  )

  it.effect("with forbidOverwrite fails when there is an object, even the same", () =>
    Effect.gen(function* () {
      yield* Upload.upload(requestFor(contentOf(9)))
      const error = yield* Effect.flip(
        Upload.upload(requestFor(contentOf(9), { forbidOverwrite: true }))
      )
      assert.strictEqual(reasonOf(error), "AlreadyExists")
    }).pipe(Effect.provide(world))
  )

  it.effect(
    "whose callback failed has stored the object: an error of its own, and nothing to resume",
    () =>
      Effect.gen(function* () {
        yield* inject(Fault.callbackFailed({ operation: "complete" }))
        const callback = { url: "http://callback.test/", body: "done" }
        const error = yield* Effect.flip(Upload.upload(requestFor(fiveParts, { callback })))
        assert.strictEqual(reasonOf(error), "CallbackFailed")
        yield* assertWhole(fiveParts)
      }).pipe(Effect.provide(world))
  )
})

describe("an upload that is aborted by someone else", () => {
  it.effect("while parts are on their way starts afresh once, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* inject(Fault.delay({ operation: "uploadPart", millis: 10_000, times: 7 }))
      const abort = Effect.gen(function* () {
        const [upload] = yield* emulator.uploads(bucket)
        yield* emulator.abortUpload({ bucket, key, uploadId: upload!.uploadId })
      })
      const [events] = yield* inTime(
        Effect.all(
          [collect(requestFor(fiveParts, { concurrency: 2 })), Effect.delay(abort, "15 seconds")],
          { concurrency: 2 }
        )
      )
      const restarts = events.filter((event) => event._tag === "Restarted")
      assert.deepStrictEqual(restarts, [{ _tag: "Restarted", reason: "UploadGone" }])
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  const abortAt = Effect.fnUntraced(function* (times: number) {
    const emulator = yield* OssEmulator.OssEmulator
    yield* inject(
      Fault.answer({
        operation: "uploadPart",
        partNumber: 4,
        status: 404,
        code: "NoSuchUpload",
        times
      })
    )
    return emulator
  })

  it.effect("while parts go up starts afresh once, and says why", () =>
    Effect.gen(function* () {
      yield* abortAt(1)
      const events = yield* inTime(collect(requestFor(fiveParts, { concurrency: 1 })))
      assert.strictEqual(events.filter((event) => event._tag === "Restarted").length, 1)
      assert.strictEqual((yield* requests)["initiate"], 2)
      const emulator = yield* OssEmulator.OssEmulator
      const stored = Option.getOrThrow(yield* emulator.object(bucket, key))
      assert.deepStrictEqual(yield* stored.bytes, fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("again and again ends with an error, not in a loop", () =>
    Effect.gen(function* () {
      yield* abortAt(Infinity)
      const error = yield* inTime(Effect.flip(Upload.upload(requestFor(fiveParts))))
      assert.strictEqual(reasonOf(error), "NoSuchUpload")
      assert.strictEqual((yield* requests)["initiate"], 2)
    }).pipe(Effect.provide(world))
  )
})
