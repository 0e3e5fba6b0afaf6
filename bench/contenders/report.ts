/**
 * Says at the end of this process what it has cost.
 */
import { readFileSync, writeSync } from "node:fs"
import type { Report, Task } from "../src/Protocol.ts"

/** This process's task, as its starter gave it. */
export const task: Task = JSON.parse(readFileSync(0, "utf8"))

let more: Partial<Report> = {}

/** Adds something to the report. */
export const note = (facts: Partial<Report>): void => {
  more = { ...more, ...facts }
}

process.on("exit", () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  const report: Report = {
    cpuMillis: (userCPUTime + systemCPUTime) / 1_000,
    peakMiB: maxRSS / 1_024,
    ...more
  }
  writeSync(1, `\nreport ${JSON.stringify(report)}\n`)
})
