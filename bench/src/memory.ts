/** How much memory uploads hold. */
import type { Comparison } from "./Comparison.ts"
import * as C from "./Comparison.ts"
import { contender, GiB, MiB, type Place } from "./place.ts"

export const memory = (place: Place): Comparison => {
  const files = [place.file(GiB)]
  const task = { files, partSize: 16 * MiB, parallel: 16 }
  return {
    name: "memory",
    title: "One file of 1 GiB, 16 parts of 16 MiB at once",
    rounds: 5,
    sink: {},
    contenders: ["ours", "sample", "raw"].map((name) => contender(place, name, task)),
    metrics: [C.peak, C.wall, C.cpu],
    ratios: [{ metric: C.peak, over: ["ours", "raw"] }]
  }
}

export const sinkMemory = (place: Place): Comparison => {
  const sizes = [GiB / 16, GiB, 4 * GiB]
  return {
    name: "sink-memory",
    title: "A stream of unknown length into Upload.sink, the defaults",
    rounds: 5,
    sink: {},
    contenders: sizes.map((amount) =>
      contender(place, "drain", { files: [], amount }, `${amount / GiB} GiB`)
    ),
    metrics: [C.held, C.peak, C.wall, C.cpu],
    ratios: [
      { metric: C.held, over: ["4 GiB", "1 GiB"] },
      { metric: C.peak, over: ["4 GiB", "1 GiB"] }
    ]
  }
}

/** As a service has it: uploads of unknown length at once, out of one budget. */
export const service = (place: Place): Comparison => {
  const task = { files: [], amount: GiB / 8, parallel: 20 }
  const budget = 64 * MiB
  return {
    name: "service",
    title:
      "20 streams of 128 MiB of unknown length at once: with 64 MiB for all, against the defaults",
    rounds: 3,
    sink: {},
    contenders: [
      contender(place, "drain", { ...task, memory: budget }, "64 MiB"),
      contender(place, "drain", task, "defaults")
    ],
    metrics: [C.held, C.peak, C.wall, C.cpu],
    ratios: [C.held, C.peak, C.wall].map((metric) => ({
      metric,
      over: ["64 MiB", "defaults"] as const
    }))
  }
}

export const manyMemory = (place: Place): Comparison => {
  const counts = [10_000, 100_000]
  return {
    name: "many-memory",
    title: "So many objects of 1 KiB through one UploadMany.uploadAll, the defaults",
    rounds: 2,
    sink: {},
    contenders: counts.map((amount) =>
      contender(place, "tiny", { files: [], amount }, String(amount))
    ),
    metrics: [C.held, C.peak, C.wall, C.cpu],
    ratios: [
      { metric: C.held, over: ["100000", "10000"] },
      { metric: C.peak, over: ["100000", "10000"] }
    ]
  }
}
