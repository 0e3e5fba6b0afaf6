/**
 * The public contract of clients as tests of this workspace's runner, and what
 * only an emulator can show of a client: the bytes that are stored, faults, and
 * that nothing is left under way.
 */
import { assert, describe, it } from "@effect/vitest"
import * as OssClientContract from "@effect-oss/core/testing/OssClientContract"
import { contentOf } from "../../src/testing/bytes.ts"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Fiber, type Layer, Option } from "effect"
import * as Body from "../../src/Body.ts"
import * as Crc64 from "../../src/Crc64.ts"
import { OssClient } from "../../src/OssClient.ts"
import { untilTrue } from "./OssClientServer.ts"
import * as Bodies from "../../src/internal/body.ts"

const key = "backups/db.tar"
const partSize = 100 * 1024

const stored = Effect.fnUntraced(function* (key: string) {
  const emulator = yield* OssEmulator.OssEmulator
  const client = yield* OssClient
  const object = Option.getOrThrow(yield* emulator.object(client.bucket, key))
  return { ...object, content: yield* object.bytes }
})

/** Nothing is under way any more; over HTTP the server learns that later than the client. */
const settled = Effect.gen(function* () {
  const emulator = yield* OssEmulator.OssEmulator
  yield* untilTrue(Effect.map(emulator.inFlight, (count) => count === 0))
  return yield* emulator.log
})

const keepsLaws = <E>(layer: Layer.Layer<OssClient, E>) =>
  it.effect.each(OssClientContract.laws)("$name", ({ check }) => Effect.provide(check, layer))

/** For a client whose requests are those of another one, signed otherwise. */
export const ossClientLaws = <E>(name: string, layer: Layer.Layer<OssClient, E>): void => {
  describe(name, () => keepsLaws(layer))
}

export const ossClientContract = <E>(
  name: string,
  layer: Layer.Layer<OssClient | OssEmulator.OssEmulator, E>,
  /** Also what takes more than a thousand requests. */
  thorough: boolean
): void => {
  const test = (
    title: string,
    body: Effect.Effect<void, unknown, OssClient | OssEmulator.OssEmulator>
  ) => it.effect(title, () => Effect.provide(body, layer))

  const atLength = thorough ? test : () => undefined

  describe(name, () => {
    keepsLaws(layer)

    test(
      "stores the bytes of all parts, and their metadata",
      Effect.gen(function* () {
        const client = yield* OssClient
        const contents = [contentOf(partSize), contentOf(partSize, 2), contentOf(77, 3)]
        const whole = Buffer.concat(contents)
        const { uploadId } = yield* client.initiate(key, { meta: { owner: "中文" }, mime: "a/b" })
        const parts = yield* Effect.forEach(contents, (content, index) => {
          const number = index + 1
          const body = Body.fromBytes(content)
          return Effect.map(client.uploadPart({ key, uploadId, number, body }), ({ etag }) => ({
            number,
            etag
          }))
        })
        yield* client.complete({ key, uploadId, parts })
        const object = yield* stored(key)
        assert.deepStrictEqual(Buffer.from(object.content), whole)
        assert.strictEqual(object.headers["x-oss-meta-owner"], "中文")
        assert.strictEqual(object.headers["content-type"], "a/b")
      })
    )

    atLength(
      "lists more than a page of parts without losing one",
      Effect.gen(function* () {
        const client = yield* OssClient
        const { uploadId } = yield* client.initiate(key)
        const numbers = Array.from({ length: 1002 }, (_, index) => index + 1)
        const body = Body.fromBytes(contentOf(3))
        yield* Effect.forEach(
          numbers,
          (number) => client.uploadPart({ key, uploadId, number, body }),
          { concurrency: 8, discard: true }
        )
        const first = yield* client.listParts({ key, uploadId })
        assert.deepStrictEqual(first.next, Option.some(1000))
        const second = yield* client.listParts({ key, uploadId, after: 1000 })
        assert.deepStrictEqual(second.next, Option.none())
        assert.deepStrictEqual(
          [...first.parts, ...second.parts].map(({ number }) => number),
          numbers
        )
      })
    )

    atLength(
      "lists more than a page of uploads without losing one",
      Effect.gen(function* () {
        const client = yield* OssClient
        const begun = yield* Effect.forEach(
          Array.from({ length: 1003 }),
          (_, index) => client.initiate(`k${index % 3}`),
          { concurrency: 8 }
        )
        const first = yield* client.listUploads({})
        const second = yield* client.listUploads({ after: Option.getOrThrow(first.next) })
        assert.deepStrictEqual(second.next, Option.none())
        const listed = [...first.uploads, ...second.uploads].map(({ uploadId }) => uploadId)
        assert.deepStrictEqual(listed.toSorted(), begun.map(({ uploadId }) => uploadId).toSorted())
      })
    )

    test(
      "stores the bytes of one request",
      Effect.gen(function* () {
        const client = yield* OssClient
        for (const content of [contentOf(0), contentOf(300_001)]) {
          const body = Body.fromBytes(content)
          const receipt = yield* client.put({ key, body, options: { acl: "private" } })
          assert.deepStrictEqual(receipt.crc64, Option.some(Crc64.of(content)))
          const object = yield* stored(key)
          assert.deepStrictEqual(object.content, content)
          assert.strictEqual(object.etag, receipt.etag)
        }
      })
    )

    const faults = [
      [
        "Throttled",
        Fault.answer({ status: 503, code: "ServiceUnavailable", headers: { "retry-after": "2" } })
      ],
      ["ServerError", Fault.answer({ status: 500, code: "InternalError" })],
      ["AccessDenied", Fault.answer({ status: 403, code: "AccessDenied" })],
      ["CredentialsExpired", Fault.answer({ status: 403, code: "SecurityTokenExpired" })],
      ["ClockSkew", Fault.skew({ millis: 3_600_000 })],
      ["CallbackFailed", Fault.callbackFailed()],
      ["UnreadableResponse", Fault.raw({ body: "<InitiateMultipartUploadResult><Uplo" })],
      ["UnreadableResponse", Fault.raw({ body: "" })],
      ["ServerError", Fault.raw({ body: "<html>Bad Gateway</html>", status: 502 })],
      ["Transport", Fault.drop({ at: "before" })],
      ["Transport", Fault.drop({ at: "after" })]
    ] as const
    it.effect.each(faults)("calls it %s", ([reason, fault]) =>
      Effect.gen(function* () {
        const client = yield* OssClient
        const emulator = yield* OssEmulator.OssEmulator
        yield* emulator.inject(fault)
        const error = yield* Effect.flip(client.initiate(key))
        assert.deepInclude(error, { _tag: "OssError", operation: "initiate", key })
        assert.strictEqual(error.reason._tag, reason)
        if (error.reason._tag === "Throttled") assert.strictEqual(error.reason.retryAfter, 2000)
        // The skew was this request's only: what has been learnt of it is wrong for the next.
        if (reason !== "ClockSkew") yield* client.initiate(key)
      }).pipe(Effect.provide(layer))
    )

    // Small rests: a server that reads no further doesn't notice that its client has gone.
    const moments = [
      ["before the body", "before", 32 * 1024],
      ["in the middle of the body", { bytes: 128 * 1024 }, 160 * 1024],
      ["after the body, before the answer", "after", 1024 * 1024]
    ] as const
    it.effect.each(moments)("leaves nothing under way when it is interrupted %s", ([, at, size]) =>
      Effect.gen(function* () {
        const client = yield* OssClient
        const emulator = yield* OssEmulator.OssEmulator
        const { uploadId } = yield* client.initiate(key)
        yield* emulator.inject(Fault.stall({ operation: "uploadPart", at }))
        let reads = 0
        const body = Bodies.tap(Body.fromBytes(contentOf(size)), () => reads++)
        const fiber = yield* Effect.forkChild(client.uploadPart({ key, uploadId, number: 1, body }))
        const stalled = Effect.map(emulator.log, (log) => log.at(-1)?.outcome._tag === "Stalled")
        yield* untilTrue(stalled)
        yield* Fiber.interrupt(fiber)
        const readsThen = reads
        yield* settled
        assert.strictEqual(reads, readsThen)
        yield* client.uploadPart({ key, uploadId, number: 1, body })
      }).pipe(Effect.provide(layer))
    )
  })
}
