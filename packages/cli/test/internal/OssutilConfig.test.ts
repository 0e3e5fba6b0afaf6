import { assert, describe, it } from "@effect/vitest"
import { Redacted, Result } from "effect"
import * as OssutilConfig from "../../src/internal/OssutilConfig.ts"

describe("ossutil's configuration", () => {
  const read = (text: string, bucket = "backups", profile?: string) =>
    Result.getOrUndefined(OssutilConfig.parse("file", text, { bucket, profile }))

  it("of version 1 has its own section, and others that don't count", () => {
    const config = read(
      "[Credentials]\r\nlanguage=EN\r\naccessKeyID = id\r\naccessKeySecret=s=t\r\nstsToken=t\r\n[Bucket-Endpoint]\r\nendpoint=other\r\n"
    )
    assert.strictEqual(config?.credentials?.accessKeyId, "id")
    assert.strictEqual(Redacted.value(config!.credentials!.accessKeySecret), "s=t")
    assert.strictEqual(Redacted.value(config!.credentials!.securityToken!), "t")
    assert.isUndefined(config?.endpoint)
  })

  it("may begin with the mark that Windows' editors write", () => {
    const config = read("\uFEFF[Credentials]\naccessKeyID=id\naccessKeySecret=s\n")
    assert.strictEqual(config?.credentials?.accessKeyId, "id")
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
    assert.deepStrictEqual(
      [config?.credentials?.accessKeyId, config?.region],
      ["id", "cn-hangzhou"]
    )
    assert.strictEqual(Redacted.value(config!.credentials!.securityToken!), "t")
  })

  it("has a profile that is asked for, or none", () => {
    const text =
      "[default]\naccessKeyId=id\naccessKeySecret=s\n[profile Dev]\naccess-key-id=dev\naccess-key-secret=s\nregion=cn-beijing\n"
    const config = read(text, "b", "dev")
    assert.deepStrictEqual(
      [config?.credentials?.accessKeyId, config?.region],
      ["dev", "cn-beijing"]
    )
    const none = OssutilConfig.parse("file", text, { bucket: "b", profile: "x" })
    assert.isTrue(Result.isFailure(none) && none.failure.problem === "file has no profile x")
  })

  it("has an endpoint or a domain of the bucket's own", () => {
    const text =
      "[Credentials]\naccessKeyID=id\naccessKeySecret=s\nendpoint=all\n[Bucket-Endpoint]\nmy-bucket = own\nmine=own\n[Bucket-Cname]\nmine = a.test\n[buckets two]\nendpoint=two\nregion=cn-beijing\n"
    const place = (bucket: string) => {
      const config = read(text, bucket)
      return [config?.endpoint, config?.cname, config?.region]
    }
    assert.deepStrictEqual(place("my-bucket"), ["own", undefined, undefined])
    assert.deepStrictEqual(place("mine"), ["a.test", true, undefined])
    assert.deepStrictEqual(place("two"), ["two", undefined, "cn-beijing"])
    assert.deepStrictEqual(place("other"), ["all", undefined, undefined])
  })

  it("leaves the keys to a service by its mode, or by AkService", () => {
    for (const text of [
      "[default]\nmode=EcsRamRole\n",
      "[Credentials]\nendpoint=e\n[AkService]\necsAk=http://100.100.100.200/r\n"
    ]) {
      const config = read(text)
      assert.isDefined(config)
      assert.isUndefined(config.credentials)
    }
  })

  it("without keys is told of without what it holds", () => {
    const result = OssutilConfig.parse("file", "accessKeySecret=very-secret", { bucket: "b" })
    assert.isTrue(Result.isFailure(result))
    assert.notInclude(JSON.stringify(result), "very-secret")
  })
})
