/**
 * `node simulation/worlds/simulate.ts --worlds N --seed S [--seconds T]
 * [--verbose] [--keep-going]`: runs the worlds of the seeds from S on, for at
 * most T seconds, and prints sums as JSON. A world that breaks an invariant is
 * told from its beginning, and ends the command unless you set `--keep-going`.
 * To repeat it, give its seed and `--worlds 1`. `--with A,B` adds conditions
 * that the library does not hold yet; `--only A` gives each world that one.
 */
import { parseArgs } from "node:util"
import * as Conditions from "./conditions/index.ts"
import * as Stats from "./stats.ts"
import { Violation } from "./trace.ts"
import * as World from "./world.ts"

const { values } = parseArgs({
  options: {
    worlds: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    with: { type: "string", default: "" },
    only: { type: "string" },
    seconds: { type: "string", default: "Infinity" },
    quiet: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
    "keep-going": { type: "boolean", default: false }
  }
})
const first = Number(values.seed)
const worlds = Number(values.worlds)
const named = (text: string) => {
  const names = text.split(",").filter((name) => name !== "")
  const unknown = names.find((name) => !Conditions.isCondition(name))
  if (unknown !== undefined) throw new Error(`there is no condition ${unknown}`)
  return names.filter(Conditions.isCondition)
}
const choice: Conditions.Choice = {
  also: named(values.with),
  quiet: values.quiet,
  ...(values.only === undefined ? {} : { only: named(values.only) })
}
const begin = performance.now()
const elapsed = () => (performance.now() - begin) / 1000
const stats = Stats.none()
let violations = 0

for (let seed = first; seed < first + worlds && elapsed() < Number(values.seconds); seed++) {
  try {
    const trace = World.run(seed, choice)
    Stats.add(stats, trace.stats)
    if (values.verbose) console.log(trace.lines().join("\n"))
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    violations++
    process.exitCode = 1
    if (!values["keep-going"]) console.log(error.trace.lines().join("\n"))
    console.log(error.message)
    if (!values["keep-going"]) break
  }
}
const seconds = Math.round(elapsed())
console.log(JSON.stringify({ ...stats, violations, seconds }))
