/**
 * `node simulation/processes/soak.ts --seconds N --seed S [--kills K]`: kills real
 * processes for so long, or so often, and prints figures as JSON.
 */
import { parseArgs } from "node:util"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { soak } from "./killing.ts"

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    kills: { type: "string", default: "Infinity" }
  }
})

soak({
  seconds: Number(values.seconds),
  seed: Number(values.seed),
  kills: Number(values.kills)
}).pipe(
  Effect.flatMap((figures) => Console.log(JSON.stringify({ seed: values.seed, ...figures }))),
  NodeRuntime.runMain
)
