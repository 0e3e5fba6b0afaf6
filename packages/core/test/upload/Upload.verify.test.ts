import { assert, describe, it } from "@effect/vitest"
import { OssClient, OssError, RetryPolicy, Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Option } from "effect"
import {
  assertWhole,
  bucket,
  contentOf,
  fiveParts,
  inTime,
  inject,
  key,
  partsSent,
  pending,
  reasonOf,
  requestFor,
  requests,
  world
} from "../support/world.ts"

describe("CRC64", () => {
  it.effect(
    "of a part that is wrong each time is a ChecksumMismatch, and the checkpoint stays",
    () =>
      Effect.gen(function* () {
        yield* inject(Fault.wrongCrc({ operation: "uploadPart", partNumber: 2, times: Infinity }))
        const error = yield* inTime(Effect.flip(Upload.upload(requestFor(fiveParts))))
        assert.strictEqual(reasonOf(error), "ChecksumMismatch")
        assert.deepInclude(error, { _tag: "OssError", key, partNumber: 2 })
        assert.strictEqual((yield* partsSent).filter((number) => number === 2).length, 5)
        const left = yield* pending
        assert.strictEqual(left.length, 1)
      }).pipe(Effect.provide(world))
  )

  it.effect(
    "of the whole that is wrong is a ChecksumMismatch, the checkpoint stays, and the next run starts afresh",
    () =>
      Effect.gen(function* () {
        const emulator = yield* OssEmulator.OssEmulator
        yield* inject(Fault.wrongCrc({ operation: "complete" }))
        const error = yield* Effect.flip(Upload.upload(requestFor(fiveParts)))
        assert.strictEqual(reasonOf(error), "ChecksumMismatch")
        assert.deepInclude(error, { _tag: "OssError", key })
        assert.notProperty(error, "partNumber")
        assert.strictEqual((yield* pending).length, 1)
        yield* emulator.deleteObject(bucket, key)
        yield* inTime(Upload.upload(requestFor(fiveParts)))
        yield* assertWhole(fiveParts)
      }).pipe(Effect.provide(world))
  )

  const sizes = [
    ["a part", fiveParts],
    ["a small file", contentOf(100)]
  ] as const
  it.effect.each(sizes)(
    "of %s is that of one reading, though the client reads it twice",
    ([, content]) =>
      Effect.gen(function* () {
        const client = yield* OssClient.OssClient
        const readTwice = OssClient.OssClient.of({
          ...client,
          put: (put) =>
            Effect.andThen(put.body.read(new Uint8Array(put.body.size), 0), client.put(put)),
          uploadPart: (part) =>
            Effect.andThen(
              part.body.read(new Uint8Array(part.body.size), 0),
              client.uploadPart(part)
            )
        })
        const request = requestFor(content, { retry: RetryPolicy.never })
        const upload = Effect.provideService(Upload.upload(request), OssClient.OssClient, readTwice)
        assert.isTrue((yield* upload).verified)
        yield* assertWhole(content)
      }).pipe(Effect.provide(world))
  )

  it.effect("of the whole catches a part that was damaged where parts' answers carry none", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const tellsNoCrc64 = OssClient.OssClient.of({
        ...client,
        uploadPart: (part) =>
          Effect.map(client.uploadPart(part), ({ etag }) => ({ etag, crc64: Option.none() }))
      })
      yield* inject(Fault.damage({ operation: "uploadPart", partNumber: 2 }))
      const error = yield* Upload.upload(requestFor(fiveParts)).pipe(
        Effect.provideService(OssClient.OssClient, tellsNoCrc64),
        Effect.flip
      )
      assert.strictEqual(reasonOf(error), "ChecksumMismatch")
      assert.deepInclude(error, { _tag: "OssError", key })
    }).pipe(Effect.provide(world))
  )

  it.effect(
    "is asked for again where the answer carries none, and the result says whether any came",
    () =>
      Effect.gen(function* () {
        const emulator = yield* OssEmulator.OssEmulator
        yield* inject(Fault.noCrc({ operation: "put" }), Fault.noCrc({ operation: "head" }))
        const small = contentOf(10)
        const result = yield* Upload.upload(requestFor(small))
        assert.isFalse(result.verified)
        yield* emulator.clearFaults
        yield* inject(Fault.noCrc({ operation: "put" }))
        assert.isTrue((yield* Upload.upload(requestFor(small))).verified)
      }).pipe(Effect.provide(world))
  )

  it.effect(
    "of an object of parts is asked for again too, and the result says whether any came",
    () =>
      Effect.gen(function* () {
        yield* inject(
          Fault.noCrc({ operation: "complete", times: 2 }),
          Fault.noCrc({ operation: "head" })
        )
        assert.isFalse((yield* Upload.upload(requestFor(fiveParts))).verified)
        assert.isTrue((yield* Upload.upload(requestFor(fiveParts))).verified)
        yield* assertWhole(fiveParts)
      }).pipe(Effect.provide(world))
  )

  it.effect("shows that a small object was damaged on the way, and it is sent again", () =>
    Effect.gen(function* () {
      yield* inject(Fault.damage({ operation: "put" }))
      yield* inTime(Upload.upload(requestFor(contentOf(10))))
      assert.strictEqual((yield* requests)["put"], 2)
      yield* assertWhole(contentOf(10))
    }).pipe(Effect.provide(world))
  )

  it.effect("of a small object that is wrong is sent again, then a ChecksumMismatch", () =>
    Effect.gen(function* () {
      yield* inject(Fault.wrongCrc({ operation: "put" }))
      yield* inTime(Upload.upload(requestFor(contentOf(10))))
      assert.strictEqual((yield* requests)["put"], 2)
      yield* inject(Fault.wrongCrc({ operation: "put", times: Infinity }))
      const error = yield* inTime(Effect.flip(Upload.upload(requestFor(contentOf(10)))))
      assert.strictEqual(reasonOf(error), "ChecksumMismatch")
    }).pipe(Effect.provide(world))
  )
})

describe("an endpoint that tells no CRC64", () => {
  /** No response carries a CRC64, and HEAD says what the test wants. */
  const telling = (head: (key: string) => ReturnType<OssClient.OssClient["Service"]["head"]>) =>
    Effect.map(OssClient.OssClient, (client) =>
      OssClient.OssClient.of({
        ...client,
        uploadPart: (part) =>
          Effect.map(client.uploadPart(part), (receipt) => ({ ...receipt, crc64: Option.none() })),
        complete: (request) =>
          Effect.map(client.complete(request), (receipt) => ({ ...receipt, crc64: Option.none() })),
        head
      })
    )
  const noSuchKey = new OssError.OssError({
    operation: "head",
    bucket,
    key,
    reason: new OssError.NoSuchKey()
  })
  const denied = new OssError.OssError({
    operation: "head",
    bucket,
    key,
    reason: new OssError.AccessDenied({ description: "no" })
  })
  const uploading = (head: Parameters<typeof telling>[0]) =>
    Effect.flatMap(telling(head), (client) =>
      inTime(
        Upload.upload(requestFor(fiveParts)).pipe(
          Effect.provideService(OssClient.OssClient, client)
        )
      )
    )

  it.effect("is believed if HEAD shows the object, or may not be asked: nothing is verified", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const told = (weak: string) => (key: string) =>
        Effect.map(client.head(key), (head) => ({
          ...head,
          etag: `${weak}${head.etag}`,
          crc64: Option.none()
        }))
      assert.isFalse((yield* uploading(told(""))).verified)
      assert.isFalse((yield* uploading(told("W/"))).verified)
      assert.isFalse((yield* uploading(() => Effect.fail(denied))).verified)
    }).pipe(Effect.provide(world))
  )

  it.effect("is not believed while HEAD has no answer", () =>
    Effect.gen(function* () {
      const away = new OssError.Transport({ description: "no route to host" })
      const failed = new OssError.OssError({ operation: "head", bucket, key, reason: away })
      const error = yield* Effect.flip(uploading(() => Effect.fail(failed)))
      assert.strictEqual(reasonOf(error), "Transport")
      // The next run carries on.
      assert.strictEqual((yield* pending).length, 1)
    }).pipe(Effect.provide(world))
  )

  it.effect.each([
    ["another size", Effect.succeed({ size: 7, etag: '"e"', crc64: Option.none() })],
    [
      "an object of the same size that was there before",
      Effect.succeed({ size: fiveParts.length, etag: '"e"', crc64: Option.none() })
    ],
    ["no object", Effect.fail(noSuchKey)]
  ] as const)("is not believed if HEAD shows %s", ([_, head]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(uploading(() => head))
      assert.strictEqual(reasonOf(error), "UnreadableResponse")
      // The next run carries on.
      assert.strictEqual((yield* pending).length, 1)
    }).pipe(Effect.provide(world))
  )
})
