/** Shards of a runner that was suspended, on a machine that is busy. */
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Postgres } from "../../sql-store/test/postgres.ts"

const script = fileURLToPath(new URL("release.ts", import.meta.url))

layer(Postgres.layer, { excludeTestServices: true, timeout: "1 minute" })(
  "a runner whose lock connection was ended",
  (it) => {
    it.effect("gives all of its shards away", () =>
      Effect.gen(function* () {
        const { url } = yield* Postgres
        const said = yield* Effect.callback<string>((resume) => {
          execFile(process.execPath, [script, url], (error, out) =>
            resume(error === null ? Effect.succeed(out) : Effect.die(error))
          )
        })
        assert.strictEqual(said, "released 100 of 100\n")
      })
    )
  }
)
