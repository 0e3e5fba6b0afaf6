/** One thread of a campaign: runs the worlds of the seeds that it is told. */
import { parentPort, workerData } from "node:worker_threads"
import type { Failure, Report, Seeds, Settings } from "./campaign.ts"
import * as Stats from "./stats.ts"
import { Violation } from "./trace.ts"
import * as World from "./world.ts"

const { choice, verbose, keepGoing }: Settings = workerData

/** A defect of the simulation names its seed as well. */
const failureOf = (seed: number, error: unknown): Failure => {
  if (error instanceof Violation) {
    return { seed, message: error.message, trace: error.trace.lines() }
  }
  const text = error instanceof Error ? error.stack : String(error)
  return { seed, message: `seed ${seed}: the simulation failed: ${text}`, trace: [] }
}

const run = ({ first, end }: Seeds): Report => {
  const stats = Stats.none()
  const failures: Array<Failure> = []
  const traces: Array<ReadonlyArray<string>> = []
  for (let seed = first; seed < end; seed++) {
    try {
      const trace = World.run(seed, choice)
      Stats.add(stats, trace.stats)
      if (verbose) traces.push(trace.lines())
    } catch (error) {
      failures.push(failureOf(seed, error))
      if (!keepGoing) break
    }
  }
  return { stats, failures, traces }
}

parentPort?.on("message", (seeds: Seeds) => parentPort?.postMessage(run(seeds), []))
