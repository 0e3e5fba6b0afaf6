import { assert, describe, it } from "@effect/vitest"
import { Checkpoint, Crc64, Part, OssModel } from "@effect-oss/core"
import { Option, Result, Schema } from "effect"
import * as Parts from "../../src/internal/parts.ts"
import * as Decisions from "../../src/internal/upload/decisions.ts"
import type { RestartReason } from "../../src/internal/checkpoint.ts"
import { digestOptions } from "../../src/internal/checkpoint.ts"

const partSize = Part.minPartSize
const plan = Result.getOrThrow(Part.plan(4 * partSize + 1, partSize))

const uploaded = (number: number, change: Partial<Part.UploadedPart> = {}): Part.UploadedPart => ({
  ...plan.parts[number - 1]!,
  etag: `"E${number}"`,
  crc64: BigInt(number),
  ...change
})

const listed = (
  number: number,
  change: Partial<OssModel.ListedPart> = {}
): OssModel.ListedPart => ({
  number,
  size: plan.parts[number - 1]!.size,
  etag: `"E${number}"`,
  crc64: Option.some(BigInt(number)),
  ...change
})

const tags = (
  journal: ReadonlyArray<Part.UploadedPart>,
  server: ReadonlyArray<OssModel.ListedPart> | null
) =>
  Decisions.reconcile(plan, journal, Option.fromNullOr(server))
    .map((task) => task._tag[0])
    .join("")

describe("Decisions.reconcile", () => {
  const cases: ReadonlyArray<
    [string, ReadonlyArray<Part.UploadedPart>, ReadonlyArray<OssModel.ListedPart> | null, string]
  > = [
    ["nothing is known", [], [], "MMMMM"],
    ["both know parts in any order", [uploaded(5), uploaded(2)], [listed(2), listed(5)], "MDMMD"],
    ["the server lost a part", [uploaded(1), uploaded(2)], [listed(2)], "MDMMM"],
    ["the journal lost a part", [uploaded(1)], [listed(1), listed(3)], "DMAMM"],
    ["the ETag differs", [uploaded(1)], [listed(1, { etag: '"other"' })], "AMMMM"],
    ["the CRC64 differs", [uploaded(1)], [listed(1, { crc64: Option.some(9n) })], "AMMMM"],
    ["the server's part has another size", [uploaded(1)], [listed(1, { size: 7 })], "MMMMM"],
    ["the journal's part has another place", [uploaded(1, { offset: 1 })], [listed(1)], "AMMMM"],
    [
      "the server doesn't tell CRC64s",
      [uploaded(1)],
      [listed(1, { crc64: Option.none() })],
      "DMMMM"
    ],
    [
      "only the server knows it and tells no CRC64",
      [],
      [listed(1, { crc64: Option.none() })],
      "MMMMM"
    ],
    ["parts can't be listed", [uploaded(1), uploaded(4)], null, "DMMDM"],
    ["parts can't be listed and a record doesn't fit", [uploaded(1, { size: 7 })], null, "MMMMM"]
  ]
  it.each(cases)("when %s", (_, journal, server, expected) => {
    assert.strictEqual(tags(journal, server), expected)
  })

  it("ignores parts of the server beyond the plan", () => {
    const beyond = { ...listed(5), number: 6 }
    assert.strictEqual(tags([], [beyond]), "MMMMM")
  })

  it.prop(
    "names every part once, and as done only what both sides agree on",
    {
      journal: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5 }))),
      server: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5 })))
    },
    ({ journal, server }) => {
      const tasks = Decisions.reconcile(
        plan,
        journal.map((number) => uploaded(number)),
        Option.some(server.map((number) => listed(number)))
      )
      assert.deepStrictEqual(
        tasks.map(({ part }) => part.number),
        [1, 2, 3, 4, 5]
      )
      for (const { _tag, part } of tasks) {
        const [known, there] = [journal.includes(part.number), server.includes(part.number)]
        assert.strictEqual(_tag, there ? (known ? "Done" : "Adoptable") : "Missing")
      }
    },
    { arbitrary: { runs: 200, seed: 3 } }
  )
})

const header: Checkpoint.Header = {
  endpoint: "http://e",
  bucket: "b",
  key: "k",
  sourceId: "s",
  fingerprint: "f",
  size: plan.size,
  partSize,
  options: digestOptions({}),
  createdAt: 0,
  uploadId: "u"
}

describe("Checkpoint.keyOf", () => {
  it("differs with the endpoint, the bucket, the key and the source, and with nothing else", () => {
    const others = [
      { endpoint: "https://elsewhere.test" },
      { bucket: "another" },
      { key: "another" },
      { sourceId: "another" }
    ]
    const keys = [{}, ...others].map((other) => Checkpoint.keyOf({ ...header, ...other }))
    assert.strictEqual(new Set(keys).size, keys.length)
    const sameKey = { ...header, uploadId: "another" }
    assert.strictEqual(Checkpoint.keyOf(sameKey), keys[0])
  })
})

describe("Checkpoint.make", () => {
  it("has a part once that was recorded twice, as it was recorded last", () => {
    const part = { number: 1, offset: 0, size: partSize, etag: "first", crc64: 1n }
    const again = { ...part, etag: "again", crc64: 2n }
    assert.deepStrictEqual(Checkpoint.make(header, [part, again]).parts, [again])
  })
})

describe("Decisions.incompatibility", () => {
  const wanted = {
    size: plan.size,
    fingerprint: "f",
    options: header.options,
    partSize: Option.none<number>()
  }
  it("lets the same upload carry on, with the checkpoint's part size or the same one", () => {
    assert.isTrue(Option.isNone(Decisions.incompatibility(header, wanted)))
    const same = { ...wanted, partSize: Option.some(partSize) }
    assert.isTrue(Option.isNone(Decisions.incompatibility(header, same)))
  })
  const changes: ReadonlyArray<[RestartReason, Partial<typeof wanted>]> = [
    ["SourceChanged", { fingerprint: "g" }],
    ["SourceChanged", { size: 1 }],
    ["OptionsChanged", { options: digestOptions({ mime: "text/plain" }) }],
    ["PartSizeChanged", { partSize: Option.some(2 * partSize) }]
  ]
  it.each(changes)("says %s for %o", (reason, change) => {
    const found = Decisions.incompatibility(header, { ...wanted, ...change })
    assert.deepStrictEqual(found, Option.some(reason))
  })
})

describe("Decisions.incompatibility of an upload whose size isn't known", () => {
  const wanted = {
    size: null,
    fingerprint: "f",
    options: header.options,
    partSize: Option.none<number>()
  }
  it("lets it carry on if its parts grew by the same rule, and says so if not", () => {
    const found = [Parts.growth, Parts.growth + 1].map((growth) =>
      Decisions.incompatibility({ ...header, size: null, growth }, wanted)
    )
    assert.deepStrictEqual(found, [Option.none(), Option.some("PartSizeChanged")])
  })
})

describe("digestOptions", () => {
  it("is blind to order, to what is undefined, and to what Complete sets", () => {
    const a = digestOptions({ mime: "a/b", meta: { x: "1", y: "2" } })
    const b = digestOptions({
      meta: { y: "2", x: "1" },
      mime: "a/b",
      headers: undefined,
      acl: "private",
      callback: { url: "http://callback.test/", body: "done" }
    })
    assert.strictEqual(a, b)
  })
  it("sees any other difference, and shows no value", () => {
    const digests = [
      {},
      { mime: "a/b" },
      { meta: { x: "secret" } },
      { meta: { x: "secret2" } },
      { headers: { x: "secret" } },
      { forbidOverwrite: true }
    ].map(digestOptions)
    assert.strictEqual(new Set(digests).size, digests.length)
    assert.isFalse(digests.some((digest) => digest.includes("secret")))
  })
})

describe("Decisions.wholeCrc64", () => {
  const content = Uint8Array.from({ length: plan.size }, (_, index) => index * 7)
  const parts = plan.parts.map((part) => ({
    ...part,
    etag: "e",
    crc64: Crc64.of(content.subarray(part.offset, part.offset + part.size))
  }))
  it("is the CRC64 of the joined parts, in whatever order they came", () => {
    const crc = Decisions.wholeCrc64(plan, parts.toReversed())
    assert.deepStrictEqual(crc, Option.some(Crc64.of(content)))
  })
  it("is none while a part is missing or doesn't fit", () => {
    assert.isTrue(Option.isNone(Decisions.wholeCrc64(plan, parts.slice(1))))
    const wrong = [{ ...parts[0]!, size: 1 }, ...parts.slice(1)]
    assert.isTrue(Option.isNone(Decisions.wholeCrc64(plan, wrong)))
  })
})

describe("Decisions.planOf", () => {
  const sizes = (...numbers: ReadonlyArray<number>) => numbers.map((number) => listed(number))
  const cases: ReadonlyArray<[string, ReadonlyArray<OssModel.ListedPart>]> = [
    ["all parts", sizes(1, 2, 3, 4, 5)],
    ["some parts", sizes(2, 4)],
    ["one part", sizes(3)],
    ["the last part alone", sizes(5)]
  ]
  it.each(cases)("finds the part size by %s", (_, parts) => {
    assert.deepStrictEqual(Decisions.planOf(plan.size, parts), Option.some(plan))
  })
  it("finds none for parts of another source, or without parts", () => {
    assert.isTrue(Option.isNone(Decisions.planOf(plan.size, [])))
    assert.isTrue(Option.isNone(Decisions.planOf(plan.size + 7, sizes(1, 2, 3, 4, 5))))
    assert.isTrue(Option.isNone(Decisions.planOf(plan.size, [listed(1), listed(2, { size: 7 })])))
    assert.isTrue(Option.isNone(Decisions.planOf(partSize, sizes(2))))
  })
})
