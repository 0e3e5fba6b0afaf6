import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { live } from "./world.ts"

/** `SEEDS=1-200` asks for more. */
const [first = 1, last = first] = (process.env["SEEDS"] ?? "1-4").split("-").map(Number)
const seeds = Array.from({ length: last - first + 1 }, (_, index) => first + index)

describe("a cluster whose runners are killed, suspended and stopped at any moment", () => {
  it.effect.each(seeds)("stores every object whole: seed %d", (seed) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* live(seed), [])
    })
  )
})
