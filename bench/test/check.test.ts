import { assert, it } from "@effect/vitest"
import * as Check from "../src/Check.ts"
import type { Outcome } from "../src/Comparison.ts"

const outcome = (best: number, isSpeed = false): Outcome => ({
  name: "row",
  title: "A row",
  rounds: 1,
  figures: {},
  ratios: [{ ratio: "CPU", median: 9, best, isSpeed, all: [9] }]
})
const kept = { row: { CPU: 2 } }

it("is content with what is as good, better, or worse by no more than 15 %", () => {
  assert.deepStrictEqual(Check.problems(kept, [outcome(2), outcome(1), outcome(2.29)]), [])
})

it("names what costs more than 15 % more", () => {
  assert.deepStrictEqual(Check.problems(kept, [outcome(2.31)]), ["row: CPU is 2.31, and was 2"])
})

it("names a speed that is lower", () => {
  assert.deepStrictEqual(Check.problems(kept, [outcome(1.8, true), outcome(9, true)]), [])
  assert.lengthOf(Check.problems(kept, [outcome(1.7, true)]), 1)
})

it("names a ratio that nothing is kept of", () => {
  assert.lengthOf(Check.problems({}, [outcome(1)]), 1)
})
