import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Signature from "../src/internal/signature/verify.ts"

const codeOf = (result: Result.Result<unknown, { readonly code: string }>): string =>
  Result.match(result, { onSuccess: () => "accepted", onFailure: ({ code }) => code })

/** The example of OSS's documentation, "Include signatures in headers". */
const documentedV1 = {
  credential: {
    accessKeyId: "44CF9590006BF252F707",
    accessKeySecret: "OtxrzxIsfpFjA7SwPzILwy8Bw21TLhquhboDYROV"
  },
  now: Date.parse("Thu, 17 Nov 2005 18:49:58 GMT"),
  request: {
    method: "PUT",
    bucket: "oss-example",
    key: "nelson",
    query: [],
    headers: {
      authorization: "OSS 44CF9590006BF252F707:26NBxoKdsyly4EDv6inkoDft/yA=",
      "content-md5": "ODBGOERFMDMzQTczRUY3NUE3NzA5QzdFNUYzMDQxNEM=",
      "content-type": "text/html",
      date: "Thu, 17 Nov 2005 18:49:58 GMT",
      host: "oss-example.oss-cn-hangzhou.aliyuncs.com",
      "x-oss-magic": "abracadabra",
      "x-oss-meta-author": "foo@bar.com"
    }
  }
} as const

/** The vectors that Alibaba's SDKs test their version 4 signers with. */
const publishedV4 = (how: {
  readonly seconds: number
  readonly token?: string
  readonly authorization: string
}) => ({
  now: how.seconds * 1000,
  request: {
    method: "PUT",
    bucket: "bucket",
    key: "1234+-/123/1.txt",
    query: [
      ["param1", "value1"],
      ["+param1", "value3"],
      ["|param1", "value4"],
      ["+param2", ""],
      ["|param2", ""],
      ["param2", ""]
    ] as const,
    headers: {
      authorization: `OSS4-HMAC-SHA256 ${how.authorization}`,
      "x-oss-head1": "value",
      abc: "value",
      zabc: "value",
      xyz: "value",
      "content-type": "text/plain",
      "x-oss-content-sha256": "UNSIGNED-PAYLOAD",
      "x-oss-date": new Date(how.seconds * 1000).toISOString().replace(/[-:]|\.\d+/g, ""),
      "x-oss-security-token": how.token
    }
  }
})

const plain = publishedV4({
  seconds: 1702743657,
  authorization:
    "Credential=ak/20231216/cn-hangzhou/oss/aliyun_v4_request,Signature=e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe"
})
const withToken = publishedV4({
  seconds: 1702784856,
  token: "token",
  authorization:
    "Credential=ak/20231217/cn-hangzhou/oss/aliyun_v4_request,Signature=b94a3f999cf85bcdc00d332fbd3734ba03e48382c36fa4d5af5df817395bd9ea"
})
const withAdditional = publishedV4({
  seconds: 1702747512,
  authorization:
    "Credential=ak/20231216/cn-hangzhou/oss/aliyun_v4_request,AdditionalHeaders=abc;zabc,Signature=4a4183c187c07c8947db7620deb0a6b38d9fbdd34187b6dbaccb316fa251212f"
})
const ak = { accessKeyId: "ak", accessKeySecret: "sk" }

describe("published vectors", () => {
  it("version 1 in a header", () => {
    const { request, credential, now } = documentedV1
    assert.strictEqual(codeOf(Signature.verify(request, [credential], now)), "accepted")
  })

  it("version 1 in a URL", () => {
    const request = {
      method: "GET",
      bucket: "oss-example",
      key: "oss-api.pdf",
      query: [
        ["OSSAccessKeyId", "44CF9590006BF252F707"],
        ["Expires", "1141889120"],
        ["Signature", "EwaNTn1erJGkimiJ9WmXgwnANLc="]
      ] as const,
      headers: {}
    }
    const at = (seconds: number) =>
      codeOf(Signature.verify(request, [documentedV1.credential], seconds * 1000))
    assert.deepStrictEqual([at(1141889120), at(1141889121)], ["accepted", "AccessDenied"])
  })

  it("version 4", () => {
    assert.strictEqual(codeOf(Signature.verify(plain.request, [ak], plain.now)), "accepted")
  })

  it("version 4 with a security token", () => {
    const credential = { ...ak, securityToken: "token" }
    const verified = Signature.verify(withToken.request, [credential], withToken.now)
    assert.strictEqual(codeOf(verified), "accepted")
  })

  it("version 4 with additional headers", () => {
    const verified = Signature.verify(withAdditional.request, [ak], withAdditional.now)
    assert.strictEqual(codeOf(verified), "accepted")
  })
})

describe("refusals", () => {
  const { request, now } = plain
  const credential = { ...ak, securityToken: "token", expiresAt: withToken.now + 1 }
  const changed = (headers: Readonly<Record<string, string | undefined>>) => ({
    ...request,
    headers: { ...request.headers, ...headers }
  })

  it.each([
    ["another method", { ...request, method: "POST" }, "SignatureDoesNotMatch"],
    ["another bucket", { ...request, bucket: "other" }, "SignatureDoesNotMatch"],
    ["another key", { ...request, key: "1234 -/123/1.txt" }, "SignatureDoesNotMatch"],
    ["another query", { ...request, query: [["param1", "x"]] as const }, "SignatureDoesNotMatch"],
    ["a header of OSS's that was added", changed({ "x-oss-new": "1" }), "SignatureDoesNotMatch"],
    ["a header that is not signed", changed({ xyz: "other" }), "accepted"],
    [
      "a date of another day",
      changed({ "x-oss-date": "20231217T000000Z" }),
      "RequestTimeTooSkewed"
    ],
    ["no date", changed({ "x-oss-date": undefined }), "InvalidArgument"],
    ["a date that is none", changed({ "x-oss-date": "soon" }), "AccessDenied"],
    ["no signature", changed({ authorization: undefined }), "AccessDenied"],
    ["an empty header of version 1", changed({ authorization: "OSS " }), "InvalidArgument"],
    [
      "an empty header of version 4",
      changed({ authorization: "OSS4-HMAC-SHA256 " }),
      "InvalidArgument"
    ],
    [
      "a token that was not asked for",
      changed({ "x-oss-security-token": "t" }),
      "InvalidSecurityToken"
    ]
  ] as const)("%s", (_, request, code) => {
    assert.strictEqual(codeOf(Signature.verify(request, [ak], now)), code)
  })

  it("an unknown access key", () => {
    assert.strictEqual(codeOf(Signature.verify(request, [], now)), "InvalidAccessKeyId")
  })

  it("another secret, telling what should have been signed", () => {
    const verified = Signature.verify(request, [{ ...ak, accessKeySecret: "other" }], now)
    const details = Result.match(verified, {
      onSuccess: () => ({}),
      onFailure: ({ details }) => details
    })
    assert.deepInclude(details, {
      OSSAccessKeyId: "ak",
      SignatureProvided: "e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe"
    })
    assert.match(
      Reflect.get(details, "StringToSign"),
      /^OSS4-HMAC-SHA256\n20231216T162057Z\n20231216\/cn-hangzhou\/oss\/aliyun_v4_request\n[0-9a-f]{64}$/
    )
  })

  it.each([
    [0, "accepted"],
    [15 * 60_000, "accepted"],
    [-15 * 60_000, "accepted"],
    [15 * 60_000 + 1, "RequestTimeTooSkewed"],
    [-15 * 60_000 - 1, "RequestTimeTooSkewed"]
  ] as const)("a clock that is %d ms off is %s", (offset, code) => {
    assert.strictEqual(codeOf(Signature.verify(request, [ak], now + offset)), code)
  })

  it.each([
    ["the right token", "token", withToken.now, "accepted"],
    ["no token", undefined, withToken.now, "InvalidSecurityToken"],
    ["another token", "other", withToken.now, "InvalidSecurityToken"],
    ["a token that has expired", "token", withToken.now + 1, "SecurityTokenExpired"]
  ] as const)("temporary credentials with %s", (_, token, now, code) => {
    const request = {
      ...withToken.request,
      headers: { ...withToken.request.headers, "x-oss-security-token": token }
    }
    assert.strictEqual(codeOf(Signature.verify(request, [credential], now)), code)
  })
})
