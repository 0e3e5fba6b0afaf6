/**
 * A campaign: the worlds of a range of seeds, on several threads. Threads take
 * seeds in order, a few at a time, so that all seeds up to the last one have
 * been run whenever a campaign ends.
 */
import { Worker } from "node:worker_threads"
import type { Choice } from "./conditions/index.ts"
import * as Stats from "./stats.ts"

/** The seeds from `first` (inclusive) to `end` (exclusive). */
export interface Seeds {
  readonly first: number
  readonly end: number
}

/** What a thread has to know. */
export interface Settings {
  readonly choice: Choice
  /** Whether each world tells its trace. */
  readonly verbose: boolean
  /** Whether the worlds behind one that breaks a promise are run. */
  readonly keepGoing: boolean
}

/** A world that broke a promise, or did not come to an end because of a defect of the simulation. */
export interface Failure {
  readonly seed: number
  readonly message: string
  readonly trace: ReadonlyArray<string>
}

/** What came of some seeds. */
export interface Report {
  readonly stats: Stats.Stats
  readonly failures: ReadonlyArray<Failure>
  /** The traces of worlds that ended well, if asked for. */
  readonly traces: ReadonlyArray<ReadonlyArray<string>>
}

export interface Options extends Settings {
  readonly seeds: Seeds
  readonly jobs: number
  /** Called with each report as it comes. */
  readonly onReport: (report: Report, done: Sum) => void
}

/** What came of all seeds so far. */
export interface Sum {
  readonly stats: Stats.Stats
  readonly failures: ReadonlyArray<Failure>
  /** All seeds before this one have been handed out. */
  readonly next: number
}

export interface Campaign {
  /** Hands out no more seeds; the worlds that are under way come to their end. */
  readonly stop: () => void
  /** Fulfilled when no thread runs any more. */
  readonly ended: Promise<Sum>
}

/** Few enough that a campaign stops within seconds, in worlds. */
const share = 10

export const start = (options: Options): Campaign => {
  const { seeds, jobs, keepGoing, choice, verbose, onReport } = options
  const stats = Stats.none()
  const failures: Array<Failure> = []
  let next = seeds.first
  let stopped = false

  const take = (): Seeds | undefined => {
    if (stopped || next >= seeds.end) return undefined
    const first = next
    next = Math.min(first + share, seeds.end)
    return { first, end: next }
  }
  const note = (report: Report) => {
    Stats.add(stats, report.stats)
    failures.push(...report.failures)
    if (report.failures.length > 0 && !keepGoing) stopped = true
    onReport(report, { stats, failures, next })
  }
  const settings: Settings = { choice, verbose, keepGoing }
  const threads = Array.from({ length: jobs }, () => runThread({ settings, take, note }))
  return {
    stop: () => {
      stopped = true
    },
    ended: Promise.all(threads).then(() => ({ stats, failures, next }))
  }
}

/** Fulfilled when nothing is left to take. A thread that dies ends the campaign. */
const runThread = (given: {
  readonly settings: Settings
  readonly take: () => Seeds | undefined
  readonly note: (report: Report) => void
}): Promise<void> =>
  new Promise((resolve) => {
    const { settings, take, note } = given
    let seeds = take()
    if (seeds === undefined) return resolve()
    const worker = new Worker(new URL("thread.ts", import.meta.url), { workerData: settings })
    const goOn = () => {
      if (seeds === undefined) void worker.terminate()
      else worker.postMessage(seeds, [])
    }
    worker.on("message", (report: Report) => {
      note(report)
      seeds = take()
      goOn()
    })
    worker.on("error", (error) => {
      const { first, end } = seeds ?? { first: 0, end: 1 }
      const message = `a thread died in the seeds ${first} to ${end - 1}: ${error.stack ?? error}`
      note({ stats: Stats.none(), failures: [{ seed: first, message, trace: [] }], traces: [] })
      seeds = undefined
    })
    worker.on("exit", () => resolve())
    goOn()
  })
