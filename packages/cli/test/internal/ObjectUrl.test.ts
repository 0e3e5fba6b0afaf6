import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Result, Schema } from "effect"
import * as ObjectUrl from "../../src/internal/ObjectUrl.ts"

describe("an object's URL", () => {
  it.each([
    ["oss://bucket/key", "bucket", "key"],
    ["oss://bucket/a/b c/d?e#f%20", "bucket", "a/b c/d?e#f%20"],
    ["oss://bucket", "bucket", ""],
    ["oss://bucket/", "bucket", ""],
    ["oss://bucket/a/", "bucket", "a/"],
    ["oss://bucket//a", "bucket", "/a"],
    ["oss://bucket/a\nb", "bucket", "a\nb"]
  ])("%j has its bucket and its key", (text, bucket, key) => {
    assert.deepStrictEqual(Result.getOrUndefined(ObjectUrl.parse(text)), { bucket, key })
  })

  it.each([
    "",
    "bucket/key",
    "oss:/bucket/key",
    "oss://",
    "oss:///key",
    "s3://bucket/key",
    "x oss://b/k"
  ])("%j is none", (text) => {
    const result = ObjectUrl.parse(text)
    assert.isTrue(Result.isFailure(result))
    if (Result.isFailure(result)) assert.strictEqual(result.failure.remedy, "give oss://BUCKET/KEY")
  })

  it.prop(
    "gives back whatever it was made of",
    {
      bucket: Schema.String.check(Schema.isPattern(/^[a-z0-9-]{3,63}$/)),
      key: Arbitrary.schema(Schema.String)
    },
    ({ bucket, key }) =>
      assert.deepStrictEqual(Result.getOrUndefined(ObjectUrl.parse(`oss://${bucket}/${key}`)), {
        bucket,
        key
      })
  )

  it.each([
    ["", "db.tar"],
    ["a/", "a/db.tar"],
    ["a", "a"],
    ["a/b", "a/b"]
  ])("with the key %j, a file db.tar goes to %s", (key, expected) => {
    assert.strictEqual(ObjectUrl.within({ bucket: "bucket", key }, "db.tar").key, expected)
  })
})
