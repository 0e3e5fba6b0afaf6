import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Router from "../src/internal/wire/router.ts"

const routed = (method: string, url: string, headers: Router.Head["headers"] = {}) =>
  Result.getOrThrow(Router.route({ method, url, headers: { host: "127.0.0.1:80", ...headers } }))

describe("where", () => {
  it.each([
    ["127.0.0.1:8080", "/b/k", "b", "k"],
    ["localhost:8080", "/b/a/b/c", "b", "a/b/c"],
    ["b.localhost:8080", "/k", "b", "k"],
    ["b.oss-cn-hangzhou.aliyuncs.com", "/k", "b", "k"],
    ["b.oss-cn-hangzhou-internal.aliyuncs.com:80", "/", "b", undefined],
    ["B.oss-cn-hangzhou.aliyuncs.com", "/k", "b", "k"],
    ["b.cn-hangzhou.oss.aliyuncs.com", "/k", "b", "k"],
    ["oss-cn-hangzhou.aliyuncs.com", "/b/k", "b", "k"],
    ["null.oss-cn-hangzhou.aliyuncs.com", "/b/k", "b", "k"],
    ["127.0.0.1", "/", undefined, undefined],
    ["127.0.0.1", "/b", "b", undefined],
    ["127.0.0.1", "/b/", "b", undefined],
    ["127.0.0.1", "/b/%E4%B8%AD%2Fa+b%20c%25", "b", "中/a+b c%"],
    ["b.localhost", "//double", "b", "/double"]
  ])("%s%s is bucket %s, key %s", (host, url, bucket, key) => {
    const route = routed("GET", url, { host })
    assert.deepStrictEqual([route.bucket, route.key], [bucket, key])
  })

  it("a path that can't be unescaped is refused", () => {
    const route = Router.route({ method: "GET", url: "/b/%zz", headers: {} })
    assert.isTrue(Result.isFailure(route))
  })
})

describe("what", () => {
  it.each([
    ["POST", "/b/k?uploads", "initiate"],
    ["POST", "/b/k?uploads=", "initiate"],
    ["PUT", "/b/k?partNumber=1&uploadId=U", "uploadPart"],
    ["GET", "/b/k?uploadId=U&max-parts=5", "listParts"],
    ["POST", "/b/k?uploadId=U", "complete"],
    ["DELETE", "/b/k?uploadId=U", "abort"],
    ["GET", "/b?uploads&prefix=x", "listUploads"],
    ["GET", "/b/?list-type=2&prefix=x", "listObjects"],
    ["GET", "/b/?list-type=2&continuation-token=x", "listObjects"],
    ["PUT", "/b/k", "put"],
    ["GET", "/b/k?response-content-type=a", "get"],
    ["GET", "/b/k?x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-signature=0", "get"],
    ["HEAD", "/b/k?objectMeta", "head"],
    ["DELETE", "/b/k", "delete"],
    ["PUT", "/b/", "putBucket"],
    ["GET", "/", "listBuckets"],
    ["GET", "/b?acl", "getBucketAcl"],
    ["GET", "/b?lifecycle", "other"],
    ["GET", "/b/k?x-oss-process=image", "other"],
    ["POST", "/b/k?append&position=0", "append"],
    ["PUT", "/b/k?partNumber=1", "uploadPart"],
    ["POST", "/b?delete", "deleteObjects"],
    ["PATCH", "/b/k", "other"],
    ["DELETE", "/b", "deleteBucket"]
  ] as const)("%s %s is %s", (method, url, operation) => {
    assert.strictEqual(routed(method, url).operation, operation)
  })

  it("a copy is not a put", () => {
    assert.strictEqual(routed("PUT", "/b/k", { "x-oss-copy-source": "/b/j" }).operation, "copy")
  })

  it("an upload's parameters are read", () => {
    const { uploadId, partNumber } = routed("PUT", "/b/k?partNumber=7&uploadId=a%2Bb")
    assert.deepStrictEqual([uploadId, partNumber], ["a+b", 7])
  })
})
