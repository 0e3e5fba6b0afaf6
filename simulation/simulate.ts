/**
 * `node simulation/simulate.ts --worlds N --seed S [--verbose] [--seconds T]`:
 * runs the worlds of the seeds from S on, at most for so long, and prints what
 * happened in them as JSON. A world that breaks an invariant is told from its
 * beginning; `--worlds 1 --seed` with its seed repeats it.
 */
import { parseArgs } from "node:util"
import * as Story from "./Story.ts"
import * as World from "./world.ts"

const { values } = parseArgs({
  options: {
    worlds: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    seconds: { type: "string", default: "Infinity" },
    verbose: { type: "boolean", default: false },
    "keep-going": { type: "boolean", default: false }
  }
})
const first = Number(values.seed)
const worlds = Number(values.worlds)
const begin = performance.now()
const elapsed = () => (performance.now() - begin) / 1000
const stats = Story.noStats()
let violations = 0

for (let seed = first; seed < first + worlds && elapsed() < Number(values.seconds); seed++) {
  try {
    const story = World.run(seed)
    Story.add(stats, story.stats)
    if (values.verbose) console.log(story.lines().join("\n"))
  } catch (error) {
    if (!(error instanceof Story.Violation)) throw error
    violations++
    process.exitCode = 1
    if (!values["keep-going"]) console.log(error.story.lines().join("\n"))
    console.log(error.message)
    if (!values["keep-going"]) break
  }
}
const seconds = Math.round(elapsed())
console.log(JSON.stringify({ ...stats, violations, seconds }))
