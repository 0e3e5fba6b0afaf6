import { Crc64 } from "@effect-oss/core"
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Bucket from "../src/internal/state/model.ts"
import { findObject, findUpload } from "../src/internal/state/queries.ts"
import {
  KiB,
  append,
  blob,
  codeOf,
  complete,
  create,
  deleteBucket,
  describeTags,
  initiate,
  last,
  list,
  one,
  put,
  runAll,
  sequential,
  three,
  two,
  uploadPart,
  uploaded,
  where
} from "./commands.ts"

describe("what is refused", () => {
  const cases: ReadonlyArray<readonly [string, ReadonlyArray<Bucket.Command>, string]> = [
    [
      "a bucket name that is none",
      [{ _tag: "CreateBucket", bucket: "Bad_Name", now: 0 }],
      "InvalidBucketName"
    ],
    ["a bucket again", [create, create], "done"],
    ["initiate without a bucket", [initiate()], "NoSuchBucket"],
    ["a key of 1,023 bytes", [create, initiate("u", "é".repeat(511) + "x")], "done"],
    ["a key of 1,024 bytes", [create, initiate("u", "é".repeat(512))], "InvalidObjectName"],
    ["an empty key", [create, put(one, false, "")], "InvalidObjectName"],
    ["a key that begins with /", [create, put(one, false, "/k")], "InvalidObjectName"],
    ["a key that begins with \\", [create, initiate("u", "\\k")], "InvalidObjectName"],
    ["a key with / elsewhere", [create, put(one, false, "k//")], "done"],
    ["appending at the end", [create, append(one, 0), append(two, one.size)], "done"],
    ["appending elsewhere", [create, append(one, 0), append(two, 1)], "PositionNotEqualToLength"],
    ["appending to what was put", [create, put(one), append(two, one.size)], "ObjectNotAppendable"],
    ["a part out of sequence", [create, sequential, uploadPart(2, one)], "PartNotSequential"],
    [
      "parts in sequence",
      [create, sequential, uploadPart(1, one), uploadPart(2, two), uploadPart(1, two)],
      "done"
    ],
    ["describing what is not there", [create, describeTags("a=1")], "NoSuchKey"],
    ["describing", [create, put(one), describeTags("a=1"), describeTags(null)], "done"],
    ["deleting a bucket", [create, deleteBucket], "done"],
    ["deleting a bucket with an object", [create, put(one), deleteBucket], "BucketNotEmpty"],
    ["deleting a bucket with an upload", [create, initiate(), deleteBucket], "BucketNotEmpty"],
    ["deleting a bucket twice", [create, deleteBucket, deleteBucket], "NoSuchBucket"],
    ["part 0", [create, initiate(), uploadPart(0, one)], "InvalidArgument"],
    ["part 1", [create, initiate(), uploadPart(1, one)], "done"],
    ["part 10,000", [create, initiate(), uploadPart(10_000, one)], "done"],
    ["part 10,001", [create, initiate(), uploadPart(10_001, one)], "InvalidArgument"],
    ["part 1.5", [create, initiate(), uploadPart(1.5, one)], "InvalidArgument"],
    ["part NaN", [create, initiate(), uploadPart(Number.NaN, one)], "InvalidArgument"],
    ["a part of no upload", [create, uploadPart(1, one)], "NoSuchUpload"],
    [
      "a part of another key's upload",
      [create, initiate("u", "other"), uploadPart(1, one)],
      "NoSuchUpload"
    ],
    ["all parts", [...uploaded, complete(list([1, one], [2, two], [4, three]))], "done"],
    ["a subset", [...uploaded, complete(list([2, two], [4, three]))], "done"],
    ["whatever is there", [...uploaded, complete(null)], "done"],
    ["whatever is there, if nothing is", [create, initiate(), complete(null)], "InvalidPart"],
    ["an empty list", [...uploaded, complete([])], "done"],
    ["descending numbers", [...uploaded, complete(list([2, two], [1, one]))], "InvalidPartOrder"],
    ["a number twice", [...uploaded, complete(list([1, one], [1, one]))], "InvalidPartOrder"],
    ["a part that is missing", [...uploaded, complete(list([1, one], [3, one]))], "InvalidPart"],
    ["a part with another ETag", [...uploaded, complete(list([1, two]))], "InvalidPart"],
    [
      "an ETag without quotes, in lower case",
      [...uploaded, complete([{ number: 1, etag: one.md5.toLowerCase() }])],
      "done"
    ],
    ["a small part at the end", [...uploaded, complete(list([1, one], [4, three]))], "done"],
    [
      "a small part before the end",
      [create, initiate(), uploadPart(1, three), uploadPart(2, two), complete(null)],
      "EntityTooSmall"
    ],
    ["a second complete", [...uploaded, complete(null), complete(null)], "NoSuchUpload"],
    [
      "complete after abort",
      [...uploaded, { _tag: "Abort", ...where }, complete(null)],
      "NoSuchUpload"
    ],
    [
      "abort twice",
      [...uploaded, { _tag: "Abort", ...where }, { _tag: "Abort", ...where }],
      "NoSuchUpload"
    ],
    ["overwriting by put", [create, put(one), put(two)], "done"],
    ["overwriting by put, forbidden", [create, put(one), put(two, true)], "FileAlreadyExists"],
    [
      "overwriting by complete, forbidden",
      [...uploaded, put(three), complete(null, true)],
      "FileAlreadyExists"
    ],
    ["a new object, overwriting forbidden", [...uploaded, complete(null, true)], "done"],
    ["deleting what is not there", [create, { _tag: "Delete", ...where }], "done"],
    ["deleting in no bucket", [{ _tag: "Delete", ...where }], "NoSuchBucket"]
  ]
  it.each(cases)("%s", (_, commands, code) => {
    assert.strictEqual(last(commands), code)
  })
})

describe("what becomes of the blobs", () => {
  const cases: ReadonlyArray<
    readonly [string, ReadonlyArray<Bucket.Command>, ReadonlyArray<string>]
  > = [
    [
      "a part sent again frees the first",
      [create, initiate(), uploadPart(1, one), uploadPart(1, two)],
      ["1"]
    ],
    [
      "complete frees the parts that are not listed",
      [...uploaded, complete(list([2, two]))],
      ["1", "3"]
    ],
    ["complete frees the object before", [...uploaded, put(blob("old")), complete(null)], ["old"]],
    ["abort frees all parts", [...uploaded, { _tag: "Abort", ...where }], ["1", "2", "3"]],
    [
      "delete frees all that an object is made of",
      [...uploaded, complete(null), { _tag: "Delete", ...where }],
      ["1", "2", "3"]
    ],
    [
      "a part that gets lost is freed",
      [...uploaded, { _tag: "RemovePart", ...where, number: 2 }],
      ["2"]
    ]
  ]
  it.each(cases)("%s", (_, commands, freed) => {
    assert.deepStrictEqual(runAll(commands).freed.sort(), freed)
  })
})

describe("objects of parts", () => {
  const { state } = runAll([...uploaded, initiate("sibling"), complete(null)])
  const object = Result.getOrThrow(findObject(state, where))

  it("have the parts' bytes, CRC64 and an ETag that says how many they are", () => {
    const whole = Crc64.combine(
      Crc64.combine(one.crc64, two.crc64, two.size),
      three.crc64,
      three.size
    )
    assert.deepStrictEqual([object.size, object.crc64], [200 * KiB + 1, whole])
    assert.match(object.etag, /^"[0-9A-F]{32}-3"$/)
  })

  it("leave other uploads of the key alone", () => {
    const sibling = findUpload(state, { ...where, uploadId: "sibling" })
    assert.deepStrictEqual(
      [codeOf(findUpload(state, where)), codeOf(sibling)],
      ["NoSuchUpload", "done"]
    )
  })

  it("do not show before complete", () => {
    assert.strictEqual(codeOf(findObject(runAll(uploaded).state, where)), "NoSuchKey")
  })
})
