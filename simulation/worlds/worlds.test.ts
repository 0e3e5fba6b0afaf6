/** The worlds of the seeds from 1 on; `simulate.ts` runs more of them, and prints the trace of each. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Choice } from "./conditions/index.ts"
import { excuses } from "./invariants/excuses.ts"
import * as Stats from "./stats.ts"
import { Violation } from "./trace.ts"
import * as World from "./world.ts"

const worlds = 250

/** The time-out, in milliseconds, for machines with a high load. */
const patience = 300_000

/** Prints the trace of a violation. */
const run = (seed: number, choice: Choice = {}) => {
  try {
    return World.run(seed, choice)
  } catch (error) {
    if (error instanceof Violation) console.log(error.trace.lines().join("\n"))
    throw error
  }
}

describe("the simulation", () => {
  it.effect(
    `keeps every promise in ${worlds} worlds`,
    () =>
      Effect.sync(() => {
        const stats = Stats.none()
        for (let seed = 1; seed <= worlds; seed++) Stats.add(stats, run(seed).stats)
        assert.strictEqual(stats.worlds, worlds)
        // Worlds in which nothing happens would prove nothing.
        assert.isAbove(stats.successes, 2 * worlds)
        assert.isAbove(stats.kills, worlds / 2)
        assert.isAbove(stats.serverFaults, 4 * worlds)
        assert.isAbove(stats.suspensions, worlds / 10)
        assert.isAbove(stats.damages, worlds / 10)
        assert.isAbove(stats.httpTroubles, worlds / 5)
        // Most uploads that stay on the server would be a fault of ours, whatever excuses them.
        const excused = (names: ReadonlyArray<string>) =>
          names.reduce((sum, name) => sum + (stats.excused[name] ?? 0), 0)
        // An id whose answer got lost has no parts, and may be anybody's: it stays. That is no fault, and
        // rare: worlds over HTTP, where any answer may be cut off, have most of them.
        const { neverUsed, strayInitiate, ...others } = excuses
        assert.isBelow(excused([neverUsed, strayInitiate]), worlds / 4)
        assert.isBelow(excused(Object.values(others)), worlds / 12)
      }),
    patience
  )

  it.effect("loses no run to outages and middleboxes alone", () =>
    Effect.sync(() => {
      const stats = Stats.none()
      for (let seed = 1; seed <= 30; seed++) {
        for (const only of [["outages"], ["middleboxes"]] as const) {
          Stats.add(stats, run(seed, { only, quiet: true }).stats)
        }
      }
      assert.isAbove(stats.successes, 60)
    })
  )

  it.effect("tells the same trace for the same seed", () =>
    Effect.sync(() => {
      for (const seed of [11, 24, 263, 1885]) {
        assert.deepStrictEqual(run(seed).lines(), run(seed).lines())
      }
      const http = () => run(5, { only: ["http"] }).lines()
      assert.deepStrictEqual(http(), http())
    })
  )
})
