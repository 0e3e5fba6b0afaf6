/** The seeded bugs keep up with the code: `run.ts` looks for what finds them. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { fileURLToPath } from "node:url"
import { missingTests, mutantsOf, Stale } from "./mutant.ts"
import { all } from "./patches/index.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const patches = Object.values(all)

it.effect("each seeded bug has its text in the code once", () =>
  Effect.sync(() => {
    const mutants = patches.flatMap((group) => mutantsOf(root, group))
    const stale = mutants.flatMap((mutant) => (mutant instanceof Stale ? [mutant.message] : []))
    assert.deepStrictEqual(stale, [])
    assert.isAbove(mutants.length, 200)
  })
)

it.effect("the tests that seeded bugs name are there", () =>
  Effect.sync(() => {
    assert.deepStrictEqual(
      patches.flatMap((group) => missingTests(root, group)),
      []
    )
  })
)
