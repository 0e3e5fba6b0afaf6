import { assert, describe, it } from "@effect/vitest"
import { Part } from "@effect-oss/core"
import { Result, Schema } from "effect"
import * as Parts from "../../src/internal/parts.ts"

const KiB = 1024
const MiB = 1024 * KiB
const GiB = 1024 * MiB
const TiB = 1024 * GiB

const count = (size: number, partSize?: number) =>
  Result.getOrThrow(Part.plan(size, partSize)).parts.length

describe("Part.plan", () => {
  it.prop(
    "cuts any source into gapless parts that together are the source",
    {
      size: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 90 * MiB })),
      partSize: Schema.Int.check(Schema.isBetween({ minimum: Part.minPartSize, maximum: 64 * MiB }))
    },
    ({ size, partSize }) => {
      const { parts } = Result.getOrThrow(Part.plan(size, partSize))
      let end = 0
      parts.forEach((part, index) => {
        assert.strictEqual(part.number, index + 1)
        assert.strictEqual(part.offset, end)
        assert.isTrue(part.size > 0 && part.size <= partSize)
        if (index < parts.length - 1) assert.strictEqual(part.size, partSize)
        end += part.size
      })
      assert.strictEqual(end, size)
    },
    { arbitrary: { runs: 200, seed: 1 } }
  )

  it("cuts an empty source into no parts and an exact multiple without an empty tail", () => {
    assert.strictEqual(count(0), 0)
    assert.strictEqual(count(1), 1)
    assert.strictEqual(count(3 * MiB, MiB), 3)
    assert.strictEqual(count(3 * MiB + 1, MiB), 4)
  })

  it("takes larger parts by default only where 10,000 of 8 MiB would not do", () => {
    assert.strictEqual(Part.partSizeFor(0), 8 * MiB)
    assert.strictEqual(Part.partSizeFor(10_000 * 8 * MiB), 8 * MiB)
    assert.strictEqual(Part.partSizeFor(10_000 * 8 * MiB + 1), 9 * MiB)
    for (const size of [1, GiB, 100 * GiB, TiB, 10 * TiB, Parts.maxObjectSize]) {
      assert.isAtMost(count(size), Parts.maxParts)
      assert.isAtMost(Part.partSizeFor(size), Parts.maxPartSize)
    }
  })

  it.prop(
    "cuts what isn't large into fives, so that no connection is idle in the last round",
    { size: Schema.Int.check(Schema.isBetween({ minimum: 8 * MiB, maximum: 400 * MiB })) },
    ({ size }) => {
      assert.strictEqual(count(size) % 5, 0)
      assert.isAtMost(Part.partSizeFor(size), 8 * MiB)
      assert.isBelow(count(size) - size / (8 * MiB), 5)
    },
    { arbitrary: { runs: 500, seed: 1 } }
  )

  it("cuts larger ones into parts of 8 MiB, and smaller ones not at all", () => {
    assert.strictEqual(Part.partSizeFor(400 * MiB + 1), 8 * MiB)
    assert.strictEqual(Part.partSizeFor(8 * MiB - 1), 8 * MiB)
    assert.strictEqual(count(8 * MiB), 5)
  })

  const refused: ReadonlyArray<[string, number, number | undefined, string]> = [
    ["a part of 1 KiB", MiB, KiB, "partSize"],
    ["a part one byte below 100 KiB", MiB, 100 * KiB - 1, "partSize"],
    ["a part of 6 GiB", TiB, 6 * GiB, "partSize"],
    ["half a byte", MiB, 102_400.5, "partSize"],
    ["no number", MiB, Number.NaN, "partSize"],
    ["10,001 parts", 10_000 * 100 * KiB + 1, 100 * KiB, "partSize"],
    ["an object above 48.8 TiB", Parts.maxObjectSize + 1, undefined, "source"],
    ["a negative size", -1, undefined, "source"]
  ]
  it.each(refused)("refuses %s", (_, size, partSize, field) => {
    const error = Result.getOrThrow(Result.flip(Part.plan(size, partSize)))
    assert.strictEqual(error.field, field)
    assert.include(error.message, error.remedy)
  })

  it("takes 10,000 parts of 100 KiB and parts of 5 GiB", () => {
    assert.strictEqual(count(10_000 * 100 * KiB, 100 * KiB), 10_000)
    assert.strictEqual(count(Parts.maxObjectSize, 5 * GiB), 10_000)
  })
})

describe("Parts.growing", () => {
  const PartSize = Schema.Int.check(
    Schema.isBetween({ minimum: Part.minPartSize, maximum: Parts.maxPartSize })
  )
  const Number = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: Parts.maxParts }))
  const endOf = ({ offset, size }: Part.Part) => offset + size

  it.prop(
    "cuts gaplessly, into parts that OSS takes, that never shrink and never more than double",
    { partSize: PartSize, number: Number },
    ({ partSize, number }) => {
      const part = Parts.growing(number, partSize)
      assert.strictEqual(part.number, number)
      assert.isTrue(part.size >= partSize && part.size <= Parts.maxPartSize)
      assert.isAtMost(endOf(part), Parts.maxObjectSize)
      if (number === Parts.maxParts) return
      const next = Parts.growing(number + 1, partSize)
      assert.strictEqual(next.offset, endOf(part))
      assert.isTrue(next.size >= part.size && next.size <= 2 * part.size)
    },
    { arbitrary: { runs: 500, seed: 1 } }
  )

  it.prop(
    "has no large parts while the source may be small",
    { partSize: PartSize, number: Number },
    ({ partSize, number }) => {
      const { offset, size } = Parts.growing(number, partSize)
      assert.isAtMost(size, Math.max(partSize, 8 * MiB, offset / 256))
    },
    { arbitrary: { runs: 500, seed: 2 } }
  )

  it.prop(
    "reaches more than half of the largest object, and whatever a first part of the right size is for",
    { partSize: PartSize },
    ({ partSize }) => {
      const reach = endOf(Parts.growing(Parts.maxParts, partSize))
      assert.isAtLeast(reach, 0.55 * Parts.maxObjectSize)
      assert.isAtLeast(reach, Parts.maxParts * partSize)
    },
    { arbitrary: { runs: 200, seed: 3 } }
  )

  /** The parts that a source of so many bytes ends with. */
  const at = (bytes: number, partSize: number) => {
    let number = 1
    while (endOf(Parts.growing(number, partSize)) < bytes) number++
    return Parts.growing(number, partSize).size
  }
  const rounded = (bytes: number, unit: number) => globalThis.Number((bytes / unit).toFixed(1))

  it.each([
    [100 * KiB, 12.2, 23.8, 177.6, 1.6, 28.8],
    [8 * MiB, 8, 12.2, 177.6, 1.6, 28.8],
    [64 * MiB, 64, 64, 64, 1.6, 28.9],
    [GiB, 1024, 1024, 1024, 1, 31.9],
    [5 * GiB, 5120, 5120, 5120, 5, 48.8]
  ])("from %i bytes on, grows as its table says", (partSize, ...expected) => {
    assert.deepStrictEqual(
      [
        rounded(at(4 * GiB, partSize), MiB),
        rounded(at(10 * GiB, partSize), MiB),
        rounded(at(100 * GiB, partSize), MiB),
        rounded(at(TiB, partSize), GiB),
        rounded(endOf(Parts.growing(Parts.maxParts, partSize)), TiB)
      ],
      expected
    )
  })

  it("holds 8 GiB in parts of the default size", () => {
    assert.strictEqual(endOf(Parts.growing(1_024, Parts.defaultPartSize)), 8 * GiB)
    assert.strictEqual(Parts.growing(1_024, Parts.defaultPartSize).size, Parts.defaultPartSize)
  })

  it("is the same for ever: these sizes are on servers", () => {
    assert.strictEqual(Parts.growth, 1)
    const sizes = [1, 129, 769, 897, 1_025, 2_049, 4_097, 4_737, 10_000].map(
      (number) => Parts.growing(number, Part.minPartSize).size
    )
    assert.deepStrictEqual(
      sizes,
      [
        102_400, 204_800, 6_553_600, 8_192_000, 10_240_000, 61_035_156, 2_168_404_300,
        5_368_709_120, 5_368_709_120
      ]
    )
  })
})
