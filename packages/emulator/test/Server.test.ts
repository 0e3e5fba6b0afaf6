import { Crc64 } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { assert, describe, it } from "@effect/vitest"
import { Context, Data, Effect, Exit, Fiber, Layer, Option, Scope } from "effect"
import { createHash } from "node:crypto"
import { connect } from "node:net"
import {
  aliOss,
  bucket,
  bytesOf,
  credential,
  eventually,
  rejection,
  withServer
} from "./support.ts"

const content = bytesOf(300_000)

/** Everybody is let in, so that plain requests will do. */
const open = withServer({ credentials: [] })

class RequestFailed extends Data.TaggedError("RequestFailed")<{ readonly cause: unknown }> {}

const request = Effect.fnUntraced(function* (
  path: string,
  init: RequestInit & { readonly duplex?: "half" } = {}
) {
  const { url } = yield* OssEmulator.OssEmulator
  return yield* Effect.tryPromise({
    try: async (signal) => {
      const response = await fetch(`${url}/${path}`, { signal, ...init })
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: Buffer.from(await response.arrayBuffer())
      }
    },
    catch: (cause) => new RequestFailed({ cause })
  })
})

const put = (path: string, body: Uint8Array, headers: Record<string, string> = {}) =>
  request(`${bucket}/${path}`, { method: "PUT", body: Buffer.from(body), headers })

/** Takes a presigned URL, which names the bucket's host, to the emulator. */
const getSigned = (signed: string, url: string) =>
  Effect.promise(async () => {
    const { pathname, search } = new URL(signed)
    const path = pathname.replace(`/${bucket}/`, "/")
    const response = await fetch(`${url}/${bucket}${path}${search}`)
    return [response.status, Buffer.from(await response.arrayBuffer())] as const
  })

/** As for OSS itself: ali-oss refuses to sign URLs of an IP by version 1. */
const presigning = (options: Parameters<typeof aliOss>[1] = {}) =>
  aliOss("http://oss-cn-hangzhou.aliyuncs.com", options)

const listOf = (part: string) =>
  `<CompleteMultipartUpload><Part>${part}</Part></CompleteMultipartUpload>`

const elementOf = (xml: Buffer, name: string) =>
  new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml.toString())?.[1]

const initiate = (headers: Record<string, string> = {}) =>
  Effect.map(
    request(`${bucket}/k?uploads`, { method: "POST", headers }),
    ({ body }) => elementOf(body, "UploadId") ?? ""
  )

const stored = (key: string) =>
  OssEmulator.OssEmulator.use((emulator) => emulator.object(bucket, key))

describe("each answer", () => {
  it.live("says who answered, when, and the request's id", () =>
    Effect.gen(function* () {
      const answers = yield* Effect.all([
        put("k", content),
        request(`${bucket}/none`),
        request(`${bucket}/k`, { method: "HEAD" }),
        request("")
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

describe("objects", () => {
  it.live.each([
    ["bytes=0-0", 206, "bytes 0-0/10", "0"],
    ["bytes=2-4", 206, "bytes 2-4/10", "234"],
    ["bytes=7-", 206, "bytes 7-9/10", "789"],
    ["bytes=-3", 206, "bytes 7-9/10", "789"],
    ["bytes=8-99", 206, "bytes 8-9/10", "89"],
    ["bytes=-99", 206, "bytes 0-9/10", "0123456789"],
    ["bytes=10-12", 200, undefined, "0123456789"],
    ["bytes=4-2", 200, undefined, "0123456789"],
    ["lines=1-2", 200, undefined, "0123456789"]
  ] as const)("range %s", ([range, status, contentRange, expected]) =>
    Effect.gen(function* () {
      yield* put("k", Buffer.from("0123456789"))
      const got = yield* request(`${bucket}/k`, { headers: { range } })
      assert.deepStrictEqual(
        [got.status, got.headers["content-range"], got.body.toString()],
        [status, contentRange, expected]
      )
      assert.strictEqual(
        got.headers["x-oss-hash-crc64ecma"],
        String(Crc64.of(Buffer.from("0123456789")))
      )
    }).pipe(open)
  )

  it.live("a range outside is refused if the client wants the standard behaviour", () =>
    Effect.gen(function* () {
      yield* put("k", Buffer.from("0123456789"))
      const headers = { range: "bytes=10-", "x-oss-range-behavior": "standard" }
      const { status, body } = yield* request(`${bucket}/k`, { headers })
      assert.deepStrictEqual([status, elementOf(body, "Code")], [416, "InvalidRange"])
    }).pipe(open)
  )

  it.live("a range may lie across parts", () =>
    Effect.gen(function* () {
      const uploadId = yield* initiate()
      const parts = [content.subarray(0, 102_400), content.subarray(102_400)]
      for (const [index, part] of parts.entries()) {
        yield* put(`k?partNumber=${index + 1}&uploadId=${uploadId}`, part)
      }
      yield* request(`${bucket}/k?uploadId=${uploadId}`, {
        method: "POST",
        headers: { "x-oss-complete-all": "yes" }
      })
      const got = yield* request(`${bucket}/k`, { headers: { range: "bytes=102390-102409" } })
      assert.deepStrictEqual(got.body, Buffer.from(content.subarray(102_390, 102_410)))
      const whole = yield* request(`${bucket}/k`)
      assert.deepStrictEqual(whole.body, Buffer.from(content))
    }).pipe(open)
  )

  it.live("headers are kept and given back", () =>
    Effect.gen(function* () {
      const kept = {
        "content-type": "text/plain",
        "cache-control": "no-cache",
        "content-disposition": "attachment",
        "content-encoding": "identity",
        "x-oss-meta-author": "me",
        "x-oss-storage-class": "IA",
        "x-oss-server-side-encryption": "AES256"
      }
      yield* put("k", content, {
        ...kept,
        "x-oss-tagging": "a=1&b=2",
        "x-oss-object-acl": "private"
      })
      const { headers } = yield* request(`${bucket}/k`, { method: "HEAD" })
      assert.deepInclude(headers, {
        ...kept,
        "x-oss-tagging-count": "2",
        "x-oss-object-type": "Normal",
        "content-length": String(content.length)
      })
      assert.notProperty(headers, "x-oss-object-acl")
      const got = yield* request(`${bucket}/k?response-content-type=image/png`)
      assert.strictEqual(got.headers["content-type"], "image/png")
    }).pipe(open)
  )

  it.live("a wrong Content-MD5 commits nothing, a right one does", () =>
    Effect.gen(function* () {
      const wrong = createHash("md5").update("other").digest("base64")
      const { status, body } = yield* put("k", content, { "content-md5": wrong })
      assert.deepStrictEqual([status, elementOf(body, "Code")], [400, "InvalidDigest"])
      assert.isTrue(Option.isNone(yield* stored("k")))
      const right = createHash("md5").update(content).digest("base64")
      assert.strictEqual((yield* put("k", content, { "content-md5": right })).status, 200)
    }).pipe(open)
  )

  it.live("overwriting can be forbidden", () =>
    Effect.gen(function* () {
      yield* put("k", content)
      const forbid = { "x-oss-forbid-overwrite": "true" }
      const { status, body } = yield* put("k", content, forbid)
      assert.deepStrictEqual([status, elementOf(body, "Code")], [409, "FileAlreadyExists"])
      assert.strictEqual(yield* initiate(forbid), "")
    }).pipe(open)
  )

  it.live("a callback counts as succeeded, without anybody being called", () =>
    Effect.gen(function* () {
      const { url } = yield* OssEmulator.OssEmulator
      const callback = { url: "http://192.0.2.1/", body: "x=1" }
      const result = yield* Effect.promise(() =>
        aliOss(url).put("k", Buffer.from("x"), { callback })
      )
      assert.deepStrictEqual(Reflect.get(result, "data"), { Status: "OK" })
    }).pipe(withServer())
  )

  it.live("a body without a length is refused before it is sent", () =>
    Effect.gen(function* () {
      const { url } = yield* OssEmulator.OssEmulator
      const text = yield* raw(url, [`PUT /${bucket}/k HTTP/1.1`, "Host: localhost", "", ""])
      assert.match(text, /^HTTP\/1.1 411 /)
    }).pipe(open)
  )
})

describe("lists", () => {
  it.live("objects come in pages, in both versions, with prefixes", () =>
    Effect.gen(function* () {
      const client = aliOss((yield* OssEmulator.OssEmulator).url)
      const keys = ["a", "b & <c>/1", "b & <c>/2", "d", "e"]
      for (const key of keys) yield* Effect.promise(() => client.put(key, Buffer.from("x")))
      const first = yield* Effect.promise(() => client.list({ "max-keys": 2, delimiter: "/" }, {}))
      const second = yield* Effect.promise(() =>
        client.list({ "max-keys": 10, delimiter: "/", marker: first.nextMarker }, {})
      )
      assert.deepStrictEqual(
        [first, second].map(({ objects, prefixes, isTruncated }) => [
          objects.map(({ name }) => name),
          prefixes,
          isTruncated
        ]),
        [
          [["a"], ["b & <c>/"], true],
          [["d", "e"], null, false]
        ] as never
      )
      const one = yield* Effect.promise(() => client.listV2({ "max-keys": "2" }, {}))
      const rest = yield* Effect.promise(() =>
        client.listV2(
          { "max-keys": "10", "continuation-token": Reflect.get(one, "nextContinuationToken") },
          {}
        )
      )
      assert.deepStrictEqual(
        [...one.objects, ...rest.objects].map(({ name }) => name),
        keys
      )
    }).pipe(withServer())
  )

  it.live("keys are percent-encoded if the client asks for it", () =>
    Effect.gen(function* () {
      yield* put("a%01b%20%2Bc/d", content)
      const { body } = yield* request(`${bucket}?encoding-type=url`)
      assert.strictEqual(elementOf(body, "Key"), "a%01b%20%2Bc/d")
    }).pipe(open)
  )

  it.live("ali-oss finds open uploads and their parts, and aborts them", () =>
    Effect.gen(function* () {
      const client = aliOss((yield* OssEmulator.OssEmulator).url)
      const ids: Array<string> = []
      for (const key of ["a", "b", "c"]) {
        const { uploadId } = yield* Effect.promise(() => client.initMultipartUpload(key))
        ids.push(uploadId)
      }
      const listed = yield* Effect.promise(() =>
        client.listUploads({ "max-uploads": 2, "key-marker": "a" }, {})
      )
      assert.deepStrictEqual(
        listed.uploads.map((upload) => Reflect.get(upload, "uploadId")),
        ids.slice(1)
      )
      const part = Buffer.from(content)
      for (const number of [2, 1]) {
        yield* Effect.promise(() =>
          client.uploadPart("a", ids[0] ?? "", number, part, 0, part.length)
        )
      }
      const { parts } = yield* Effect.promise(() =>
        client.listParts(
          "a",
          ids[0] ?? "",
          { "max-parts": 10, "part-number-marker": 1, "encoding-type": "url" },
          {}
        )
      )
      assert.deepInclude(parts as object, {
        PartNumber: "2",
        Size: "300000",
        HashCrc64ecma: String(Crc64.of(content))
      })
      yield* Effect.promise(() => client.abortMultipartUpload("a", ids[0] ?? ""))
      const error = yield* rejection(() => client.listParts("a", ids[0] ?? "", {} as never, {}))
      assert.strictEqual(error["code"], "NoSuchUpload")
    }).pipe(withServer())
  )

  it.live.each([
    "k?uploadId=U&max-parts=0",
    "k?uploadId=U&max-parts=x",
    "?uploads&max-uploads=1001",
    "?max-keys=-1",
    "?encoding-type=base64"
  ])("%s is refused", (path) =>
    Effect.gen(function* () {
      const { status, body } = yield* request(`${bucket}/${path}`)
      assert.deepStrictEqual([status, elementOf(body, "Code")], [400, "InvalidArgument"])
    }).pipe(open)
  )
})

describe("complete", () => {
  it.live.each([
    ["no XML at all", "hello", "MalformedXML"],
    ["XML that ends early", "<CompleteMultipartUpload><Part>", "MalformedXML"],
    ["nothing", "", "MalformedXML"],
    ["another root", "<Other><Part/></Other>", "MalformedXML"],
    ["a part without a number", listOf("<ETag>x</ETag>"), "MalformedXML"],
    ["a number that is none", listOf("<PartNumber>x</PartNumber><ETag>x</ETag>"), "MalformedXML"],
    ["a part that is not there", listOf("<PartNumber>1</PartNumber><ETag>x</ETag>"), "InvalidPart"]
  ] as const)("%s", ([, body, code]) =>
    Effect.gen(function* () {
      const uploadId = yield* initiate()
      const path = `${bucket}/k?uploadId=${uploadId}`
      const answer = yield* request(path, { method: "POST", body })
      assert.deepStrictEqual([answer.status, elementOf(answer.body, "Code")], [400, code])
    }).pipe(open)
  )

  it.live("the list may quote ETags as XML does", () =>
    Effect.gen(function* () {
      const uploadId = yield* initiate()
      const { headers } = yield* put(`k?partNumber=1&uploadId=${uploadId}`, content)
      const etag = (headers["etag"] ?? "").replaceAll('"', "&quot;")
      const answer = yield* request(`${bucket}/k?uploadId=${uploadId}`, {
        method: "POST",
        body: listOf(`\n <PartNumber>1</PartNumber> <ETag>\n${etag} </ETag>`)
      })
      assert.deepStrictEqual(
        [answer.status, answer.headers["x-oss-hash-crc64ecma"]],
        [200, String(Crc64.of(content))]
      )
    }).pipe(open)
  )

  it.live("all parts, or a list, but not both", () =>
    Effect.gen(function* () {
      const uploadId = yield* initiate()
      const { status, body } = yield* request(`${bucket}/k?uploadId=${uploadId}`, {
        method: "POST",
        body: listOf(""),
        headers: { "x-oss-complete-all": "yes" }
      })
      assert.deepStrictEqual([status, elementOf(body, "Code")], [400, "InvalidArgument"])
    }).pipe(open)
  )
})

/** What a server sends back to these lines, until `enough` or the connection ends. */
const raw = (url: string, lines: ReadonlyArray<string>, enough: RegExp = /\r\n\r\n/) =>
  Effect.callback<string>((resume) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1")
    let text = ""
    socket.on("data", (data) => {
      text += data
      if (enough.test(text)) socket.destroy()
    })
    socket.on("close", () => resume(Effect.succeed(text)))
    socket.write(lines.join("\r\n"))
    return Effect.sync(() => socket.destroy())
  })

const head = (...lines: ReadonlyArray<string>) => [
  `PUT /${bucket}/k HTTP/1.1`,
  "Host: localhost",
  "Content-Length: 10",
  ...lines,
  "",
  ""
]

describe("bodies", () => {
  it.live("a body that breaks off commits nothing", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* Effect.callback<void>((resume) => {
        const socket = connect(Number(new URL(emulator.url).port), "127.0.0.1", () => {
          socket.end([...head(), "12345"].join("\r\n"))
        })
        socket.resume()
        socket.on("close", () => resume(Effect.void))
      })
      const [entry] = yield* eventually(emulator.log, ([entry]) => entry?.ended !== undefined)
      assert.deepStrictEqual([entry?.outcome, entry?.whole], [{ _tag: "Aborted" }, false])
      assert.isTrue(Option.isNone(yield* stored("k")))
      assert.strictEqual(yield* emulator.inFlight, 0)
    }).pipe(open)
  )

  it.live("a client that waits is told to continue", () =>
    Effect.gen(function* () {
      const { url } = yield* OssEmulator.OssEmulator
      const text = yield* raw(url, head("Expect: 100-continue"))
      assert.match(text, /^HTTP\/1.1 100 Continue/)
    }).pipe(open)
  )

  it.live("a client that waits is refused before it sends anything", () =>
    Effect.gen(function* () {
      const { url } = yield* OssEmulator.OssEmulator
      const text = yield* raw(url, head("Expect: 100-continue"))
      assert.match(text, /^HTTP\/1.1 403 /)
    }).pipe(withServer())
  )

  it.live("a refusal reaches a client that is still sending", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(Fault.answer({ status: 503, code: "ServiceUnavailable" }))
      const error = yield* rejection(() => aliOss(emulator.url).put("k", Buffer.alloc(20_000_000)))
      assert.deepStrictEqual([error["status"], error["code"]], [503, "ServiceUnavailable"])
      assert.strictEqual((yield* emulator.log)[0]?.bytes, 0)
    }).pipe(withServer())
  )
})

describe("faults", () => {
  const none = Option.none<bigint>()
  const whole = Option.some(Crc64.of(content))
  const damaged = Option.some(
    Crc64.of(content.map((byte, index) => (index === 0 ? byte ^ 0xff : byte)))
  )

  it.live.each([
    [
      "an error before",
      Fault.answer({ status: 500, code: "InternalError" }),
      500,
      /InternalError/,
      none
    ],
    [
      "an error after",
      Fault.answer({ status: 403, code: "AccessDenied", at: "after" }),
      403,
      /AccessDenied/,
      whole
    ],
    ["an error without a body", Fault.answer({ status: 503 }), 503, /^$/, none],
    [
      "an unknown code",
      Fault.answer({ status: 418, code: "Teapot" }),
      418,
      /<Message>Teapot</,
      none
    ],
    ["cut-off XML", Fault.raw({ body: "<?xml version=" }), 200, /^<\?xml version=$/, whole],
    ["nothing", Fault.raw({ body: "" }), 200, /^$/, whole],
    ["a page", Fault.raw({ body: "<html>", status: 502, at: "before" }), 502, /^<html>$/, none],
    ["a failed callback", Fault.callbackFailed(), 203, /CallbackFailed/, whole],
    ["damage", Fault.damage(), 200, /^$/, damaged]
  ] as const)("%s", ([, fault, status, text, committed]) =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(fault)
      const answer = yield* put("k", content)
      assert.strictEqual(answer.status, status)
      assert.match(answer.body.toString(), text)
      const crc64 = Option.map(yield* stored("k"), (object) => object.crc64)
      assert.deepStrictEqual(crc64, committed)
      assert.deepStrictEqual((yield* emulator.log)[0]?.outcome, { _tag: "Answered", status })
    }).pipe(open)
  )

  it.live.each([
    ["before the body", Fault.drop({ at: "before" }), none],
    ["inside the body", Fault.drop({ at: { bytes: 100_000 } }), none],
    ["at the end of the body", Fault.drop({ at: { bytes: Infinity } }), none],
    ["instead of the answer", Fault.drop({ at: "after" }), whole]
  ] as const)("the connection breaks %s", ([, fault, committed]) =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(fault)
      const error = yield* Effect.flip(put("k", content))
      assert.instanceOf(error.cause, TypeError)
      const crc64 = Option.map(yield* stored("k"), (object) => object.crc64)
      assert.deepStrictEqual(crc64, committed)
      assert.deepStrictEqual((yield* emulator.log)[0]?.outcome, { _tag: "Dropped" })
    }).pipe(open)
  )

  it.live("headers of an answer, such as Retry-After, are sent", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(Fault.answer({ status: 503, headers: { "Retry-After": "7" } }))
      assert.strictEqual((yield* put("k", content)).headers["retry-after"], "7")
    }).pipe(open)
  )

  it.live("the CRC64 of the answer is wrong, or missing", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(Fault.wrongCrc(), Fault.noCrc())
      const answers = yield* Effect.all([put("k", content), put("k", content), put("k", content)])
      const [wrong, missing, right] = answers.map(({ headers }) => headers["x-oss-hash-crc64ecma"])
      assert.isUndefined(missing)
      assert.strictEqual(right, String(Crc64.of(content)))
      assert.match(wrong ?? "", /^\d+$/)
      assert.notStrictEqual(wrong, right)
    }).pipe(open)
  )

  it.live("an answer is delayed", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(Fault.delay({ millis: 50 }))
      yield* put("k", content)
      const entry = (yield* emulator.log)[0]
      assert.isAtLeast((entry?.ended ?? 0) - (entry?.time ?? 0), 49)
    }).pipe(open)
  )

  it.live.each([
    ["before the body", "before" as const],
    ["inside the body", { bytes: 100_000 }],
    ["before the answer", "after" as const]
  ] as const)("nothing moves any more %s, until the client gives up", ([, at]) =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(Fault.stall({ at }))
      const given = yield* put("k", content).pipe(Effect.timeoutOption("100 millis"))
      assert.isTrue(Option.isNone(given))
      yield* eventually(emulator.inFlight, (count) => count === 0)
      const entry = (yield* emulator.log)[0]
      assert.deepStrictEqual(entry?.outcome, { _tag: "Stalled" })
      assert.strictEqual(Option.isSome(yield* stored("k")), at === "after")
    }).pipe(open)
  )

  it.live("a stalled body is not pulled any further", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(Fault.stall({ at: { bytes: 1 } }))
      const big = new Uint8Array(50_000_000)
      yield* put("k", big).pipe(Effect.timeoutOption("200 millis"))
      assert.isBelow((yield* emulator.log)[0]?.bytes ?? 0, 1_000_000)
    }).pipe(open)
  )
})

it.live("the server ends at once, also while a request is stalled", () =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const built = yield* Layer.buildWithScope(OssEmulator.layer(), scope)
    const emulator = Context.get(built, OssEmulator.OssEmulator)
    yield* emulator.inject(Fault.stall({ at: "before" }))
    const sent = yield* put("k", content).pipe(
      Effect.provideService(OssEmulator.OssEmulator, emulator),
      Effect.exit,
      Effect.forkChild
    )
    yield* eventually(emulator.inFlight, (count) => count === 1)
    yield* Effect.timeout(Scope.close(scope, Exit.void), "2 seconds")
    assert.isTrue(Exit.isFailure(yield* Fiber.join(sent)))
    assert.strictEqual(yield* emulator.inFlight, 0)
  })
)
