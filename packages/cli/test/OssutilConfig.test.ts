import { assert, describe, it } from "@effect/vitest"
import { Redacted, Result } from "effect"
import * as OssutilConfig from "../src/internal/OssutilConfig.ts"

describe("ossutil's configuration", () => {
  const read = (text: string) => Result.getOrUndefined(OssutilConfig.parse("file", text))

  it("of version 1 has its own section, and others that don't count", () => {
    const config = read(
      "[Credentials]\r\nlanguage=EN\r\naccessKeyID = id\r\naccessKeySecret=s=t\r\nstsToken=t\r\n[Bucket-Endpoint]\r\nendpoint=other\r\n"
    )
    assert.strictEqual(config?.credentials.accessKeyId, "id")
    assert.strictEqual(Redacted.value(config!.credentials.accessKeySecret), "s=t")
    assert.strictEqual(Redacted.value(config!.credentials.securityToken!), "t")
    assert.isUndefined(config?.endpoint)
  })

  it("of version 2 has a region, and a profile that doesn't count", () => {
    const config = read(
      "[default]\naccessKeyId=id\naccessKeySecret=s\nregion=cn-hangzhou\n[profile dev]\nregion=cn-beijing\n"
    )
    assert.strictEqual(config?.region, "cn-hangzhou")
  })

  it("of version 2 may write names and its section in full, and comments", () => {
    const config = read(
      "[profile default]\n# access-key-id=old\naccess-key-id=id\naccess_key_secret=s\nsts-token=t\nRegion=cn-hangzhou\n[buckets b]\nregion=cn-beijing\n"
    )
    assert.deepStrictEqual([config?.credentials.accessKeyId, config?.region], ["id", "cn-hangzhou"])
    assert.strictEqual(Redacted.value(config!.credentials.securityToken!), "t")
  })

  it("without keys is told of without what it holds", () => {
    const result = OssutilConfig.parse("file", "accessKeySecret=very-secret")
    assert.isTrue(Result.isFailure(result))
    assert.notInclude(JSON.stringify(result), "very-secret")
  })
})
