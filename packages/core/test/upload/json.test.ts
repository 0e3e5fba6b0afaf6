import { assert, describe, it } from "@effect/vitest"
import { OssError, Upload, UploadEvent, UploadMany } from "@effect-oss/core"
import { Fault } from "@effect-oss/emulator"
import { Effect, Schema, Stream } from "effect"
import { collect, fiveParts, inTime, inject, requestFor, world } from "../support/world.ts"

const parsed = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Unknown))

describe("a result", () => {
  it.effect("is written by JSON.stringify, with its CRC64 as digits, and read again", () =>
    Effect.gen(function* () {
      const result = yield* Upload.upload(requestFor(fiveParts))
      const json = parsed(JSON.stringify(result))
      assert.deepStrictEqual(json, { ...result, crc64: String(result.crc64) })
      const decode = Schema.decodeUnknownEffect(UploadEvent.UploadResultJson)
      assert.deepStrictEqual(yield* decode(json), result)
      const encode = Schema.encodeEffect(UploadEvent.UploadResultJson)
      assert.deepStrictEqual(yield* encode(result), json)
    }).pipe(Effect.provide(world))
  )

  it.effect("is written so within Completed, and if nothing had to be sent", () =>
    Effect.gen(function* () {
      const request = { ...requestFor(fiveParts), skipIdentical: true }
      yield* Upload.upload(request)
      const last = (yield* collect(request)).at(-1)
      const json = parsed(JSON.stringify(last))
      assert.deepNestedInclude(json, { "result.skipped": true })
      assert.match(JSON.stringify(last), /"crc64":"\d+"/)
      const many = yield* Stream.runCollect(UploadMany.uploadAll([requestFor(fiveParts)]))
      assert.match(
        JSON.stringify(many.map((outcome) => outcome._tag === "Completed" && outcome.result)),
        /"crc64":"\d+"/
      )
    }).pipe(Effect.provide(world))
  )

  it.effect("comes out of a stream of events that is looked at on the way", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const result = yield* Upload.events(requestFor(fiveParts)).pipe(
        Stream.tap(({ _tag }) => Effect.sync(() => seen.push(_tag))),
        Upload.result
      )
      assert.strictEqual(seen.at(-1), "Completed")
      assert.strictEqual(result.size, fiveParts.length)
      const none = Upload.events(requestFor(fiveParts)).pipe(Stream.take(1), Upload.result)
      assert.match(String(yield* Effect.sandbox(none).pipe(Effect.flip)), /without Completed/)
    }).pipe(Effect.provide(world))
  )
})

describe("events", () => {
  it.effect("have a codec of JSON, reasons of errors included", () =>
    Effect.gen(function* () {
      yield* inject(Fault.wrongCrc({ operation: "uploadPart" }))
      const events = yield* inTime(collect(requestFor(fiveParts)))
      const codec = Schema.fromJsonString(UploadEvent.UploadEventJson)
      const texts = events.map((event) => Schema.encodeSync(codec)(event))
      assert.isTrue(texts.some((text) => text.includes(`"_tag":"ChecksumMismatch"`)))
      assert.deepStrictEqual(
        texts.map((text) => Schema.decodeSync(codec)(text)._tag),
        events.map(({ _tag }) => _tag)
      )
      for (const event of events) assert.doesNotThrow(() => JSON.stringify(event))
    }).pipe(Effect.provide(world))
  )

  it("have reasons that JSON.stringify writes", () => {
    const reason = new OssError.ChecksumMismatch({ of: "part", expected: 1n, actual: 2n ** 63n })
    assert.strictEqual(
      JSON.stringify(reason),
      `{"_tag":"ChecksumMismatch","of":"part","expected":"1","actual":"9223372036854775808"}`
    )
  })
})
