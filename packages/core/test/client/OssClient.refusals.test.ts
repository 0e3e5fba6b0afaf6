import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { OssError } from "../../src/OssError.ts"
import {
  against,
  bytes,
  etag,
  MiB,
  part,
  refusal,
  stored,
  verbs
} from "../support/OssClientReplies.ts"
import { type Reply, until } from "../support/OssClientServer.ts"

const headRefusal = (status: number, code?: string): Reply => ({
  status,
  headers:
    code === undefined
      ? { "x-oss-request-id": "5F0" }
      : { "x-oss-err": Buffer.from(refusal(status, code).body ?? "").toString("base64") }
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
    [206, "PartialContent", "UnreadableResponse"],
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
      const { client } = yield* against(() => ({
        status: 404,
        headers: { "x-oss-request-id": "5F0" }
      }))
      const reasons = yield* Effect.forEach(Object.entries(verbs(client)), ([name, verb]) =>
        Effect.map(Effect.flip(verb), (error) => [name, error.reason._tag, error.code])
      )
      assert.deepStrictEqual(
        reasons.filter(([, reason]) => reason !== "Rejected"),
        [["head", "NoSuchKey", undefined]]
      )
    })
  )

  it.effect("that asks to wait gives the wait in milliseconds", () =>
    Effect.gen(function* () {
      const date = "Sun, 22 Nov 2026 10:00:00 GMT"
      const waits = [
        { "retry-after": "7" },
        { "retry-after": "Sun, 22 Nov 2026 10:00:09 GMT", date },
        { "retry-after": "Mon, 22 Nov 2026 10:00:09 GMT", date },
        { "retry-after": "Sun, 22 Nov 2026 09:59:59 GMT", date },
        { "retry-after": "Sun, 31 Feb 2027 10:00:09 GMT", date },
        { "retry-after": "2026-11-22 10:00:09", date },
        { "retry-after": "1".repeat(400) },
        { "retry-after": "soon" },
        { "retry-after": "7", "x-oss-qos-delay-time": "250" },
        {}
      ]
      const { client } = yield* against((_, __, count) =>
        refusal(503, "ServiceUnavailable", waits[count - 1])
      )
      const reasons = yield* Effect.forEach(waits, () => Effect.flip(client.initiate("k")))
      assert.deepStrictEqual(
        reasons.map(({ reason }) => reason._tag === "Throttled" && reason.retryAfter),
        [7000, 9000, 9000, 0, undefined, undefined, undefined, undefined, 250, undefined]
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

describe("an answer of something that isn't OSS", () => {
  const page = "<html><head><title>Sign in</title></head><body>hotel</body></html>"
  const statuses = [302, 400, 401, 403, 404, 407, 413, 429, 502, 503]
  it.effect.each(statuses.map((status) => [status]))(
    "is called so whatever its status, %d, and the upload resumes",
    ([status = 0]) =>
      Effect.gen(function* () {
        const { client } = yield* against(() => ({
          status,
          headers: { server: "nginx/1.27", "retry-after": "3" },
          body: page
        }))
        const errors = yield* Effect.forEach(Object.values(verbs(client)), (verb) =>
          Effect.flip(verb)
        )
        for (const error of errors) {
          assert.deepInclude(error.reason, {
            _tag: "NotOss",
            status,
            server: "nginx/1.27",
            retryAfter: 3000
          })
          assert.isTrue(error.isResumable && error.isAmbiguous)
          // The proxy says the same until it, or the part size, is set up differently.
          assert.strictEqual(error.isRetryable, status !== 407 && status !== 413)
          assert.include(error.message, `the response is not OSS's (${status}, from nginx/1.27)`)
          assert.notInclude(error.message, "hotel")
        }
      })
  )

  const remedies = [
    [407, "HTTPS_PROXY=http://user:password@"],
    [413, "smaller part size"],
    [403, "proxies on the way"]
  ] as const
  it.effect.each(remedies)("of %d says what to do", ([status, remedy]) =>
    Effect.gen(function* () {
      const { client } = yield* against(() => ({ status }))
      const error: OssError = yield* Effect.flip(client.uploadPart(part(bytes(10))))
      assert.include(error.message, `the response is not OSS's (${status})`)
      assert.include(error.remedy, remedy)
    })
  )

  it.effect("is told from OSS's by OSS's XML where a browser hides the request id", () =>
    Effect.gen(function* () {
      const { client } = yield* against(() => ({
        status: 403,
        body: "<Error><Code>AccessDenied</Code></Error>"
      }))
      const error = yield* Effect.flip(client.initiate("k"))
      assert.strictEqual(error.reason._tag, "AccessDenied")
    })
  )

  it.effect("is not OSS's because its XML is an error of another kind", () =>
    Effect.gen(function* () {
      const { client } = yield* against(() => ({
        status: 403,
        body: "<Problem><Code>AccessDenied</Code></Problem>"
      }))
      const error = yield* Effect.flip(client.initiate("k"))
      assert.strictEqual(error.reason._tag, "NotOss")
    })
  )
})

describe("a refusal with advice of its own", () => {
  it.effect("names the custom domain where OSS forbids its public endpoints", () =>
    Effect.gen(function* () {
      const { client } = yield* against(() => refusal(400, "PublicEndpointForbidden"))
      const error = yield* Effect.flip(client.initiate("k"))
      assert.strictEqual(error.reason._tag, "PublicEndpointForbidden")
      assert.isFalse(error.isRetryable)
      assert.match(error.remedy, /cname.*internal endpoint/)
    })
  )
})

describe("a hostile error", () => {
  const bodies: ReadonlyArray<readonly [string, string]> = [
    ["16 MB of nested elements", "<a>".repeat(5_600_000)],
    ["more elements than any page has", `<Error>${"<a/>".repeat(15_000)}</Error>`],
    ["entities that expand", '<!DOCTYPE Error [<!ENTITY a "b">]><Error><Code>&a;</Code></Error>'],
    ["a name that never ends", `<${"a".repeat(60_000)}`],
    ["bytes that are no UTF-8", "\ud800<Error>"]
  ]
  it.effect.each(bodies)("of %s is read no further than it has to be", ([, body]) =>
    Effect.gen(function* () {
      const { client } = yield* against(() => ({
        status: 403,
        headers: { "x-oss-request-id": "5F0" },
        body
      }))
      const error = yield* Effect.flip(client.initiate("k"))
      assert.strictEqual(error.reason._tag, "AccessDenied")
    })
  )

  it.effect("that is chunked is cut at 64 KiB, and its connection is closed", () =>
    Effect.gen(function* () {
      let written = 0
      const { client, server } = yield* against((_, response) => {
        response.writeHead(403, { "x-oss-request-id": "5F0" })
        const more = () => {
          if (response.destroyed) return
          written += 16_384
          response.write("<a>".padEnd(16_384), () => setImmediate(more))
        }
        more()
        return undefined
      })
      const error = yield* Effect.flip(client.initiate("k"))
      assert.strictEqual(error.reason._tag, "AccessDenied")
      yield* until(() => server.connections() === 0)
      assert.isBelow(written, 32 * MiB)
    })
  )
})
