import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import * as Pieces from "../src/internal/pieces.ts"

const MiB = 1024 * 1024

describe("a piece", () => {
  it("grows step by step while pieces go quickly", () => {
    const sizes = [Pieces.smallest]
    while (sizes.length < 8) sizes.push(Pieces.next(sizes.at(-1)!, 1))
    assert.deepStrictEqual(
      sizes.map((size) => size / 1024),
      [64, 128, 256, 512, 1024, 2048, 2048, 2048]
    )
  })

  it("stays as it is where it takes about a tenth of a second", () => {
    assert.strictEqual(Pieces.next(MiB, 100), MiB)
  })

  it("shrinks at once to what a slower connection carries in that time", () => {
    assert.strictEqual(Pieces.next(2 * MiB, 800), MiB / 8)
    assert.strictEqual(Pieces.next(2 * MiB, 80_000), Pieces.smallest)
  })

  const size = Schema.Literals([64, 128, 256, 512, 1024, 2048].map((kib) => kib * 1024))
  const millis = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))
  it.prop(
    "is never out of bounds",
    { size: Arbitrary.schema(size), millis: Arbitrary.schema(millis) },
    ({ size, millis }) => {
      const next = Pieces.next(size, millis)
      assert.isTrue(next >= Pieces.smallest && next <= 2 * MiB && Number.isInteger(Math.log2(next)))
      assert.isAtMost(next, 2 * size)
    },
    { arbitrary: { runs: 200, seed: 1 } }
  )
})

describe("blocks", () => {
  it("of few bodies hold the largest piece", () => {
    assert.strictEqual(Pieces.blockSize(1), 2 * MiB)
    assert.strictEqual(Pieces.blockSize(4), 2 * MiB)
  })

  it("of many bodies share the memory of a few", () => {
    for (const bodies of [5, 16, 32]) {
      assert.isAtMost(bodies * Pieces.blockSize(bodies), 8 * MiB)
    }
  })

  it("of very many bodies are no smaller than they may be for the sake of CPU", () => {
    assert.strictEqual(Pieces.blockSize(10_000), MiB / 4)
  })
})
