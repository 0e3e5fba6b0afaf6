/**
 * What every `OssClient` does, whatever is behind it: one suite for the client
 * over HTTP and for the fake.
 */
import { assert, describe, it } from "@effect/vitest"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Data, Effect, Fiber, type Layer, Option } from "effect"
import * as Body from "../../src/Body.ts"
import * as Crc64 from "../../src/Crc64.ts"
import { OssClient } from "../../src/OssClient.ts"
import { untilTrue } from "./OssClientServer.ts"

const key = "backups/db.tar"
const partSize = 100 * 1024

export const contentOf = (size: number, seed = 1): Uint8Array => {
  let state = seed
  return Uint8Array.from({ length: size }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return state >>> 24
  })
}

class Unreadable extends Data.TaggedError("Unreadable")<{ readonly offset: number }> {}

/** Sends all parts one after the other. */
const sendParts = Effect.fnUntraced(function* (
  uploadId: string,
  contents: ReadonlyArray<Uint8Array>
) {
  const client = yield* OssClient
  return yield* Effect.forEach(contents, (content, index) =>
    Effect.map(
      client.uploadPart({ key, uploadId, number: index + 1, body: Body.fromBytes(content) }),
      (receipt) => ({ ...receipt, number: index + 1 })
    )
  )
})

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
    test(
      "makes parts an object, with the check sum of the whole",
      Effect.gen(function* () {
        const client = yield* OssClient
        const contents = [contentOf(partSize), contentOf(partSize, 2), contentOf(77, 3)]
        const whole = Buffer.concat(contents)
        const { uploadId } = yield* client.initiate(key, { meta: { owner: "中文" }, mime: "a/b" })
        const receipts = yield* sendParts(uploadId, contents)
        assert.deepStrictEqual(
          receipts.map(({ crc64 }) => crc64),
          contents.map((content) => Option.some(Crc64.of(content)))
        )
        const receipt = yield* client.complete({ key, uploadId, parts: receipts })
        const { lastModified: _, ...head } = yield* client.head(key)
        assert.deepStrictEqual(head, {
          size: whole.length,
          etag: receipt.etag,
          crc64: Option.some(Crc64.of(whole))
        })
        assert.deepStrictEqual(receipt.crc64, head.crc64)
        const object = yield* stored(key)
        assert.deepStrictEqual(Buffer.from(object.content), whole)
        assert.strictEqual(object.headers["x-oss-meta-owner"], "中文")
        assert.strictEqual(object.headers["content-type"], "a/b")
      })
    )

    test(
      "lists the parts of an upload, page by page",
      Effect.gen(function* () {
        const client = yield* OssClient
        const { uploadId } = yield* client.initiate(key)
        assert.deepStrictEqual(yield* client.listParts({ key, uploadId }), {
          parts: [],
          next: Option.none()
        })
        for (let number = 1; number <= 3; number++) {
          yield* sendParts(
            uploadId,
            Array.from({ length: number }, () => contentOf(number))
          )
          const { parts, next } = yield* client.listParts({ key, uploadId })
          assert.deepStrictEqual(
            parts.map((part) => [part.number, part.size, part.crc64]),
            Array.from({ length: number }, (_, index) => [
              index + 1,
              number,
              Option.some(Crc64.of(contentOf(number)))
            ])
          )
          assert.deepStrictEqual(next, Option.none())
        }
        const rest = yield* client.listParts({ key, uploadId, after: 2 })
        assert.deepStrictEqual(
          rest.parts.map(({ number }) => number),
          [3]
        )
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

    test(
      "lists the uploads under way by prefix, with the server's time",
      Effect.gen(function* () {
        const client = yield* OssClient
        const keys = ["a b+c&d", "a'b", "a\u0001b", "a中", "b"]
        const ids = yield* Effect.forEach(keys, (key) => client.initiate(key))
        const page = yield* client.listUploads({ prefix: "a" })
        assert.deepStrictEqual(
          new Map(page.uploads.map(({ key, uploadId }) => [key, uploadId])),
          new Map(keys.slice(0, 4).map((key, index) => [key, ids[index]?.uploadId ?? ""]))
        )
        assert.deepStrictEqual(page.next, Option.none())
        for (const { initiated } of page.uploads) assert.isAtMost(initiated, page.serverTime + 999)
        const [first] = page.uploads
        const rest = yield* client.listUploads({ prefix: "a", after: first })
        assert.deepStrictEqual(rest.uploads, page.uploads.slice(1))
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
      "stores an object with one request, be it empty",
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

    test(
      "does not overwrite where that is forbidden, at either end of an upload",
      Effect.gen(function* () {
        const client = yield* OssClient
        const options = { forbidOverwrite: true }
        const { uploadId } = yield* client.initiate(key, options)
        const parts = yield* sendParts(uploadId, [contentOf(10)])
        yield* client.put({ key, body: Body.fromBytes(contentOf(5)), options })
        const refused = [
          Effect.asVoid(client.initiate(key, options)),
          Effect.asVoid(client.complete({ key, uploadId, parts, options })),
          Effect.asVoid(client.put({ key, body: Body.fromBytes(contentOf(6)), options }))
        ]
        const reasons = yield* Effect.forEach(refused, (refused) =>
          Effect.map(Effect.flip(refused), ({ reason }) => reason._tag)
        )
        assert.deepStrictEqual(reasons, ["AlreadyExists", "AlreadyExists", "AlreadyExists"])
        assert.strictEqual((yield* client.head(key)).size, 5)
      })
    )

    test(
      "says what is missing: object, upload, part",
      Effect.gen(function* () {
        const client = yield* OssClient
        const { uploadId } = yield* client.initiate(key)
        const [part] = yield* sendParts(uploadId, [contentOf(10)])
        const wrong = { number: 1, etag: '"00000000000000000000000000000000"' }
        const missing = {
          head: client.head("nothing/there"),
          listParts: client.listParts({ key, uploadId: "unknown" }),
          abort: client.abort({ key, uploadId: "unknown" }),
          uploadPart: client.uploadPart({
            key,
            uploadId: "unknown",
            number: 1,
            body: Body.fromBytes(contentOf(10))
          }),
          wrongTag: client.complete({ key, uploadId, parts: [wrong] }),
          noPart: client.complete({
            key,
            uploadId,
            parts: part ? [part, { ...part, number: 2 }] : []
          })
        }
        const reasons = yield* Effect.forEach(Object.entries(missing), ([name, call]) =>
          Effect.map(Effect.flip(Effect.asVoid(call)), ({ reason }) => [name, reason._tag])
        )
        assert.deepStrictEqual(reasons, [
          ["head", "NoSuchKey"],
          ["listParts", "NoSuchUpload"],
          ["abort", "NoSuchUpload"],
          ["uploadPart", "NoSuchUpload"],
          ["wrongTag", "InvalidPart"],
          ["noPart", "InvalidPart"]
        ])
      })
    )

    test(
      "gives one upload up and leaves another one of the same client alone",
      Effect.gen(function* () {
        const client = yield* OssClient
        const doomed = yield* client.initiate(key)
        const other = yield* client.initiate(key)
        const content = contentOf(partSize)
        const sending = yield* Effect.forkChild(sendParts(other.uploadId, [content, content]))
        yield* client.abort({ key, uploadId: doomed.uploadId })
        const parts = yield* Fiber.join(sending)
        yield* client.complete({ key, uploadId: other.uploadId, parts })
        assert.strictEqual((yield* client.head(key)).size, 2 * partSize)
        const gone = yield* Effect.flip(client.listParts({ key, uploadId: doomed.uploadId }))
        assert.strictEqual(gone.reason._tag, "NoSuchUpload")
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

    test(
      "fails with the body's own error, and nothing is stored",
      Effect.gen(function* () {
        const client = yield* OssClient
        const { uploadId } = yield* client.initiate(key)
        const body: Body.Body<Unreadable> = {
          size: 1024 * 1024,
          read: (_, offset) => (offset < 500_000 ? Effect.void : new Unreadable({ offset }))
        }
        const error = yield* Effect.flip(client.uploadPart({ key, uploadId, number: 1, body }))
        assert.strictEqual(error._tag, "Unreadable")
        yield* settled
        assert.deepStrictEqual((yield* client.listParts({ key, uploadId })).parts, [])
      })
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
        const body = Body.tap(Body.fromBytes(contentOf(size)), () => reads++)
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

    const keys = [
      "a b",
      "a+b",
      "a%2Fb%",
      "a?b#c",
      "a'b(c)*!~",
      'a"b<c>&',
      "a\\b",
      "a\tb",
      "a//b/",
      "中文/é😀",
      " a ",
      "...",
      "a=b;c,d:@$",
      // As long as OSS takes them.
      "k".repeat(1023),
      "é/".repeat(341)
    ]
    const titled = keys.map((key) => [key.slice(0, 20), key] as const)
    it.effect.each(titled)("keeps the key %j as it is", ([, key]) =>
      Effect.gen(function* () {
        const client = yield* OssClient
        const { uploadId } = yield* client.initiate(key)
        const body = Body.fromBytes(contentOf(10))
        const { etag } = yield* client.uploadPart({ key, uploadId, number: 1, body })
        assert.strictEqual((yield* client.listParts({ key, uploadId })).parts.length, 1)
        yield* client.complete({ key, uploadId, parts: [{ number: 1, etag }] })
        assert.strictEqual((yield* client.head(key)).size, 10)
        assert.strictEqual((yield* stored(key)).key, key)
      }).pipe(Effect.provide(layer))
    )
  })
}
