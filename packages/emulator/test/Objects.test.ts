import { Crc64 } from "@effect-oss/core"
import { OssEmulator } from "@effect-oss/emulator"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { createHash } from "node:crypto"
import { content, elementOf, initiate, open, put, raw, request, stored } from "./http.ts"
import { bucket } from "./support.ts"

describe("objects", () => {
  it.live.each([
    ["bytes=0-0", 206, "bytes 0-0/10", "0"],
    ["bytes=2-4", 206, "bytes 2-4/10", "234"],
    ["bytes=7-", 206, "bytes 7-9/10", "789"],
    ["bytes=-3", 206, "bytes 7-9/10", "789"],
    ["bytes=8-99", 200, undefined, "0123456789"],
    ["bytes=-99", 200, undefined, "0123456789"],
    ["bytes=2-4,6-7", 206, "bytes 2-4/10", "234"],
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

  it.live("a body without a length is refused before it is sent", () =>
    Effect.gen(function* () {
      const { url } = yield* OssEmulator.OssEmulator
      const text = yield* raw(url, [`PUT /${bucket}/k HTTP/1.1`, "Host: localhost", "", ""])
      assert.match(text, /^HTTP\/1.1 411 /)
    }).pipe(open)
  )
})
