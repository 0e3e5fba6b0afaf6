/**
 * The contract of `OssClient`, as a list of laws that any test runner can run.
 * Each law is an Effect that needs a client of an empty bucket. It fails with
 * `ContractBroken` if the client breaks the law.
 *
 * **Example** (the whole test of a client of your own)
 *
 * ```ts
 * import * as OssClientContract from "@effect-oss/core/testing/OssClientContract"
 * import { OssEmulator } from "@effect-oss/emulator"
 * import { it } from "@effect/vitest"
 * import { Effect } from "effect"
 *
 * it.effect.each(OssClientContract.laws)("$name", ({ check }) =>
 *   Effect.provide(check, OssEmulator.layerClient())
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Body from "../Body.ts"
import * as Crc64 from "../Crc64.ts"
import { OssClient } from "../OssClient.ts"
import type { OssError } from "../OssError.ts"
import { contentOf, hanging } from "./bytes.ts"
import { brief, ContractBroken, expectEqual } from "./expectations.ts"

/** One law of the contract. */
interface Law {
  /** A sentence about the client. */
  readonly name: string
  /** Needs a client of an empty bucket. */
  readonly check: Effect.Effect<void, ContractBroken | OssError, OssClient>
}

/** The error of a test body that can't be read further. */
class Unreadable extends Data.TaggedError("Unreadable")<{ readonly offset: number }> {}

const key = "backups/db.tar"

/** The size of a part in bytes: OSS requires at least 100 KiB for every part but the last. */
const partSize = 100 * 1024

const expectReason = <A, E extends { readonly _tag: string }>(
  request: Effect.Effect<A, OssError | E, OssClient>,
  expected: OssError["reason"]["_tag"]
): Effect.Effect<void, ContractBroken, OssClient> =>
  Effect.matchEffect(request, {
    onSuccess: (value) => Effect.fail(new ContractBroken({ expected, actual: brief(value) })),
    onFailure: (error) =>
      expectEqual<string>("reason" in error ? error.reason._tag : error._tag, expected)
  })

/** Sends the parts in order, numbered from 1. */
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

const joined = (contents: ReadonlyArray<Uint8Array>): Uint8Array =>
  Uint8Array.from(contents.flatMap((content) => Array.from(content)))

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

const keepsKey = (title: string, key: string): Law => ({
  name: `keeps the key ${title} as it is`,
  check: Effect.gen(function* () {
    const client = yield* OssClient
    const { uploadId } = yield* client.initiate(key)
    const body = Body.fromBytes(contentOf(10))
    const { etag } = yield* client.uploadPart({ key, uploadId, number: 1, body })
    const { parts } = yield* client.listParts({ key, uploadId })
    yield* expectEqual(parts.length, 1)
    const listed = yield* client.listUploads({})
    yield* expectEqual(
      listed.uploads.map((upload) => [upload.key, upload.uploadId]),
      [[key, uploadId]]
    )
    yield* client.complete({ key, uploadId, parts: [{ number: 1, etag }] })
    const { size } = yield* client.head(key)
    yield* expectEqual(size, 10)
  })
})

/** OSS tells whole seconds. */
const inSeconds = (millis: number) => Math.floor(millis / 1000)

/**
 * The contract of `OssClient`.
 *
 * @category laws
 * @since 0.1.0
 */
export const laws: ReadonlyArray<Law> = [
  {
    name: "makes parts an object, with the check sum of the whole",
    check: Effect.gen(function* () {
      const client = yield* OssClient
      const contents = [contentOf(partSize), contentOf(partSize, 2), contentOf(77, 3)]
      const whole = joined(contents)
      const { uploadId } = yield* client.initiate(key)
      const receipts = yield* sendParts(uploadId, contents)
      yield* expectEqual(
        receipts.map(({ crc64 }) => crc64),
        contents.map((content) => Option.some(Crc64.of(content)))
      )
      const receipt = yield* client.complete({ key, uploadId, parts: receipts })
      const { size, etag, crc64 } = yield* client.head(key)
      yield* expectEqual(
        { size, etag, crc64 },
        { size: whole.length, etag: receipt.etag, crc64: Option.some(Crc64.of(whole)) }
      )
      yield* expectEqual(receipt.crc64, crc64)
      yield* expectReason(client.listParts({ key, uploadId }), "NoSuchUpload")
    })
  },
  {
    name: "lists the parts of an upload, from the one after a number on",
    check: Effect.gen(function* () {
      const client = yield* OssClient
      const { uploadId } = yield* client.initiate(key)
      yield* expectEqual(yield* client.listParts({ key, uploadId }), {
        parts: [],
        next: Option.none()
      })
      const contents = numbers(3).map((number) => contentOf(number))
      const receipts = yield* sendParts(uploadId, contents)
      const { parts, next } = yield* client.listParts({ key, uploadId })
      yield* expectEqual(
        parts,
        receipts.map(({ number, etag, crc64 }) => ({ number, size: number, etag, crc64 }))
      )
      yield* expectEqual(next, Option.none())
      const rest = yield* client.listParts({ key, uploadId, after: 2 })
      yield* expectEqual(
        rest.parts.map(({ number }) => number),
        [3]
      )
    })
  },
  {
    name: "replaces a part that is sent again",
    check: Effect.gen(function* () {
      const client = yield* OssClient
      const { uploadId } = yield* client.initiate(key)
      yield* sendParts(uploadId, [contentOf(partSize), contentOf(9)])
      const receipts = yield* sendParts(uploadId, [contentOf(partSize, 7)])
      const { parts } = yield* client.listParts({ key, uploadId })
      yield* expectEqual(parts.length, 2)
      yield* expectEqual(parts[0]?.crc64, receipts[0]?.crc64)
    })
  },
  {
    name: "lists the uploads under way by prefix, with the server's time",
    check: Effect.gen(function* () {
      const client = yield* OssClient
      const keys = ["a b+c&d", "a'b", "a\u0001b", "a中", "b"]
      const ids = yield* Effect.forEach(keys, (key) => client.initiate(key))
      const page = yield* client.listUploads({ prefix: "a" })
      yield* expectEqual(
        new Map(page.uploads.map(({ key, uploadId }) => [key, uploadId])),
        new Map(keys.slice(0, 4).map((key, index) => [key, ids[index]?.uploadId ?? ""]))
      )
      yield* expectEqual(page.next, Option.none())
      // OSS tells whole seconds.
      yield* expectEqual(
        page.uploads.filter(({ initiated }) => initiated > page.serverTime + 999),
        []
      )
      const rest = yield* client.listUploads({ prefix: "a", after: page.uploads[0] })
      yield* expectEqual(rest.uploads, page.uploads.slice(1))
    })
  },
  {
    name: "stores an object with one request, be it empty",
    check: Effect.gen(function* () {
      const client = yield* OssClient
      for (const content of [contentOf(0), contentOf(300_001)]) {
        const receipt = yield* client.put({ key, body: Body.fromBytes(content) })
        yield* expectEqual(receipt.crc64, Option.some(Crc64.of(content)))
        const { size, etag, crc64 } = yield* client.head(key)
        yield* expectEqual(
          { size, etag, crc64 },
          { size: content.length, etag: receipt.etag, crc64: receipt.crc64 }
        )
      }
    })
  },
  {
    name: "reads a body in order and to its end, into as many pieces as it likes",
    check: Effect.gen(function* () {
      const client = yield* OssClient
      const pieces: Array<readonly [number, number]> = []
      const bytes = Body.fromBytes(contentOf(1_000_003))
      const body: Body.Body = {
        ...bytes,
        read: (target, offset) =>
          Effect.map(bytes.read(target, offset), () => {
            if (offset === 0) pieces.length = 0
            pieces.push([offset, target.length])
          })
      }
      const { crc64 } = yield* client.put({ key, body })
      yield* expectEqual(crc64, Option.some(Crc64.of(contentOf(1_000_003))))
      let end = 0
      for (const [offset, length] of pieces) {
        yield* expectEqual(offset, end)
        end = offset + length
      }
      yield* expectEqual(end, 1_000_003)
    })
  },
  {
    name: "does not overwrite where that is forbidden, at either end of an upload",
    check: Effect.gen(function* () {
      const client = yield* OssClient
      const options = { forbidOverwrite: true }
      const { uploadId } = yield* client.initiate(key, options)
      const parts = yield* sendParts(uploadId, [contentOf(10)])
      yield* client.put({ key, body: Body.fromBytes(contentOf(5)), options })
      const put = client.put({ key, body: Body.fromBytes(contentOf(6)), options })
      yield* expectReason(client.initiate(key, options), "AlreadyExists")
      yield* expectReason(client.complete({ key, uploadId, parts, options }), "AlreadyExists")
      yield* expectReason(put, "AlreadyExists")
      const { size } = yield* client.head(key)
      yield* expectEqual(size, 5)
    })
  },
  {
    name: "says what is missing: object, upload, part",
    check: Effect.gen(function* () {
      const client = yield* OssClient
      const { uploadId } = yield* client.initiate(key)
      const [part] = yield* sendParts(uploadId, [contentOf(10)])
      const unknown = { key, uploadId: "unknown" }
      const body = Body.fromBytes(contentOf(10))
      const wrong = { number: 1, etag: '"00000000000000000000000000000000"' }
      const absent = { ...wrong, number: 2 }
      const parts = part === undefined ? [absent] : [part, absent]
      yield* expectReason(client.head("nothing/there"), "NoSuchKey")
      yield* expectReason(client.listParts(unknown), "NoSuchUpload")
      yield* expectReason(client.abort(unknown), "NoSuchUpload")
      yield* expectReason(client.uploadPart({ ...unknown, number: 1, body }), "NoSuchUpload")
      yield* expectReason(client.complete({ key, uploadId, parts: [wrong] }), "InvalidPart")
      yield* expectReason(client.complete({ key, uploadId, parts }), "InvalidPart")
    })
  },
  {
    name: "gives one upload up and leaves another one of the same client alone",
    check: Effect.gen(function* () {
      const client = yield* OssClient
      const doomed = yield* client.initiate(key)
      const other = yield* client.initiate(key)
      const content = contentOf(partSize)
      const sending = yield* Effect.forkChild(sendParts(other.uploadId, [content, content]))
      yield* client.abort({ key, uploadId: doomed.uploadId })
      const parts = yield* Fiber.join(sending)
      yield* client.complete({ key, uploadId: other.uploadId, parts })
      const { size } = yield* client.head(key)
      yield* expectEqual(size, 2 * partSize)
      yield* expectReason(client.listParts({ key, uploadId: doomed.uploadId }), "NoSuchUpload")
    })
  },
  {
    name: "fails with the body's own error, and nothing is stored",
    check: Effect.gen(function* () {
      const client = yield* OssClient
      const { uploadId } = yield* client.initiate(key)
      const body: Body.Body<Unreadable> = {
        size: 1024 * 1024,
        read: (_, offset) => (offset < 500_000 ? Effect.void : new Unreadable({ offset }))
      }
      const tag = yield* client.uploadPart({ key, uploadId, number: 1, body }).pipe(
        Effect.as("success"),
        Effect.catch((error) => Effect.succeed(error._tag))
      )
      yield* expectEqual(tag, "Unreadable")
      const { parts } = yield* client.listParts({ key, uploadId })
      yield* expectEqual(parts, [])
    })
  },
  {
    name: "lists objects by prefix, from the one after a key on",
    check: Effect.gen(function* () {
      const client = yield* OssClient
      yield* expectEqual(yield* client.listObjects({}), {
        objects: [],
        prefixes: [],
        next: Option.none()
      })
      const keys = ["a b+c&d", "a'b", "a/b", "a\u0001b", "a中", "b"]
      const receipts = yield* Effect.forEach(keys, (key, index) =>
        Effect.map(client.put({ key, body: Body.fromBytes(contentOf(index)) }), ({ etag }) => etag)
      )
      const page = yield* client.listObjects({ prefix: "a" })
      yield* expectEqual(
        page.objects.map(({ key }) => key),
        ["a\u0001b", "a b+c&d", "a'b", "a/b", "a中"]
      )
      yield* expectEqual(
        new Map(page.objects.map(({ key, size, etag }) => [key, [size, etag]])),
        new Map(keys.slice(0, 5).map((key, index) => [key, [index, receipts[index]!]]))
      )
      const [first] = page.objects
      if (first !== undefined) {
        const { lastModified = first.lastModified } = yield* client.head(first.key)
        yield* expectEqual(inSeconds(first.lastModified), inSeconds(lastModified))
      }
      yield* expectEqual(page.next, Option.none())
      const rest = yield* client.listObjects({ prefix: "a", after: "a'b" })
      yield* expectEqual(rest.objects, page.objects.slice(3))
    })
  },
  {
    name: "lists a folder at a time where a delimiter says what one is",
    check: Effect.gen(function* () {
      const client = yield* OssClient
      const keys = ["a", "a/b", "a/c/d", "a/c/e", "a/中 +/f", "b/c"]
      yield* Effect.forEach(keys, (key) => client.put({ key, body: Body.fromBytes(contentOf(1)) }))
      const of = (request: { readonly prefix?: string; readonly after?: string }) =>
        Effect.map(client.listObjects({ ...request, delimiter: "/" }), ({ objects, prefixes }) => [
          objects.map(({ key }) => key),
          prefixes
        ])
      yield* expectEqual(yield* of({}), [["a"], ["a/", "b/"]])
      yield* expectEqual(yield* of({ prefix: "a/" }), [["a/b"], ["a/c/", "a/中 +/"]])
      yield* expectEqual(yield* of({ prefix: "a/", after: "a/c/" }), [[], ["a/中 +/"]])
    })
  },
  {
    name: "removes one object, be it there or not",
    check: Effect.gen(function* () {
      const client = yield* OssClient
      for (const key of ["a", "a/", "a/b c+中"]) {
        yield* client.put({ key, body: Body.fromBytes(contentOf(1)) })
      }
      yield* client.delete("a/b c+中")
      yield* client.delete("a/")
      yield* client.delete("a/")
      const { objects } = yield* client.listObjects({})
      yield* expectEqual(
        objects.map(({ key }) => key),
        ["a"]
      )
      yield* expectReason(client.head("a/"), "NoSuchKey")
    })
  },
  {
    name: "no longer reads a body, and stores nothing of it, once it has been interrupted",
    check: Effect.gen(function* () {
      const client = yield* OssClient
      const { uploadId } = yield* client.initiate(key)
      const { body, waits, reads } = yield* hanging(64 * partSize)
      const fiber = yield* Effect.forkChild(client.uploadPart({ key, uploadId, number: 1, body }))
      yield* waits
      yield* Fiber.interrupt(fiber)
      const then = reads()
      const { parts } = yield* client.listParts({ key, uploadId })
      yield* expectEqual(parts, [])
      yield* expectEqual(reads(), then)
    })
  },
  ...[
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
    "a=b;c,d:@$"
  ].map((key) => keepsKey(JSON.stringify(key), key)),
  keepsKey("of 1,023 letters", "k".repeat(1023)),
  keepsKey("of 1,023 bytes in two-byte letters and slashes", "é/".repeat(341))
]
