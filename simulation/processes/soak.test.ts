/** A short form of `soak.ts`: real processes and real time. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { soak } from "./killing.ts"

it.live(
  "the command gets through SIGKILLs at random moments, and nothing is lost",
  () =>
    Effect.gen(function* () {
      const { kills, rounds } = yield* soak({ seed: 1, seconds: 8, kills: 20 })
      assert.isAtLeast(rounds, 1)
      assert.isAtLeast(kills, 2)
    }),
  300_000
)
