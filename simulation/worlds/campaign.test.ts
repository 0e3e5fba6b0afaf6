import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Campaign from "./campaign.ts"
import * as Stats from "./stats.ts"
import * as World from "./world.ts"

const seeds = { first: 1, end: 13 }
const settings = { seeds, choice: {}, verbose: false, keepGoing: false }

describe("a campaign", () => {
  it.effect("gives the same sums on two threads as one world after another", () =>
    Effect.gen(function* () {
      const alone = Stats.none()
      for (let seed = seeds.first; seed < seeds.end; seed++) {
        Stats.add(alone, World.run(seed).stats)
      }
      const { ended } = Campaign.start({ ...settings, jobs: 2, onReport: () => undefined })
      const { stats, failures, next } = yield* Effect.promise(() => ended)
      const { virtualMillis, ...sums } = stats
      assert.deepStrictEqual({ ...sums, virtualMillis: alone.virtualMillis }, alone)
      // Sums of fractions differ with their order.
      assert.closeTo(virtualMillis, alone.virtualMillis, 1)
      assert.deepStrictEqual([failures, next], [[], seeds.end])
    })
  )

  it.effect("that is stopped has run all seeds before the next one", () =>
    Effect.gen(function* () {
      const campaign = Campaign.start({
        ...settings,
        seeds: { first: 1, end: 1_000_000 },
        jobs: 1,
        onReport: () => campaign.stop()
      })
      const { stats, next } = yield* Effect.promise(() => campaign.ended)
      assert.strictEqual(stats.worlds, next - 1)
      assert.isBelow(next, 1_000)
    })
  )
})
