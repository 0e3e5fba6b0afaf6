import { Crc64 } from "@effect-oss/core"
import { Bucket, type ErrorCode, Listing } from "@effect-oss/emulator"
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, HashMap, Result, Schema } from "effect"
import { createHash } from "node:crypto"

const KiB = 1024

/** A blob of equal bytes. */
const blob = (id: string, size = 100 * KiB, byte = 0): Bucket.Blob => {
  const bytes = new Uint8Array(size).fill(byte)
  return {
    id,
    size,
    md5: createHash("md5").update(bytes).digest("hex").toUpperCase(),
    crc64: Crc64.of(bytes)
  }
}

const etag = (part: Bucket.Blob) => Bucket.quote(part.md5)
const where = { bucket: "bucket", key: "k", uploadId: "u" }
const options = { headers: {}, forbidOverwrite: false, now: 0 }

const create: Bucket.Command = { _tag: "CreateBucket", bucket: "bucket" }
const initiate = (uploadId = "u", key = "k"): Bucket.Command => ({
  _tag: "Initiate",
  ...where,
  ...options,
  uploadId,
  key
})
const uploadPart = (number: number, part: Bucket.Blob, uploadId = "u"): Bucket.Command => ({
  _tag: "UploadPart",
  ...where,
  uploadId,
  number,
  blob: part,
  now: 0
})
const complete = (
  parts: ReadonlyArray<{ readonly number: number; readonly etag: string }> | null,
  forbidOverwrite = false
): Bucket.Command => ({ _tag: "Complete", ...where, ...options, parts, forbidOverwrite })
const put = (part: Bucket.Blob, forbidOverwrite = false, key = "k"): Bucket.Command => ({
  _tag: "Put",
  ...where,
  ...options,
  key,
  blob: part,
  forbidOverwrite
})

/** All must succeed. Gives the last state and the ids of all freed blobs. */
const runAll = (commands: ReadonlyArray<Bucket.Command>) => {
  const freed: Array<string> = []
  const state = commands.reduce((state, command) => {
    const change = Result.getOrThrow(Bucket.apply(state, command))
    freed.push(...change.freed.map(({ id }) => id))
    return change.state
  }, Bucket.empty)
  return { state, freed }
}

const codeOf = (result: Result.Result<unknown, ErrorCode.Refusal>): string =>
  Result.match(result, { onSuccess: () => "done", onFailure: ({ code }) => code })

/** What becomes of the last command. */
const last = (commands: ReadonlyArray<Bucket.Command>): string =>
  codeOf(Bucket.apply(runAll(commands.slice(0, -1)).state, commands.at(-1)!))

const [one, two, three] = [blob("1"), blob("2", 100 * KiB, 1), blob("3", 1, 2)]
const uploaded = [create, initiate(), uploadPart(1, one), uploadPart(2, two), uploadPart(4, three)]
const list = (...parts: ReadonlyArray<readonly [number, Bucket.Blob]>) =>
  parts.map(([number, part]) => ({ number, etag: etag(part) }))

describe("what is refused", () => {
  const cases: ReadonlyArray<readonly [string, ReadonlyArray<Bucket.Command>, string]> = [
    [
      "a bucket name that is none",
      [{ _tag: "CreateBucket", bucket: "Bad_Name" }],
      "InvalidBucketName"
    ],
    ["a bucket again", [create, create], "done"],
    ["initiate without a bucket", [initiate()], "NoSuchBucket"],
    ["a key of 1,023 bytes", [create, initiate("u", "é".repeat(511) + "x")], "done"],
    ["a key of 1,024 bytes", [create, initiate("u", "é".repeat(512))], "InvalidObjectName"],
    ["an empty key", [create, put(one, false, "")], "InvalidObjectName"],
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
    ["an empty list", [...uploaded, complete([])], "MalformedXML"],
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
  const object = Result.getOrThrow(Bucket.findObject(state, where))

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
    const sibling = Bucket.findUpload(state, { ...where, uploadId: "sibling" })
    assert.deepStrictEqual(
      [codeOf(Bucket.findUpload(state, where)), codeOf(sibling)],
      ["NoSuchUpload", "done"]
    )
  })

  it("do not show before complete", () => {
    assert.strictEqual(codeOf(Bucket.findObject(runAll(uploaded).state, where)), "NoSuchKey")
  })
})

describe("lists", () => {
  const numbers = (after: number, max: number) =>
    Result.map(
      Listing.parts(runAll(uploaded).state, { ...where, after, max }),
      ({ items, truncated }) => [items.map(({ number }) => number), truncated]
    )

  it("parts come in pages, behind a marker", () => {
    assert.deepStrictEqual(Result.getOrThrow(numbers(0, 2)), [[1, 2], true])
    assert.deepStrictEqual(Result.getOrThrow(numbers(2, 2)), [[4], false])
    assert.deepStrictEqual(Result.getOrThrow(numbers(0, 3)), [[1, 2, 4], false])
  })

  it.each([0, 1001, 1.5])("a page of %d is refused", (max) => {
    assert.strictEqual(codeOf(numbers(0, max)), "InvalidArgument")
  })

  it("uploads come by key and upload id; the id marker counts only with the key marker", () => {
    const { state } = runAll([
      create,
      initiate("2", "a"),
      initiate("1", "a"),
      initiate("4", "b"),
      initiate("3", "c/x")
    ])
    const ids = (query: Partial<Parameters<typeof Listing.uploads>[1]>) =>
      Result.getOrThrow(
        Result.map(
          Listing.uploads(state, {
            bucket: "bucket",
            prefix: "",
            keyMarker: "",
            uploadIdMarker: "",
            max: 1000,
            ...query
          }),
          ({ items }) => items.map(({ uploadId }) => uploadId).join("")
        )
      )
    assert.deepStrictEqual(
      [
        ids({}),
        ids({ max: 2 }),
        ids({ prefix: "c/" }),
        ids({ keyMarker: "a" }),
        ids({ keyMarker: "a", uploadIdMarker: "1" }),
        ids({ uploadIdMarker: "9" })
      ],
      ["1243", "12", "3", "43", "243", "1243"]
    )
  })

  const keys = ["a", "b/1", "b/2", "b/c/3", "d", "\u{ff5e}", "\u{1f600}"]
  const { state } = runAll([create, ...keys.map((key) => put(blob(key, 1), false, key))])
  const names = (query: Partial<Parameters<typeof Listing.objects>[1]>) =>
    Result.getOrThrow(
      Result.map(
        Listing.objects(state, {
          bucket: "bucket",
          prefix: "",
          delimiter: "",
          after: "",
          max: 1000,
          ...query
        }),
        ({ page }) => page.items.map((entry) => ("key" in entry ? entry.key : `[${entry.prefix}]`))
      )
    )

  it.each([
    ["everything, sorted by bytes", {}, keys],
    ["a prefix", { prefix: "b/" }, ["b/1", "b/2", "b/c/3"]],
    ["a delimiter", { delimiter: "/", max: 3 }, ["a", "[b/]", "d"]],
    ["a prefix and a delimiter", { prefix: "b/", delimiter: "/" }, ["b/1", "b/2", "[b/c/]"]],
    ["behind a key", { after: "b/2", max: 2 }, ["b/c/3", "d"]],
    ["behind a key that is not there", { after: "c", max: 1 }, ["d"]],
    ["behind a group", { after: "b/", delimiter: "/", max: 1 }, ["d"]],
    ["behind a key inside a group", { after: "b/1", delimiter: "/", max: 2 }, ["[b/]", "d"]]
  ] as const)("objects: %s", (_, query, expected) => {
    assert.deepStrictEqual(names(query), [...expected])
  })
})

/** One step of a history: small choices, so that steps meet. */
const Step = Schema.Struct({
  what: Schema.Literals([
    "Initiate",
    "UploadPart",
    "Complete",
    "Abort",
    "Put",
    "Delete",
    "RemovePart"
  ]),
  key: Schema.Literals(["a", "b"]),
  uploadId: Schema.Literals(["u", "v"]),
  number: Schema.Literals([1, 2, 3]),
  size: Schema.Literals([0, 1, 100 * KiB])
})

const commandOf = (step: typeof Step.Type, index: number): Bucket.Command => {
  const { what, key, uploadId, number, size } = step
  const place = { bucket: "bucket", key }
  const part = { id: String(index), size, md5: String(size), crc64: BigInt(size) }
  switch (what) {
    case "Initiate":
      // An upload id is never given twice, and belongs to one key.
      return { _tag: what, ...place, ...options, uploadId: `${uploadId}${key}` }
    case "UploadPart":
      return { _tag: what, ...place, uploadId: `${uploadId}${key}`, number, blob: part, now: 0 }
    case "Complete":
      return { _tag: what, ...place, ...options, uploadId: `${uploadId}${key}`, parts: null }
    case "Abort":
      return { _tag: what, ...place, uploadId: `${uploadId}${key}` }
    case "RemovePart":
      return { _tag: what, ...place, uploadId: `${uploadId}${key}`, number }
    case "Put":
      return { _tag: what, ...place, ...options, blob: part }
    case "Delete":
      return { _tag: what, ...place }
  }
}

it.prop(
  "each blob is either referred to or freed, exactly once, whatever happens",
  { steps: Arbitrary.array(Arbitrary.schema(Step), { maxLength: 40 }) },
  ({ steps }) => {
    let state = Result.getOrThrow(Bucket.apply(Bucket.empty, create)).state
    const begun = new Set<string>()
    const kept: Array<string> = []
    const freed: Array<string> = []
    for (const [index, step] of steps.entries()) {
      const command = commandOf(step, index)
      if (command._tag === "Initiate") {
        if (begun.has(command.uploadId)) continue
        begun.add(command.uploadId)
      }
      const change = Bucket.apply(state, command)
      if (Result.isFailure(change)) continue
      state = change.success.state
      if ("blob" in command) kept.push(command.blob.id)
      freed.push(...change.success.freed.map(({ id }) => id))
    }
    assert.deepStrictEqual([...Bucket.blobIds(state), ...freed].sort(), kept.sort())
  },
  { arbitrary: { runs: 300, seed: 1 } }
)

it.prop(
  "pages of any size join to the whole list",
  {
    numbers: Arbitrary.array(
      Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 }))),
      { maxLength: 30 }
    ),
    max: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 7 }))
  },
  ({ numbers, max }) => {
    const { state } = runAll([create, initiate(), ...numbers.map((n) => uploadPart(n, three))])
    const found: Array<number> = []
    for (let after = 0, more = true; more;) {
      const page = Result.getOrThrow(Listing.parts(state, { ...where, after, max }))
      assert.isAtMost(page.items.length, max)
      found.push(...page.items.map(({ number }) => number))
      after = found.at(-1) ?? 0
      more = page.truncated
    }
    assert.deepStrictEqual(
      found,
      [...new Set(numbers)].sort((a, b) => a - b)
    )
  },
  { arbitrary: { runs: 100, seed: 1 } }
)

it("10,000 parts cost little more each than the first", () => {
  const part = { id: "x", size: 100 * KiB, md5: "M", crc64: 1n }
  const numbers = Array.from({ length: 10_000 }, (_, index) => index + 1)
  const { state } = runAll([create, initiate(), ...numbers.map((n) => uploadPart(n, part))])
  const [, upload] = Result.getOrThrow(Bucket.findUpload(state, where))
  assert.strictEqual(HashMap.size(upload.parts), 10_000)
  const object = Result.getOrThrow(Bucket.apply(state, complete(null))).state
  assert.strictEqual(Result.getOrThrow(Bucket.findObject(object, where)).size, 10_000 * 100 * KiB)
}, 5_000)

it("a command survives being written down", () => {
  const codec = Schema.fromJsonString(Schema.toCodecJson(Bucket.Command))
  const command = uploadPart(1, { ...one, crc64: 2n ** 64n - 1n })
  assert.deepStrictEqual(Schema.decodeSync(codec)(Schema.encodeSync(codec)(command)), command)
})
