import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Result, Schema } from "effect"
import * as Listing from "../src/internal/state/listing.ts"
import {
  blob,
  codeOf,
  create,
  initiate,
  put,
  runAll,
  three,
  uploadPart,
  uploaded,
  where
} from "./commands.ts"

describe("lists", () => {
  const numbers = (after: number, max: number) =>
    Result.map(
      Listing.parts(runAll(uploaded).state, { ...where, after, max }),
      ({ page: { items, truncated } }) => [items.map(({ number }) => number), truncated]
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
            delimiter: "",
            keyMarker: "",
            uploadIdMarker: "",
            max: 1000,
            ...query
          }),
          ({ items }) =>
            items.map((entry) => ("uploadId" in entry ? entry.uploadId : entry.prefix)).join("")
        )
      )
    assert.deepStrictEqual(
      [
        ids({}),
        ids({ max: 2 }),
        ids({ prefix: "c/" }),
        ids({ keyMarker: "a" }),
        ids({ keyMarker: "a", uploadIdMarker: "1" }),
        ids({ uploadIdMarker: "9" }),
        ids({ delimiter: "/" }),
        ids({ delimiter: "/", keyMarker: "c/" })
      ],
      ["1243", "12", "3", "43", "243", "1243", "124c/", ""]
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

it("pages of versions of any size join to the whole list", () => {
  const keys = ["a", "b/1", "b/2", "c"]
  const { state } = runAll([
    create,
    { _tag: "ConfigureBucket", bucket: "bucket", versioning: "Enabled" },
    ...[1, 2, 3].flatMap((round) =>
      keys.map((key) =>
        Object.assign(put(blob(`${key}${round}`, 1), false, key), { newVersionId: `${round}` })
      )
    ),
    { _tag: "Delete", bucket: "bucket", key: "c", newVersionId: "4", now: 0 }
  ])
  const pages = (max: number, delimiter: string) => {
    const names: Array<string> = []
    let position = { keyMarker: "", versionIdMarker: "" }
    for (;;) {
      const query = { bucket: "bucket", prefix: "", delimiter, ...position, max }
      const { items, truncated } = Result.getOrThrow(Listing.versions(state, query))
      for (const entry of items) {
        const isGroup = "prefix" in entry
        const key = isGroup ? entry.prefix : entry.version.key
        const versionId = isGroup ? "" : entry.version.versionId
        names.push(`${key}:${versionId}${!isGroup && entry.isLatest ? "!" : ""}`)
        position = { keyMarker: key, versionIdMarker: versionId }
      }
      if (!truncated) return names.join(" ")
    }
  }
  const all = "a:3! a:2 a:1 b/1:3! b/1:2 b/1:1 b/2:3! b/2:2 b/2:1 c:4! c:3 c:2 c:1"
  const grouped = "a:3! a:2 a:1 b/: c:4! c:3 c:2 c:1"
  for (const max of [1, 2, 3, 5, 1000]) {
    assert.deepStrictEqual([pages(max, ""), pages(max, "/")], [all, grouped])
  }
})

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
      const { page } = Result.getOrThrow(Listing.parts(state, { ...where, after, max }))
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
