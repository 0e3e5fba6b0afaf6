/** Three real runners on a real PostgreSQL: one is killed, one hangs past its lease. None of them listens on a port. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { server } from "../../sql-store/test/postgres.ts"
import * as Processes from "./processes.ts"

describe("three runners", () => {
  it.live(
    "one of which is killed and one suspended, leave every object whole, and send nothing twice but what that explains",
    () =>
      Effect.gen(function* () {
        const { wrong, listening, duplicates, explained, uploads } = yield* Processes.runOn(
          yield* server,
          `effect_oss_test_${process.pid}`,
          {
            seed: 1,
            files: 30,
            largeSize: 20 * 2 ** 20,
            latency: 50,
            blows: ["kill", "suspend"],
            runners: 3
          }
        )
        assert.deepStrictEqual(wrong, [])
        assert.deepStrictEqual(listening, [])
        assert.strictEqual(uploads, 31)
        assert.isAtMost(duplicates, explained)
      }),
    120_000
  )
})
