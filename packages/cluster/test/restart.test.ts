/** A real PostgreSQL that is restarted while real runners are at work on it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { restartable } from "../../sql-store/test/postgres.ts"
import * as Processes from "./processes.ts"

describe("a database that restarts", () => {
  it.live(
    "is waited for by runners and by whoever asks, and every object is whole",
    () =>
      Effect.gen(function* () {
        const { url, restart } = yield* restartable
        const { wrong, duplicates, explained, uploads } = yield* Processes.runOn(url, "restarted", {
          seed: 2,
          files: 10,
          largeSize: 10 * 2 ** 20,
          latency: 50,
          blows: ["restart", "restart"],
          restart,
          runners: 2
        })
        assert.deepStrictEqual(wrong, [])
        assert.strictEqual(uploads, 11)
        assert.isAtMost(duplicates, explained)
      }),
    240_000
  )
})
