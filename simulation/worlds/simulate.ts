/**
 * `node simulation/worlds/simulate.ts --worlds N --seed S [--seconds T]
 * [--jobs N] [--verbose] [--keep-going]`: runs the worlds of the seeds from S
 * on, for at most T seconds, and prints sums as JSON. A world that breaks an
 * invariant is told from its beginning, and ends the command unless you set
 * `--keep-going`. To repeat it, give its seed and `--worlds 1`. `--with A,B`
 * adds conditions that are off by default; `--only A` gives each world that one.
 *
 * `--jobs` is the number of threads. Ctrl-C ends the command as `--seconds`
 * does: with the sums of what has been run, and the seed to go on with.
 */
import { availableParallelism } from "node:os"
import { parseArgs } from "node:util"
import * as Campaign from "./campaign.ts"
import * as Conditions from "./conditions/index.ts"

const { values } = parseArgs({
  options: {
    worlds: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    jobs: { type: "string" },
    with: { type: "string", default: "" },
    only: { type: "string" },
    seconds: { type: "string", default: "Infinity" },
    quiet: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
    "keep-going": { type: "boolean", default: false }
  }
})
/** A number that an option gives; the command stops at what is none. */
const count = (name: string, text: string, least: number): number => {
  const number = Number(text)
  if (text !== "Infinity" && !(Number.isInteger(number) && number >= least)) {
    throw new Error(`--${name} needs a whole number from ${least} on, not "${text}"`)
  }
  return number
}
const first = count("seed", values.seed, 0)
const worlds = count("worlds", values.worlds, 1)
const limit = count("seconds", values.seconds, 0)
// A few worlds are over before a second thread has started.
const jobs =
  values.jobs === undefined
    ? worlds <= 300
      ? 1
      : availableParallelism()
    : count("jobs", values.jobs, 1)
const named = (text: string) => {
  const names = text.split(",").filter((name) => name !== "")
  const unknown = names.find((name) => !Conditions.isCondition(name))
  if (unknown !== undefined) throw new Error(`there is no condition ${unknown}`)
  return names.filter(Conditions.isCondition)
}
const keepGoing = values["keep-going"]
const begin = performance.now()
const elapsed = () => (performance.now() - begin) / 1000

let told: Campaign.Sum | undefined
const campaign = Campaign.start({
  seeds: { first, end: first + worlds },
  jobs,
  keepGoing,
  verbose: values.verbose,
  choice: {
    also: named(values.with),
    quiet: values.quiet,
    ...(values.only === undefined ? {} : { only: named(values.only) })
  },
  onReport: ({ failures, traces }, done) => {
    for (const trace of traces) console.log(trace.join("\n"))
    for (const { message, trace } of failures) {
      if (!keepGoing) console.log(trace.join("\n"))
      console.log(message)
    }
    told = done
  }
})

/** In milliseconds. */
const tellEvery = 10_000
const progress = setInterval(() => {
  if (told === undefined) return
  const { stats, failures, next } = told
  const pace = Math.round(stats.worlds / elapsed())
  const megabytes = Math.round(process.memoryUsage.rss() / 2 ** 20)
  console.error(
    `${stats.worlds} worlds, ${pace} a second, ${failures.length} violations, next seed ${next}, ${megabytes} MB`
  )
}, tellEvery)
const timer = Number.isFinite(limit) ? setTimeout(campaign.stop, limit * 1000) : undefined
process.once("SIGINT", () => {
  console.error("the worlds that are under way come to their end; Ctrl-C again gives them up")
  campaign.stop()
})

const { stats, failures, next } = await campaign.ended
clearInterval(progress)
clearTimeout(timer)
if (failures.length > 0) process.exitCode = 1
console.log(
  JSON.stringify({
    ...stats,
    violations: failures.length,
    violatedSeeds: failures.map(({ seed }) => seed).toSorted((a, b) => a - b),
    jobs,
    nextSeed: next,
    seconds: Math.round(elapsed())
  })
)
