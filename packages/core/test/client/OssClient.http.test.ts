import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Data,
  Effect,
  Exit,
  Fiber,
  Layer,
  Logger,
  Option,
  Redacted,
  Ref,
  References,
  Tracer
} from "effect"
import { HttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import { inspect } from "node:util"
import * as Body from "../../src/Body.ts"
import type { OssClient } from "../../src/OssClient.ts"
import type { OssError } from "../../src/OssError.ts"
import {
  type Answerer,
  clientTo,
  fixedKeys,
  type Reply,
  serve,
  until
} from "../support/OssClientServer.ts"

type Client = OssClient["Service"]

const etag = '"0123456789ABCDEF"'
const stored: Reply = { headers: { ETag: etag, "x-oss-hash-crc64ecma": "42" } }
const MiB = 1024 * 1024

const refusal = (status: number, code: string, headers = {}): Reply => ({
  status,
  headers: { "x-oss-request-id": "5F0", ...headers },
  body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>what ${code} means</Message><RequestId>5F0</RequestId></Error>`
})

const keepAlive = NodeHttpClient.layerNodeHttpOptions({ keepAlive: true })

const part = <E = never>(body: Body.Body<E>, number = 1) => ({
  key: "k",
  uploadId: "U",
  number,
  body
})
const bytes = (size: number) => Body.fromBytes(new Uint8Array(size))

/** A body that counts how often it is read. */
const counted = (size: number) => {
  let reads = 0
  const body = Body.tap(bytes(size), () => reads++)
  return { body, reads: () => reads }
}

const against = Effect.fnUntraced(function* (answer: Answerer, when?: "whole" | "arrival") {
  const server = yield* serve(answer, when)
  return { server, client: yield* clientTo(server.url) }
})

/** Its second piece never comes. */
const hanging: Body.Body = {
  size: MiB,
  read: (_, offset) => (offset === 0 ? Effect.void : Effect.never)
}

const headRefusal = (status: number, code?: string): Reply => ({
  status,
  headers:
    code === undefined
      ? {}
      : { "x-oss-err": Buffer.from(refusal(status, code).body ?? "").toString("base64") }
})

const listed = (numbers: ReadonlyArray<number>, more = "") =>
  `<ListPartsResult><IsTruncated>${more === "" ? "false" : "true"}</IsTruncated>${more}${numbers
    .map(
      (n) =>
        `<Part><PartNumber>${n}</PartNumber><ETag>${etag}</ETag><Size>${n * 10}</Size><HashCrc64ecma>18446744073709551615</HashCrc64ecma></Part>`
    )
    .join("")}</ListPartsResult>`

/** What each method fails with, given one and the same answer to all. */
const verbs = (client: Client): Readonly<Record<string, Effect.Effect<unknown, OssError>>> => ({
  initiate: client.initiate("k"),
  uploadPart: client.uploadPart(part(bytes(10))),
  listParts: client.listParts({ key: "k", uploadId: "U" }),
  complete: client.complete({ key: "k", uploadId: "U", parts: [{ number: 1, etag }] }),
  abort: client.abort({ key: "k", uploadId: "U" }),
  listUploads: client.listUploads({}),
  head: client.head("k"),
  put: client.put({ key: "k", body: bytes(10) })
})

describe("a refusal", () => {
  const table: ReadonlyArray<readonly [number, string, string]> = [
    [404, "NoSuchUpload", "NoSuchUpload"],
    [404, "NoSuchBucket", "NoSuchBucket"],
    [404, "NoSuchKey", "NoSuchKey"],
    [400, "InvalidPart", "InvalidPart"],
    [400, "InvalidPartOrder", "InvalidPart"],
    [409, "FileAlreadyExists", "AlreadyExists"],
    [203, "CallbackFailed", "CallbackFailed"],
    [403, "SecurityTokenExpired", "CredentialsExpired"],
    [403, "RequestTimeTooSkewed", "ClockSkew"],
    [400, "RequestTimeout", "ServerError"],
    [400, "InvalidDigest", "Transport"],
    [503, "ServiceUnavailable", "Throttled"],
    [503, "QpsLimitExceeded", "Throttled"],
    [500, "InternalError", "ServerError"],
    [403, "AccessDenied", "AccessDenied"],
    [403, "SignatureDoesNotMatch", "AccessDenied"],
    [400, "EntityTooSmall", "Rejected"]
  ]
  it.effect.each(table)(
    "%d %s has the reason %s, with all that OSS told",
    ([status, code, reason]) =>
      Effect.gen(function* () {
        const { client } = yield* against(() => refusal(status, code))
        const error = yield* Effect.flip(client.uploadPart(part(bytes(10), 3)))
        assert.deepInclude(error, {
          _tag: "OssError",
          operation: "uploadPart",
          bucket: "bucket",
          key: "k",
          partNumber: 3,
          status,
          code,
          requestId: "5F0"
        })
        assert.strictEqual(error.reason._tag, reason)
      })
  )

  it.effect("tells what OSS's message says", () =>
    Effect.gen(function* () {
      const { client } = yield* against(() => refusal(403, "AccessDenied"))
      const error = yield* Effect.flip(client.initiate("k"))
      assert.include(error.message, "what AccessDenied means")
    })
  )

  const heads: ReadonlyArray<readonly [number, string | undefined, string]> = [
    [404, undefined, "NoSuchKey"],
    [404, "NoSuchKey", "NoSuchKey"],
    [404, "NoSuchBucket", "NoSuchBucket"],
    [403, "SignatureDoesNotMatch", "AccessDenied"],
    [403, undefined, "AccessDenied"],
    [503, undefined, "Throttled"]
  ]
  it.effect.each(heads)("to HEAD, %d with %s in a header, is %s", ([status, code, reason]) =>
    Effect.gen(function* () {
      const { client } = yield* against(() => headRefusal(status, code))
      const error = yield* Effect.flip(client.head("k"))
      assert.deepStrictEqual([error.reason._tag, error.code], [reason, code])
    })
  )

  it.effect("of 404 without a body is not taken for a missing object, except by HEAD", () =>
    Effect.gen(function* () {
      const { client } = yield* against(() => ({ status: 404 }))
      const reasons = yield* Effect.forEach(Object.entries(verbs(client)), ([name, verb]) =>
        Effect.map(Effect.flip(verb), (error) => [name, error.reason._tag, error.code])
      )
      assert.deepStrictEqual(
        reasons.filter(([, reason]) => reason !== "Rejected"),
        [["head", "NoSuchKey", undefined]]
      )
    })
  )

  it.effect("by a proxy's page is a server error that doesn't repeat the page", () =>
    Effect.gen(function* () {
      const page = "<html><head><title>502 Bad Gateway</title></head><body><hr>nginx</html>"
      const { client } = yield* against(() => ({ status: 502, body: page }))
      const error = yield* Effect.flip(client.initiate("k"))
      assert.deepStrictEqual(
        [error.reason._tag, error.status, error.code],
        ["ServerError", 502, undefined]
      )
      assert.notInclude(error.message, "nginx")
    })
  )

  it.effect("that asks to wait gives the wait in milliseconds", () =>
    Effect.gen(function* () {
      const date = "Sun, 22 Nov 2026 10:00:00 GMT"
      const waits = [
        { "retry-after": "7" },
        { "retry-after": "Sun, 22 Nov 2026 10:00:09 GMT", date },
        { "retry-after": "soon" },
        {}
      ]
      const { client } = yield* against((_, __, count) =>
        refusal(503, "ServiceUnavailable", waits[count - 1])
      )
      const reasons = yield* Effect.forEach(waits, () => Effect.flip(client.initiate("k")))
      assert.deepStrictEqual(
        reasons.map(({ reason }) => reason._tag === "Throttled" && reason.retryAfter),
        [7000, 9000, undefined, undefined]
      )
    })
  )

  it.effect("of the callback comes after the object is stored", () =>
    Effect.gen(function* () {
      const { client } = yield* against((_, __, count) =>
        count === 1 ? refusal(203, "CallbackFailed") : { ...stored, body: "thanks, not JSON" }
      )
      const complete = client.complete({
        key: "k",
        uploadId: "U",
        parts: [{ number: 1, etag }],
        options: { callback: { url: "http://a.test", body: "x" } }
      })
      assert.strictEqual((yield* Effect.flip(complete)).reason._tag, "CallbackFailed")
      assert.strictEqual((yield* complete).etag, etag)
    })
  )
})

describe("an answer of success", () => {
  const broken: ReadonlyArray<readonly [string, string]> = [
    ["nothing", ""],
    ["cut-off XML", "<?xml version='1.0'?><ListPartsResult><IsTruncated>fal"],
    ["other XML", "<hello/>"],
    ["no XML", "OK"]
  ]
  it.effect.each(broken)("that has %s in place of XML is unreadable", ([, body]) =>
    Effect.gen(function* () {
      const { client } = yield* against(() => ({ ...stored, body }))
      const { initiate, listParts, complete, listUploads } = verbs(client)
      const verbsWithXml = [initiate, listParts, complete, listUploads].map(
        (verb) => verb ?? Effect.void
      )
      const errors = yield* Effect.forEach(verbsWithXml, (verb) => Effect.flip(verb))
      assert.deepStrictEqual(
        errors.map((error) => (error as OssError).reason._tag),
        ["UnreadableResponse", "UnreadableResponse", "UnreadableResponse", "UnreadableResponse"]
      )
    })
  )

  it.effect("without an ETag is unreadable", () =>
    Effect.gen(function* () {
      const { client } = yield* against(() => ({ status: 200 }))
      for (const verb of [
        client.uploadPart(part(bytes(1))),
        client.put({ key: "k", body: bytes(1) }),
        client.head("k")
      ]) {
        assert.strictEqual((yield* Effect.flip(verb)).reason._tag, "UnreadableResponse")
      }
    })
  )

  it.effect("with a CRC64 that is no number is unreadable", () =>
    Effect.gen(function* () {
      const { client } = yield* against(() => ({
        headers: { etag, "x-oss-hash-crc64ecma": "0x1g" }
      }))
      const error = yield* Effect.flip(client.uploadPart(part(bytes(1))))
      assert.strictEqual(error.reason._tag, "UnreadableResponse")
    })
  )

  it.effect("may lack a CRC64", () =>
    Effect.gen(function* () {
      const { client } = yield* against(() => ({ headers: { etag } }))
      const receipt = yield* client.uploadPart(part(bytes(1)))
      assert.deepStrictEqual(receipt, { etag, crc64: Option.none() })
    })
  )

  it.effect.each([[0], [1], [2]])("lists %d parts as a list", ([count]) =>
    Effect.gen(function* () {
      const numbers = Array.from({ length: count ?? 0 }, (_, index) => index + 1)
      const { client } = yield* against(() => ({ body: listed(numbers) }))
      const page = yield* client.listParts({ key: "k", uploadId: "U" })
      assert.deepStrictEqual(page, {
        parts: numbers.map((number) => ({
          number,
          size: number * 10,
          etag,
          crc64: Option.some(18446744073709551615n)
        })),
        next: Option.none()
      })
    })
  )

  it.effect("says where the list of parts goes on, and never asks from part 0", () =>
    Effect.gen(function* () {
      const { client, server } = yield* against((_, __, count) => ({
        body: listed([count], "<NextPartNumberMarker>1</NextPartNumberMarker>")
      }))
      const page = yield* client.listParts({ key: "k", uploadId: "U", after: 0 })
      assert.deepStrictEqual(page.next, Option.some(1))
      const stuck = yield* Effect.flip(client.listParts({ key: "k", uploadId: "U", after: 1 }))
      assert.strictEqual(stuck.reason._tag, "UnreadableResponse")
      assert.deepStrictEqual(
        server.requests.map(({ url }) => url),
        ["/k?uploadId=U", "/k?part-number-marker=1&uploadId=U"]
      )
    })
  )

  it.effect("lists uploads whose keys XML can't express", () =>
    Effect.gen(function* () {
      const date = "Sun, 22 Nov 2026 10:00:00 GMT"
      const { client, server } = yield* against(() => ({
        headers: { date },
        body: `<ListMultipartUploadsResult><EncodingType>url</EncodingType><NextKeyMarker>a%01%2B</NextKeyMarker><NextUploadIdMarker>U2</NextUploadIdMarker><IsTruncated>true</IsTruncated><Upload><Key>a%01%2B%20+b</Key><UploadId>U1</UploadId><Initiated>2026-11-22T09:00:00.000Z</Initiated></Upload></ListMultipartUploadsResult>`
      }))
      const page = yield* client.listUploads({
        prefix: "a'+&",
        after: { key: "a\u0001", uploadId: "U0" }
      })
      assert.deepStrictEqual(page, {
        uploads: [
          { key: "a\u0001+  b", uploadId: "U1", initiated: Date.parse("2026-11-22T09:00:00Z") }
        ],
        next: Option.some({ key: "a\u0001+", uploadId: "U2" }),
        serverTime: Date.parse(date)
      })
      const { searchParams } = new URL(server.requests[0]?.url ?? "", server.url)
      assert.deepStrictEqual(
        ["prefix", "key-marker", "upload-id-marker"].map((name) => searchParams.get(name)),
        ["a'+&", "a\u0001", "U0"]
      )
    })
  )
})

describe("a request", () => {
  const addresses = [
    [{}, "bucket.oss-cn-hangzhou.aliyuncs.com", "/k?uploads=", "cn-hangzhou"],
    [
      { region: "eu-central-1" },
      "bucket.oss-eu-central-1.aliyuncs.com",
      "/k?uploads=",
      "eu-central-1"
    ],
    [{ pathStyle: true, region: "oss-cn-beijing" }, "127.0.0.1", "/bucket/k?uploads=", "cn-beijing"]
  ] as const
  it.effect.each(addresses)("names bucket, key and region: %o", ([options, host, path, region]) =>
    Effect.gen(function* () {
      const server = yield* serve(() => ({ body: "<R><UploadId>U</UploadId></R>" }))
      const client = yield* clientTo(server.url, options)
      yield* client.initiate("k")
      const [request] = server.requests
      assert.deepStrictEqual(
        [request?.headers.host?.replace(/:\d+$/, ""), request?.url],
        [host, path]
      )
      assert.include(request?.headers.authorization, `/${region}/oss/aliyun_v4_request`)
    })
  )

  it.effect("guesses the Content-Type from the key unless it is given", () =>
    Effect.gen(function* () {
      const { client, server } = yield* against(() => stored)
      const options = [{}, { mime: "a/b" }, { headers: { "Content-Type": "c/d" } }]
      yield* Effect.forEach(options, (options) =>
        client.put({ key: "k.json", body: bytes(1), options })
      )
      yield* client.put({ key: "k", body: bytes(1) })
      assert.deepStrictEqual(
        server.requests.map(({ headers }) => headers["content-type"]),
        ["application/json", "a/b", "c/d", undefined]
      )
    })
  )

  it.effect("leaves the options that it was given as they are", () =>
    Effect.gen(function* () {
      const { client } = yield* against(() => stored)
      const options = { headers: { "Cache-Control": "no-cache" }, meta: { a: "1" } }
      const before = structuredClone(options)
      yield* client.put({ key: "k", body: bytes(1), options })
      assert.deepStrictEqual(options, before)
    })
  )

  const unsendable = [
    ["a line break in metadata", { meta: { a: "x\ny" } }],
    ["a reserved header", { headers: { Host: "elsewhere" } }],
    ["a name that is none", { meta: { "a:b": "1" } }]
  ] as const
  it.effect.each(unsendable)("with %s is refused before anything is sent", ([, options]) =>
    Effect.gen(function* () {
      const { client, server } = yield* against(() => stored)
      const error = yield* Effect.flip(client.put({ key: "k", body: bytes(1), options }))
      assert.deepStrictEqual([error.reason._tag, error.status], ["Rejected", undefined])
      assert.strictEqual(server.requests.length, 0)
    })
  )

  it.effect(
    "for a key that can't be carried is refused before anything is sent, by each method",
    () =>
      Effect.gen(function* () {
        const { client, server } = yield* against(() => stored)
        for (const key of ["", "a/../b", "/a"]) {
          const { reason } = yield* Effect.flip(client.put({ key, body: bytes(1) }))
          assert.strictEqual(reason._tag, "Rejected")
        }
        assert.strictEqual(server.requests.length, 0)
      })
  )

  it.effect("that version 1 can't sign is refused before anything is sent", () =>
    Effect.gen(function* () {
      const server = yield* serve(() => stored)
      const client = yield* clientTo(server.url, { signature: "v1" })
      const error = yield* Effect.flip(client.initiate("k", { meta: { a: "voilà" } }))
      assert.include(error.message, "x-oss-meta-a")
      assert.strictEqual(server.requests.length, 0)
    })
  )
})

describe("a connection", () => {
  it.effect("that is kept alive is used again, but not after an early answer", () =>
    Effect.gen(function* () {
      const server = yield* serve(() => stored)
      const client = yield* clientTo(server.url, {}, keepAlive)
      yield* Effect.repeat(client.uploadPart(part(bytes(MiB))), { times: 4 })
      assert.strictEqual(server.accepted(), 1)
      const stubborn = yield* serve(() => refusal(403, "AccessDenied"), "arrival")
      const other = yield* clientTo(stubborn.url, {}, keepAlive)
      const errors = yield* Effect.forEach([1, 2, 3], () =>
        Effect.flip(other.uploadPart(part(bytes(64 * MiB))))
      )
      assert.deepStrictEqual(
        errors.map(({ reason }) => reason._tag),
        ["AccessDenied", "AccessDenied", "AccessDenied"]
      )
      yield* until(() => stubborn.connections() === 0)
    })
  )

  it.effect("that is refused is a transport error that names the address", () =>
    Effect.gen(function* () {
      const client = yield* clientTo("http://127.0.0.1:1")
      const error = yield* Effect.flip(client.uploadPart(part(bytes(MiB))))
      assert.strictEqual(error.reason._tag, "Transport")
      assert.include(error.message, "ECONNREFUSED 127.0.0.1:1")
      assert.isUndefined(error.status)
    })
  )

  it.live("to a host that doesn't exist is a transport error that names the host", () =>
    Effect.gen(function* () {
      const client = yield* clientTo("http://nowhere.invalid", { pathStyle: true })
      const error = yield* Effect.flip(client.head("k"))
      assert.strictEqual(error.reason._tag, "Transport")
      assert.match(error.message, /(ENOTFOUND|EAI_AGAIN) nowhere\.invalid/)
    })
  )

  it.effect("that is reset before the answer is a transport error", () =>
    Effect.gen(function* () {
      const { client } = yield* against((_, response) => void response.socket?.destroy())
      for (const verb of Object.values(verbs(client))) {
        const { reason } = yield* Effect.flip(verb)
        assert.strictEqual(reason._tag, "Transport")
        assert.match(reason._tag === "Transport" ? reason.description : "", /ECONNRESET/)
      }
    })
  )

  it.effect("that breaks in the middle of the answer is a transport error", () =>
    Effect.gen(function* () {
      const { client } = yield* against((_, response) => {
        response.writeHead(200, { "content-length": "1000" }).write("<half")
        setImmediate(() => response.socket?.destroy())
      })
      const error = yield* Effect.flip(client.initiate("k"))
      assert.strictEqual(error.reason._tag, "Transport")
      assert.include(error.message, "the answer broke off")
    })
  )
})

class Unreadable extends Data.TaggedError("Unreadable")<{ readonly offset: number }> {}

describe("a body", () => {
  it.effect("arrives whole, in pieces of at most 256 KiB, with its length", () =>
    Effect.gen(function* () {
      const { client, server } = yield* against(() => stored)
      const pieces: Array<number> = []
      const size = MiB + 1
      const body = Body.tap(bytes(size), (piece) => pieces.push(piece.length))
      yield* client.uploadPart(part(body))
      assert.deepStrictEqual(pieces, [256 * 1024, 256 * 1024, 256 * 1024, 256 * 1024, 1])
      assert.strictEqual(server.requests[0]?.bytes, size)
      assert.strictEqual(server.requests[0]?.headers["content-length"], String(size))
    })
  )

  it.effect("may be empty", () =>
    Effect.gen(function* () {
      const { client, server } = yield* against(() => stored)
      yield* client.put({ key: "k", body: bytes(0) })
      assert.strictEqual(server.requests[0]?.headers["content-length"], "0")
    })
  )

  it.effect.each([[0], [512 * 1024]])(
    "that fails at byte %d fails the request with its own error",
    ([from = 0]) =>
      Effect.gen(function* () {
        const { client, server } = yield* against(() => stored)
        const body: Body.Body<Unreadable> = {
          size: MiB,
          read: (_, offset) => (offset < from ? Effect.void : new Unreadable({ offset }))
        }
        const error = yield* Effect.flip(client.uploadPart(part(body)))
        assert.deepStrictEqual(error, new Unreadable({ offset: from }))
        yield* until(() => server.connections() === 0)
        assert.notInclude(
          server.requests.map(({ state }) => state),
          "whole"
        )
      })
  )

  it.effect("that throws makes the request a defect", () =>
    Effect.gen(function* () {
      const { client } = yield* against(() => stored)
      const body = { size: 10, read: () => Effect.die("bug") }
      const cause = yield* Effect.flip(Effect.sandbox(client.uploadPart(part(body))))
      assert.deepStrictEqual(
        cause.reasons.map((reason) => Cause.isDieReason(reason) && reason.defect),
        ["bug"]
      )
    })
  )

  it.effect("is read no further once OSS has refused it", () =>
    Effect.gen(function* () {
      const { client, server } = yield* against(() => refusal(403, "AccessDenied"), "arrival")
      const { body, reads } = counted(512 * MiB)
      const error = yield* Effect.flip(client.uploadPart(part(body)))
      const readsThen = reads()
      assert.strictEqual(error.reason._tag, "AccessDenied")
      yield* until(() => server.connections() === 0)
      assert.strictEqual(reads(), readsThen)
      assert.isBelow(readsThen, 200)
    })
  )

  it.effect("is read no further once OSS has refused it, even while it hangs", () =>
    Effect.gen(function* () {
      const { client, server } = yield* against(() => refusal(403, "AccessDenied"), "arrival")
      let stopped = false
      const body = {
        size: MiB,
        read: (_: Uint8Array, offset: number) =>
          offset === 0
            ? Effect.void
            : Effect.onInterrupt(Effect.never, () => Effect.sync(() => void (stopped = true)))
      }
      const error = yield* Effect.flip(client.uploadPart(part(body)))
      assert.strictEqual(error.reason._tag, "AccessDenied")
      assert.isTrue(stopped)
      yield* until(() => server.connections() === 0)
    })
  )
})

describe("interruption", () => {
  it.effect(
    "while the body is being read waits for that read, and takes the request off the wire",
    () =>
      Effect.gen(function* () {
        const { client, server } = yield* against(() => stored)
        let reading = 0
        let reads = 0
        const body: Body.Body = {
          size: 64 * MiB,
          read: (_, offset) =>
            Effect.acquireUseRelease(
              Effect.sync(() => (reads++, reading++)),
              () => (offset < 8 * MiB ? Effect.void : Effect.never),
              () => Effect.sync(() => reading--)
            )
        }
        const fiber = yield* Effect.forkChild(client.uploadPart(part(body)))
        yield* until(() => (server.requests[0]?.bytes ?? 0) >= 8 * MiB)
        yield* Fiber.interrupt(fiber)
        const readsThen = reads
        assert.strictEqual(reading, 0)
        yield* until(() => server.connections() === 0)
        assert.strictEqual(server.requests[0]?.state, "aborted")
        assert.strictEqual(reads, readsThen)
      })
  )

  it.effect("while the answer is awaited takes the request off the wire", () =>
    Effect.gen(function* () {
      const { client, server } = yield* against(() => undefined)
      for (const verb of Object.values(verbs(client))) {
        const known = server.requests.length
        const fiber = yield* Effect.forkChild(verb)
        yield* until(() => server.requests[known]?.state === "whole")
        const exit = yield* Effect.andThen(Fiber.interrupt(fiber), Fiber.await(fiber))
        assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
        yield* until(() => server.connections() === 0)
      }
      assert.strictEqual(server.requests.length, 8)
    })
  )

  it.effect("while the answer arrives takes the request off the wire", () =>
    Effect.gen(function* () {
      const { client, server } = yield* against((_, response) => {
        response.writeHead(200, { "content-length": "1000", etag }).write("<half")
      })
      const fiber = yield* Effect.forkChild(client.initiate("k"))
      yield* until(() => server.requests[0]?.state === "whole")
      yield* until(() => server.connections() === 1)
      yield* Fiber.interrupt(fiber)
      yield* until(() => server.connections() === 0)
    })
  )

  it.effect("before anything was sent sends nothing", () =>
    Effect.gen(function* () {
      const { client, server } = yield* against(() => stored)
      const { body, reads } = counted(MiB)
      const fiber = yield* Effect.forkChild(client.uploadPart(part(body)), {
        startImmediately: true
      })
      yield* Fiber.interrupt(fiber)
      yield* until(() => server.connections() === 0)
      assert.deepStrictEqual([server.requests.length, reads()], [0, 0])
    })
  )

  it.effect("of a timeout leaves nothing that is rejected later", () =>
    Effect.gen(function* () {
      const rejections: Array<unknown> = []
      const note = (reason: unknown) => void rejections.push(reason)
      process.on("unhandledRejection", note).on("uncaughtException", note)
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => process.off("unhandledRejection", note).off("uncaughtException", note))
      )
      const { client, server } = yield* against(
        (_, response) => void setImmediate(() => response.socket?.destroy())
      )
      const fibers = yield* Effect.forEach(Object.values(verbs(client)), (verb) =>
        Effect.forkChild(verb)
      )
      yield* until(() => server.requests.length === fibers.length)
      yield* Effect.forEach(fibers, Fiber.interrupt)
      yield* until(() => server.connections() === 0)
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20)))
      assert.deepStrictEqual(rejections, [])
    })
  )

  it.effect("of one upload, and giving it up, leaves another one alone", () =>
    Effect.gen(function* () {
      const { client, server } = yield* against((request) =>
        request.method === "DELETE" ? { status: 204 } : stored
      )
      const { body } = counted(4 * MiB)
      const doomed = yield* Effect.forkChild(client.uploadPart({ ...part(hanging), key: "a" }))
      const other = yield* Effect.forkChild(client.uploadPart({ ...part(body), key: "b" }))
      yield* until(() => server.requests.length === 2)
      yield* Fiber.interrupt(doomed)
      yield* client.abort({ key: "a", uploadId: "U" })
      assert.strictEqual((yield* Fiber.join(other)).etag, etag)
      assert.strictEqual((yield* client.uploadPart({ ...part(bytes(5)), key: "b" })).etag, etag)
    })
  )
})

describe("a clock that is off", () => {
  it.effect(
    "is learnt from the refusal, so that later requests are signed with the server's time",
    () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(Date.parse("2026-11-22T10:00:00Z"))
        const { client, server } = yield* against((_, __, count) =>
          count === 1
            ? refusal(403, "RequestTimeTooSkewed", { date: "Sun, 22 Nov 2026 13:00:00 GMT" })
            : { status: 204 }
        )
        const abort = client.abort({ key: "k", uploadId: "U" })
        const { reason } = yield* Effect.flip(abort)
        assert.deepStrictEqual(reason._tag === "ClockSkew" && reason.offset, 3 * 3_600_000)
        yield* abort
        yield* TestClock.adjust("1 minute")
        yield* abort
        assert.deepStrictEqual(
          server.requests.map(({ headers }) => headers["x-oss-date"]),
          ["20261122T100000Z", "20261122T130000Z", "20261122T130100Z"]
        )
      })
  )
})

class StsDown extends Data.TaggedError("StsDown")<{}> {
  override readonly message = "STS is down"
}

const issue = (n: number) => ({
  accessKeyId: `STS.${n}`,
  accessKeySecret: Redacted.make(`hidden-secret-${n}`),
  securityToken: Redacted.make(`hidden-token-${n}`)
})

describe("temporary keys", () => {
  it.effect(
    "that expire under 20 parallel parts are refreshed once, and the old ones not sent again",
    () =>
      Effect.gen(function* () {
        const server = yield* serve(({ headers }) =>
          headers["x-oss-security-token"] === "hidden-token-1"
            ? refusal(403, "SecurityTokenExpired")
            : stored
        )
        const issued = yield* Ref.make(0)
        const client = yield* clientTo(server.url, {
          credentials: Effect.map(
            Ref.updateAndGet(issued, (n) => n + 1),
            issue
          )
        })
        const numbers = Array.from({ length: 20 }, (_, index) => index + 1)
        const receipts = yield* Effect.forEach(
          numbers,
          (number) =>
            Effect.retry(client.uploadPart(part(bytes(1000), number)), {
              while: (error) => error.reason._tag === "CredentialsExpired",
              times: 1
            }),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(receipts.length, 20)
        assert.strictEqual(yield* Ref.get(issued), 2)
        const tokens = server.requests.map(({ headers }) => headers["x-oss-security-token"])
        assert.strictEqual(tokens.filter((token) => token === "hidden-token-2").length, 20)
      })
  )

  it.effect("that can't be had fail the request, not the program", () =>
    Effect.gen(function* () {
      const { server } = yield* against(() => stored)
      const client = yield* clientTo(server.url, { credentials: new StsDown() })
      const error = yield* Effect.flip(client.head("k"))
      assert.strictEqual(error.reason._tag, "CredentialsExpired")
      assert.include(error.message, "STS is down")
      assert.strictEqual(server.requests.length, 0)
    })
  )

  it.effect(
    "with characters that HTTP can't carry fail before anything is sent, without being shown",
    () =>
      Effect.gen(function* () {
        const { server } = yield* against(() => stored)
        const client = yield* clientTo(server.url, {
          credentials: { ...fixedKeys, securityToken: Redacted.make("hid\nden") }
        })
        const error = yield* Effect.flip(client.head("k"))
        assert.strictEqual(error.reason._tag, "Rejected")
        assert.include(error.message, "x-oss-security-token")
        assert.notInclude(error.message, "hid\nden")
        assert.strictEqual(server.requests.length, 0)
      })
  )
})

describe("secrets", () => {
  it.effect("appear in no error, log or span, whatever goes wrong", () =>
    Effect.gen(function* () {
      const spans: Array<Tracer.NativeSpan> = []
      const lines: Array<unknown> = []
      const observed = Layer.mergeAll(
        Layer.succeed(
          Tracer.Tracer,
          Tracer.make({
            span: (options) => {
              const span = new Tracer.NativeSpan(options)
              spans.push(span)
              return span
            }
          })
        ),
        Logger.layer([
          Logger.make((entry) => void lines.push(entry.message, Cause.pretty(entry.cause)))
        ]),
        Layer.succeed(References.MinimumLogLevel, "All"),
        Layer.succeed(HttpClient.TracerHeaderFilter, () => true)
      )
      const answers: ReadonlyArray<Answerer> = [
        () => stored,
        () => refusal(403, "SignatureDoesNotMatch"),
        () => ({ status: 502, body: "<html>" }),
        () => ({ ...stored, body: "<cut" }),
        (_, response) => void response.socket?.destroy()
      ]
      const exits = yield* Effect.forEach(answers, (answer) =>
        Effect.gen(function* () {
          const server = yield* serve(answer)
          const client = yield* clientTo(server.url, { credentials: issue(1) })
          const failing = client.uploadPart(
            part({ size: 10, read: () => Effect.fail("unreadable") })
          )
          return yield* Effect.forEach([...Object.values(verbs(client)), failing], (verb) =>
            Effect.exit(Effect.tapCause(Effect.asVoid(verb), (cause) => Effect.logError(cause)))
          )
        })
      ).pipe(Effect.provide(observed))
      // What exporters take of a span; the rest are the HTTP client's own objects.
      const exported = spans.map(({ name, attributes, events, status }) => [
        name,
        [...attributes],
        events,
        status._tag === "Ended" && Exit.isFailure(status.exit)
          ? Cause.pretty(status.exit.cause)
          : ""
      ])
      const seen = [exits, lines, exported]
      const text = [
        JSON.stringify(seen, (_, value) => (typeof value === "bigint" ? String(value) : value)),
        inspect(seen, { depth: 20, showHidden: true }),
        ...exits.flat().map((exit) => (Exit.isFailure(exit) ? Cause.pretty(exit.cause) : ""))
      ].join("\n")
      assert.isAbove(spans.length, 80)
      assert.include(text, "http.request.header.authorization")
      assert.notMatch(text, /hidden-(secret|token)|Signature=[0-9a-f]/)
    })
  )
})
