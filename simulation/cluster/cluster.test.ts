import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { live } from "./world.ts"

describe("a cluster whose runners end at any moment", () => {
  it.effect.each([1, 2, 3, 4])("stores every object whole: seed %d", (seed) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* live(seed), [])
    })
  )
})
