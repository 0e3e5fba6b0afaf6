import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { Arbitrary } from "effect"
import { createRequire } from "node:module"
import { resolve } from "../../src/internal/client/endpoint.ts"
import { headersFor } from "../../src/internal/client/objectHeaders.ts"
import * as ObjectKey from "../../src/internal/objectKey.ts"
import type { ObjectOptions } from "../../src/ObjectOptions.ts"

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64")

const { encodeCallback } = createRequire(import.meta.url)("ali-oss/lib/common/callback.js")

/** The JSON in base64 of each header: the order of its fields means nothing. */
const decoded = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      JSON.parse(Buffer.from(value, "base64").toString("utf8"))
    ])
  )

describe("the headers of an object", () => {
  const nothing = {}
  type Row = readonly [string, ObjectOptions, object, object, object]
  const table: ReadonlyArray<Row> = [
    ["no options", {}, nothing, nothing, nothing],
    [
      "mime",
      { mime: "text/csv" },
      { "content-type": "text/csv" },
      nothing,
      { "content-type": "text/csv" }
    ],
    [
      "standard headers",
      { headers: { "Cache-Control": " no-cache " } },
      { "cache-control": "no-cache" },
      nothing,
      { "cache-control": "no-cache" }
    ],
    [
      "mime over a header of that name",
      { mime: "text/csv", headers: { "Content-Type": "text/plain" } },
      { "content-type": "text/csv" },
      nothing,
      { "content-type": "text/csv" }
    ],
    [
      "metadata",
      { meta: { Owner: "中文" } },
      { "x-oss-meta-owner": "中文" },
      nothing,
      { "x-oss-meta-owner": "中文" }
    ],
    [
      "storage class",
      { storageClass: "IA" },
      { "x-oss-storage-class": "IA" },
      nothing,
      { "x-oss-storage-class": "IA" }
    ],
    [
      "encryption",
      { serverSideEncryption: { algorithm: "KMS", keyId: "id-1" } },
      { "x-oss-server-side-encryption": "KMS", "x-oss-server-side-encryption-key-id": "id-1" },
      nothing,
      { "x-oss-server-side-encryption": "KMS", "x-oss-server-side-encryption-key-id": "id-1" }
    ],
    [
      "tags",
      { tagging: { "a b": "c&d", e: "é" } },
      { "x-oss-tagging": "a%20b=c%26d&e=%C3%A9" },
      nothing,
      { "x-oss-tagging": "a%20b=c%26d&e=%C3%A9" }
    ],
    ["no tags", { tagging: {} }, nothing, nothing, nothing],
    [
      "forbidden overwriting",
      { forbidOverwrite: true },
      { "x-oss-forbid-overwrite": "true" },
      { "x-oss-forbid-overwrite": "true" },
      { "x-oss-forbid-overwrite": "true" }
    ],
    ["allowed overwriting", { forbidOverwrite: false }, nothing, nothing, nothing],
    [
      "ACL",
      { acl: "public-read" },
      nothing,
      { "x-oss-object-acl": "public-read" },
      { "x-oss-object-acl": "public-read" }
    ],
    [
      "ACL as a header",
      { headers: { "X-Oss-Object-Acl": "private" } },
      nothing,
      { "x-oss-object-acl": "private" },
      { "x-oss-object-acl": "private" }
    ],
    [
      "callback",
      { callback: { url: "http://a.test/", body: "${object}", variables: { job: "7" } } },
      nothing,
      {
        "x-oss-callback": base64({ callbackUrl: "http://a.test/", callbackBody: "${object}" }),
        "x-oss-callback-var": base64({ "x:job": "7" })
      },
      {
        "x-oss-callback": base64({ callbackUrl: "http://a.test/", callbackBody: "${object}" }),
        "x-oss-callback-var": base64({ "x:job": "7" })
      }
    ]
  ]
  it.each(table)("go where OSS reads them: %s", (_, options, initiate, complete, put) => {
    assert.deepStrictEqual(
      (["initiate", "complete", "put"] as const).map((verb) =>
        Result.getOrThrow(headersFor(verb, options))
      ),
      [initiate, complete, put]
    )
  })

  it("encode the callback as ali-oss does", () => {
    const callback = {
      url: "http://a.test/ü?a=1 2&b=%2F;http://b.test/中",
      host: "a.test",
      body: "${object}",
      contentType: "application/json" as const,
      callbackSNI: true,
      customValue: { job: "7 ü" }
    }
    const theirs = { headers: {} }
    encodeCallback(theirs, { callback })
    const { customValue, ...ours } = callback
    assert.deepStrictEqual(
      decoded(
        Result.getOrThrow(headersFor("complete", { callback: { ...ours, variables: customValue } }))
      ),
      decoded(theirs.headers)
    )
  })

  const refused: ReadonlyArray<readonly [string, ObjectOptions, string]> = [
    ["a name with a space", { meta: { "a b": "1" } }, '"x-oss-meta-a b"'],
    ["a name beyond ASCII", { meta: { ключ: "1" } }, '"x-oss-meta-ключ"'],
    ["broken text", { meta: { a: "\ud800" } }, '"x-oss-meta-a"'],
    ["broken tags", { tagging: { a: "\udfff" } }, '"x-oss-tagging"'],
    ["the signature", { headers: { Authorization: "x" } }, '"authorization"'],
    ["the length", { headers: { "Content-Length": "1" } }, '"content-length"'],
    ["the host", { headers: { host: "x" } }, '"host"'],
    ["who pays", { headers: { "x-oss-request-payer": "requester" } }, "give requestPayer"],
    ["a limit", { headers: { "X-Oss-Traffic-Limit": "819200" } }, "give trafficLimit"]
  ]
  it.each(refused)("may not be, and say so: %s", (_, options, named) => {
    const problem = Result.getOrThrow(Result.flip(headersFor("initiate", options)))
    assert.include(problem, named)
  })
})

describe("the place of a bucket", () => {
  const table: ReadonlyArray<readonly [object, string, string]> = [
    [{ region: "cn-beijing" }, "https://oss-cn-beijing.aliyuncs.com", "oss-cn-beijing"],
    [{ region: "oss-cn-beijing" }, "https://oss-cn-beijing.aliyuncs.com", "oss-cn-beijing"],
    [
      { region: "cn-beijing", internal: true },
      "https://oss-cn-beijing-internal.aliyuncs.com",
      "oss-cn-beijing"
    ],
    [
      { region: "cn-beijing", secure: false },
      "http://oss-cn-beijing.aliyuncs.com",
      "oss-cn-beijing"
    ],
    [
      { endpoint: "oss-eu-central-1.aliyuncs.com" },
      "https://oss-eu-central-1.aliyuncs.com",
      "oss-eu-central-1"
    ],
    [
      { endpoint: "https://oss-cn-beijing-internal.aliyuncs.com/" },
      "https://oss-cn-beijing-internal.aliyuncs.com",
      "oss-cn-beijing"
    ],
    [
      { endpoint: "oss-accelerate.aliyuncs.com", region: "cn-beijing" },
      "https://oss-accelerate.aliyuncs.com",
      "oss-cn-beijing"
    ],
    [
      { endpoint: "cn-beijing.oss.aliyuncs.com", region: "cn-beijing" },
      "https://cn-beijing.oss.aliyuncs.com",
      "oss-cn-beijing"
    ],
    [
      { endpoint: "oss-accelerate.aliyuncs.com", signature: "none" },
      "https://oss-accelerate.aliyuncs.com",
      "oss-cn-hangzhou"
    ],
    [{ endpoint: "http://127.0.0.1:9000" }, "http://127.0.0.1:9000", "oss-cn-hangzhou"],
    [{ endpoint: "http://[::1]:9000" }, "http://[::1]:9000", "oss-cn-hangzhou"],
    [{ endpoint: "localhost:9000", secure: false }, "http://localhost:9000", "oss-cn-hangzhou"],
    [
      { endpoint: "HTTPS://Files.Example.com:443", cname: true },
      "https://files.example.com",
      "oss-cn-hangzhou"
    ],
    [
      { endpoint: "bucket.example.com", cname: true },
      "https://bucket.example.com",
      "oss-cn-hangzhou"
    ]
  ]
  it.each(table)("follows from %o", (options, endpoint, region) => {
    const resolved = Result.getOrThrow(resolve({ bucket: "bucket", ...options }))
    assert.deepStrictEqual([resolved.endpoint, resolved.region], [endpoint, region])
  })

  const local = { endpoint: "http://localhost:9000" }
  const styles: ReadonlyArray<readonly [object, boolean]> = [
    [{ region: "cn-beijing" }, false],
    [local, true],
    [{ endpoint: "127.0.0.1:9000", secure: false }, true],
    [{ endpoint: "http://[::1]:9000" }, true],
    [{ endpoint: "http://[::1]:9000", pathStyle: false }, false],
    [{ endpoint: "https://10.0.0.7", cname: true }, false],
    [{ ...local, pathStyle: false }, false],
    [{ ...local, cname: true }, false],
    [{ region: "cn-beijing", pathStyle: true }, true]
  ]
  it.each(styles)("has the bucket in the path where host names fail: %o", (options, pathStyle) => {
    const resolved = Result.getOrThrow(resolve({ bucket: "bucket", ...options }))
    assert.strictEqual(resolved.pathStyle, pathStyle)
  })

  const wrong: ReadonlyArray<readonly [object, string]> = [
    [{}, "region"],
    [{ region: "" }, "region"],
    [{ region: "CN Hangzhou" }, "region"],
    [{ bucket: "a", region: "cn-beijing" }, "bucket"],
    [{ bucket: "Upper", region: "cn-beijing" }, "bucket"],
    [{ bucket: "-abc", region: "cn-beijing" }, "bucket"],
    [{ bucket: "a.b.c", region: "cn-beijing" }, "bucket"],
    [{ endpoint: "" }, "endpoint"],
    [{ endpoint: "ftp://a.test" }, "endpoint"],
    [{ endpoint: "https://a.test/path" }, "endpoint"],
    [{ endpoint: "https://a.test?x=1" }, "endpoint"],
    [{ endpoint: "https://a.test:99999" }, "endpoint"],
    [{ endpoint: "a b" }, "endpoint"],
    [{ endpoint: "http://[::1" }, "endpoint"],
    [{ endpoint: "http://[::g]" }, "endpoint"],
    [{ endpoint: "http://300.1.1.1" }, "endpoint"],
    [{ endpoint: "oss..aliyuncs.com", region: "cn-beijing" }, "endpoint"],
    [{ endpoint: "-a.test" }, "endpoint"],
    [{ endpoint: `${"a".repeat(64)}.test` }, "endpoint"],
    [{ endpoint: `${"a.".repeat(127)}test` }, "endpoint"],
    [{ endpoint: "oss.invalid" }, "endpoint"],
    [{ endpoint: "oss-accelerate.aliyuncs.com" }, "region"],
    [{ endpoint: "oss-accelerate-overseas.aliyuncs.com" }, "region"],
    [{ endpoint: "cn-beijing.oss.aliyuncs.com" }, "region"],
    [{ region: "cn-beijing", trafficLimit: 1000 }, "trafficLimit"],
    [{ region: "cn-beijing", trafficLimit: 819_200.5 }, "trafficLimit"],
    [{ endpoint: "https://bucket.oss-cn-beijing.aliyuncs.com" }, "endpoint"]
  ]
  it.each(wrong)("is refused with the field that is wrong: %o", (options, field) => {
    const error = Result.getOrThrow(Result.flip(resolve({ bucket: "bucket", ...options })))
    assert.strictEqual(error._tag, "InvalidRequest")
    assert.strictEqual(error.field, field)
  })

  it("is refused without repeating a password in the endpoint", () => {
    const error = Result.getOrThrow(
      Result.flip(resolve({ bucket: "bucket", endpoint: "https://me:hunter2@a.test" }))
    )
    assert.notInclude(error.message, "hunter2")
  })
})

describe("a key", () => {
  const good = [
    "a",
    "a/b/",
    "a//b",
    "...",
    "a.",
    "%2e%2e/x",
    "中文/é",
    "a\\b",
    "😀",
    "x".repeat(1023)
  ]
  it.each(good)("may be %j", (key) => {
    assert.deepStrictEqual(ObjectKey.validate(key), Result.succeed(key))
  })

  const bad = ["", "/a", "\\a", ".", "..", "a/./b", "a/..", "../a", "\ud800", "é".repeat(512)]
  it.each(bad)("may not be %j", (key) => {
    const error = Result.getOrThrow(Result.flip(ObjectKey.validate(key)))
    assert.strictEqual(error.field, "key")
  })

  it.prop(
    "that passes keeps its segments in a URL",
    { key: Arbitrary.schema(Schema.String) },
    ({ key }) => {
      if (Result.isFailure(ObjectKey.validate(key))) return
      const path = key.split("/").map(encodeURIComponent).join("/")
      assert.strictEqual(decodeURIComponent(new URL(`http://a.test/${path}`).pathname), `/${key}`)
    },
    { arbitrary: { runs: 300, seed: 1 } }
  )
})
