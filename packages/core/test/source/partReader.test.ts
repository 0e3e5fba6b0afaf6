import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as PartReader from "../../src/internal/source/partReader.ts"

describe("the parts of a source whose length isn't known", () => {
  it.effect("are at most 10,000, and what comes behind them is an error that says so", () =>
    Effect.gen(function* () {
      const { part, tooLong } = PartReader.growing(100 * 1024)
      assert.strictEqual(part(10_000)?.number, 10_000)
      assert.isUndefined(part(10_001))
      assert.match((yield* Effect.flip(tooLong)).message, /10000 parts/)
    })
  )
})
