import { Fault, OssEmulator } from "@effect-oss/emulator"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { content, open, request, put, getSigned, presigning, elementOf, stored } from "./http.ts"
import { aliOss, bucket, credential, rejection, withServer } from "./support.ts"

describe("each answer", () => {
  it.live("says who answered, when, and the request's id", () =>
    Effect.gen(function* () {
      const answers = yield* Effect.all([
        put("k", content),
        request(`${bucket}/none`),
        request(`${bucket}/k`, { method: "HEAD" }),
        request(`${bucket}?lifecycle`)
      ])
      assert.deepStrictEqual(
        answers.map(({ status }) => status),
        [200, 404, 200, 501]
      )
      for (const { headers } of answers) {
        assert.match(headers["x-oss-request-id"] ?? "", /^[0-9A-F]{24}$/)
        assert.strictEqual(headers["server"], "AliyunOSS")
        assert.isBelow(Math.abs(Date.parse(headers["date"] ?? "") - Date.now()), 5000)
      }
      assert.strictEqual(new Set(answers.map((a) => a.headers["x-oss-request-id"])).size, 4)
    }).pipe(open)
  )

  it.live("that refuses is XML with the same request id", () =>
    Effect.gen(function* () {
      const { status, headers, body } = yield* request(`${bucket}/none`)
      assert.deepStrictEqual(
        [status, elementOf(body, "Code"), elementOf(body, "RequestId"), elementOf(body, "Key")],
        [404, "NoSuchKey", headers["x-oss-request-id"], "none"]
      )
    }).pipe(open)
  )

  it.live("to HEAD carries its error in a header", () =>
    Effect.gen(function* () {
      const { status, headers } = yield* request(`${bucket}/none`, { method: "HEAD" })
      const xml = Buffer.from(headers["x-oss-err"] ?? "", "base64")
      assert.deepStrictEqual([status, elementOf(xml, "Code")], [404, "NoSuchKey"])
    }).pipe(open)
  )
})

describe("who may ask", () => {
  it.live("nobody without a signature", () =>
    Effect.gen(function* () {
      const { status, body } = yield* put("k", content)
      assert.deepStrictEqual([status, elementOf(body, "Code")], [403, "AccessDenied"])
      assert.isTrue(Option.isNone(yield* stored("k")))
    }).pipe(withServer())
  )

  it.live("nobody with an unknown access key", () =>
    Effect.gen(function* () {
      const { url } = yield* OssEmulator.OssEmulator
      const client = aliOss(url, { accessKeyId: "unknown" })
      const error = yield* rejection(() => client.put("k", Buffer.from(content)))
      assert.deepStrictEqual([error["code"], error["status"]], ["InvalidAccessKeyId", 403])
    }).pipe(withServer())
  )

  it.live("the second of two credentials, with its token", () =>
    Effect.gen(function* () {
      const { url } = yield* OssEmulator.OssEmulator
      for (const authorizationV4 of [true, false]) {
        const client = aliOss(url, { accessKeyId: "sts", stsToken: "token", authorizationV4 })
        yield* Effect.promise(() => client.put("k", Buffer.from("x")))
        const signer = presigning({ accessKeyId: "sts", stsToken: "token" })
        const signed = authorizationV4
          ? yield* Effect.promise(() => signer.signatureUrlV4("GET", 60, {}, "k"))
          : signer.signatureUrl("k")
        const [status] = yield* getSigned(signed, url)
        assert.strictEqual(status, 200)
        const other = aliOss(url, { accessKeyId: "sts", stsToken: "other", authorizationV4 })
        const error = yield* rejection(() => other.head("k"))
        assert.strictEqual(error["status"], 403)
      }
      const { headers } = yield* request(`${bucket}/k`, { method: "HEAD" })
      assert.isString(headers["x-oss-err"])
    }).pipe(
      withServer({
        credentials: [credential, { ...credential, accessKeyId: "sts", securityToken: "token" }]
      })
    )
  )

  it.live("nobody with a token that has expired", () =>
    Effect.gen(function* () {
      const { url } = yield* OssEmulator.OssEmulator
      const client = aliOss(url, { stsToken: "token" })
      const error = yield* rejection(() => client.put("k", Buffer.from("x")))
      assert.strictEqual(error["code"], "SecurityTokenExpired")
    }).pipe(withServer({ credentials: [{ ...credential, securityToken: "token", expiresAt: 1 }] }))
  )

  it.live("nobody whose clock is off by more than 15 minutes; Date tells the right time", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      for (const millis of [16 * 60_000, -16 * 60_000]) {
        for (const authorizationV4 of [true, false]) {
          yield* emulator.inject(Fault.skew({ millis }))
          const client = aliOss(emulator.url, { authorizationV4 })
          const error = yield* rejection(() => client.put("k", Buffer.from("x")))
          assert.strictEqual(error["code"], "RequestTimeTooSkewed")
        }
        yield* emulator.inject(Fault.skew({ millis }))
        const { headers } = yield* request(`${bucket}/k`)
        const offset = Date.parse(headers["date"] ?? "") - Date.now()
        assert.isBelow(Math.abs(offset - millis), 5000)
      }
    }).pipe(withServer())
  )

  it.live.each([
    ["V1", Effect.sync(() => presigning().signatureUrl("a b/+%", { expires: 60 }))],
    ["V4", Effect.promise(() => presigning().signatureUrlV4("GET", 60, undefined, "a b/+%"))]
  ] as const)("who has a presigned URL, %s, until it expires or is changed", ([, sign]) =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* Effect.promise(() => aliOss(emulator.url).put("a b/+%", Buffer.from("hello")))
      const signed = yield* sign
      const [status, body] = yield* getSigned(signed, emulator.url)
      assert.deepStrictEqual([status, body.toString()], [200, "hello"])
      const [changed, why] = yield* getSigned(signed.replace(/(ignature=)./, "$1x"), emulator.url)
      assert.deepStrictEqual([changed, elementOf(why, "Code")], [403, "SignatureDoesNotMatch"])
      yield* emulator.inject(Fault.skew({ millis: 62_000 }))
      const [late, expired] = yield* getSigned(signed, emulator.url)
      assert.deepStrictEqual(
        [late, elementOf(expired, "Code"), elementOf(expired, "Message")],
        [403, "AccessDenied", "Request has expired."]
      )
    }).pipe(withServer())
  )

  it.live("only in buckets that exist, if they are named; more can be created", () =>
    Effect.gen(function* () {
      const { url } = yield* OssEmulator.OssEmulator
      const client = aliOss(url, { bucket: "other" })
      const error = yield* rejection(() => client.put("k", Buffer.from("x")))
      assert.strictEqual(error["code"], "NoSuchBucket")
      yield* Effect.promise(() => client.putBucket("other"))
      yield* Effect.promise(() => client.put("k", Buffer.from("x")))
    }).pipe(withServer({ buckets: [bucket] }))
  )
})
