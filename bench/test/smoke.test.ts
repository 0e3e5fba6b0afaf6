import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Comparison from "../src/Comparison.ts"
import { comparisons } from "../src/comparisons.ts"
import { place } from "../src/place.ts"

it.live(
  "compares a small upload with the sample and with bare requests",
  () =>
    Effect.gen(function* () {
      const make = comparisons["smoke"]!
      const { figures, ratios } = yield* Comparison.measure(make(yield* place()))
      assert.deepStrictEqual(Object.keys(figures), ["ours", "sample", "raw"])
      assert.deepStrictEqual(
        Object.values(figures).map((figure) => figure["MiB at the sink"]),
        [1, 1, 1]
      )
      assert.deepStrictEqual(
        ratios.map(({ median }) => median),
        [1]
      )
    }).pipe(Effect.scoped),
  120_000
)

it("takes the middle of the figures", () => {
  assert.strictEqual(Comparison.median([3, 1, 2]), 2)
  assert.strictEqual(Comparison.median([4, 1, 2, 3]), 2.5)
})
