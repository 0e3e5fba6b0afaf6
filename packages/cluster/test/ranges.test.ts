import { assert, describe, it } from "@effect/vitest"
import { Locator } from "@effect-oss/cluster"
import { Part } from "@effect-oss/core"
import * as Ranges from "../src/internal/ranges.ts"
import { numbers } from "./world.ts"
import { nameOf } from "../src/internal/locate.ts"

describe("ranges", () => {
  const plan = (count: number) =>
    numbers(count).map((number): Part.Part => ({ number, offset: 0, size: 1 }))

  it("are all parts, in order", () => {
    assert.deepStrictEqual(Ranges.missing(plan(5), new Set(), 2), [
      { first: 1, last: 2 },
      { first: 3, last: 4 },
      { first: 5, last: 5 }
    ])
  })

  it("leave out what is done, and are cut at the same places", () => {
    assert.deepStrictEqual(Ranges.missing(plan(9), new Set([1, 2, 3, 4, 9]), 4), [
      { first: 5, last: 8 }
    ])
    assert.deepStrictEqual(Ranges.missing(plan(8), new Set([1, 5, 6]), 4), [
      { first: 2, last: 4 },
      { first: 7, last: 8 }
    ])
  })

  it("are few enough for the database, however many parts", () => {
    assert.deepStrictEqual([1, 64, 65, 4_096, 10_000].map(Ranges.partsPerRange), [1, 1, 2, 64, 64])
  })
})

describe("locators", () => {
  it("are named without what may be secret", () => {
    assert.strictEqual(
      nameOf(Locator.http("https://user:pass@files.test/a.iso?sig=secret")),
      "https://files.test/a.iso"
    )
  })
})
