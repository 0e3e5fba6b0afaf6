/**
 * `node packages/cluster/test/soak.ts --seconds N --seed S`: worlds of uploads
 * whose runners are killed and suspended, one after the other, for so long;
 * prints figures as JSON, and fails at the first thing that is wrong. The
 * server is that of DATABASE_URL, or one for as long as this takes; each world
 * has a database of its own there.
 */
import { parseArgs } from "node:util"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { server } from "../../sql-store/test/postgres.ts"
import * as Processes from "./processes.ts"

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    files: { type: "string", default: "30" }
  }
})

const blows = ["kill", "suspend", "kill", "kill", "suspend"] as const

const world = (server: string, seed: number) =>
  Processes.runOn(server, `effect_oss_soak_${process.pid}_${seed}`, {
    seed,
    files: Number(values.files),
    largeSize: 60 * 2 ** 20,
    latency: 50,
    blows,
    runners: 3
  })

Effect.gen(function* () {
  const url = yield* server
  const end = performance.now() + Number(values.seconds) * 1_000
  for (let seed = Number(values.seed); performance.now() < end; seed++) {
    const figures = yield* world(url, seed)
    yield* Console.log(JSON.stringify({ seed, ...figures }))
    if (figures.wrong.length > 0 || figures.duplicates > figures.explained) {
      return yield* Effect.die(new Error(`seed ${seed} went wrong`))
    }
  }
}).pipe(Effect.scoped, NodeRuntime.runMain)
