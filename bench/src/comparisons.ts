/**
 * The comparisons, by name.
 */
import * as Effect from "effect/Effect"
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs"
import * as Aws from "./aws.ts"
import type { Comparison } from "./Comparison.ts"
import * as C from "./Comparison.ts"
import * as Memory from "./memory.ts"
import { certified, contender, GiB, MiB, type Place } from "./place.ts"
import * as Process from "./Process.ts"
import { startup } from "./startup.ts"

const whole = (place: Place, name: string, size: number, rounds: number): Comparison => {
  const files = [place.file(size)]
  return {
    name,
    title: `One file of ${size / GiB} GiB, the defaults of each`,
    rounds,
    sink: {},
    contenders: ["ours", "sample", "raw", "lib-storage"].map((name) =>
      contender(place, name, { files })
    ),
    metrics: [C.wall, C.cpu, C.peak],
    ratios: [
      {
        metric: C.wall,
        over: ["ours", "sample"],
        ...(size >= GiB ? { target: size === GiB ? [0.4, 0.3] : [0.35, 0.2] } : {})
      },
      {
        metric: C.cpu,
        over: ["ours", "sample"],
        ...(size === GiB ? { target: [0.36, 0.3] as const } : {})
      },
      { metric: C.wall, over: ["ours", "lib-storage"] },
      { metric: C.wall, over: ["ours", "raw"] },
      {
        metric: C.cpu,
        over: ["ours", "raw"],
        ...(size === GiB ? { target: [1.65, 1.35] as const } : {})
      }
    ]
  }
}

const matrix = (place: Place): Comparison => {
  const files = [place.file(GiB)]
  return {
    name: "parts-parallel",
    title: "One file of 1 GiB by part size and parallel parts",
    rounds: 3,
    sink: {},
    contenders: [1, 4, 8, 16].flatMap((size) =>
      [1, 5, 16].map((parallel) =>
        contender(
          place,
          "ours",
          { files, partSize: size * MiB, parallel },
          `${size} MiB × ${parallel}`
        )
      )
    ),
    metrics: [C.wall, C.cpu, C.peak],
    ratios: []
  }
}

/** What every user has: one sink that speaks TLS. */
const tls = (place: Place, name: string, size: number, rounds: number): Comparison => {
  const files = [place.file(size)]
  const { trusted, certificate } = certified(place)
  return {
    name,
    title: `One file of ${size / GiB} GiB over HTTPS, the defaults of each`,
    rounds,
    sink: { certificate },
    contenders: ["ours", "sample", "raw"].map((name) => {
      const { command } = contender(place, name, { files })
      return { name, command: (sink) => ({ ...command(sink), trusted }) }
    }),
    metrics: [C.wall, C.cpu, C.peak],
    ratios: [
      { metric: C.cpu, over: ["ours", "raw"], target: [1.3, 1.15] },
      { metric: C.wall, over: ["ours", "sample"], target: [0.45, 0.35] },
      { metric: C.cpu, over: ["ours", "sample"] }
    ]
  }
}

/** Three rows in a minute, by CPU, so that a busy machine has them too. */
const quickSmallFiles = (place: Place): Comparison => {
  const task = { files: place.files(2_000, 10_240), parallel: 16 }
  return {
    name: "quick-small-files",
    title: "2,000 files of 10 KiB, 16 at once",
    rounds: 3,
    sink: {},
    contenders: ["ours", "puts"].map((name) => contender(place, name, task)),
    metrics: [C.cpu],
    ratios: [{ metric: C.cpu, over: ["ours", "puts"] }]
  }
}

const quickWhole = (place: Place): Comparison => {
  const files = [place.file(GiB / 16)]
  return {
    name: "quick-64m",
    title: "One file of 64 MiB, the defaults of each",
    rounds: 5,
    sink: {},
    contenders: ["ours", "sample"].map((name) => contender(place, name, { files })),
    metrics: [C.cpu],
    ratios: [{ metric: C.cpu, over: ["ours", "sample"] }]
  }
}

const checkpointBytes = (place: Place): Comparison => {
  const task = { files: [place.file(10_000 * 102_400)], partSize: 102_400 }
  return {
    name: "checkpoint-bytes",
    title: "10,000 parts of 100 KiB",
    rounds: 2,
    sink: {},
    contenders: ["ours", "sample"].map((name) => contender(place, name, task)),
    metrics: [C.checkpoint, C.wall, C.cpu],
    ratios: [
      { metric: C.checkpoint, over: ["ours", "sample"], target: [0.001, 0.00025] },
      { metric: C.wall, over: ["ours", "sample"] }
    ]
  }
}

const latency = (place: Place): Comparison => {
  const files = [place.file(256 * MiB)]
  return {
    name: "latency",
    title: "256 MiB at 50 ms and 10 MB/s a connection, the defaults of each",
    rounds: 5,
    sink: { latency: 50, bytesPerSecond: 10_000_000 },
    contenders: ["ours", "sample"].map((name) => contender(place, name, { files })),
    metrics: [C.wall, C.cpu],
    ratios: [{ metric: C.wall, over: ["ours", "sample"], target: [0.17, 0.12] }]
  }
}

const faults = (place: Place): Comparison => {
  const task = { files: [place.file(GiB)], partSize: MiB }
  const faulty = { throttleRate: 0.02, resetRate: 0.01 }
  return {
    name: "faults",
    title: "1 GiB in parts of 1 MiB: 2 % answered 503 and 1 % reset, against none",
    rounds: 5,
    sink: {},
    contenders: [
      contender(place, "ours", task),
      contender(place, "ours", task, "ours, faults", faulty)
    ],
    metrics: [C.wall, C.cpu, C.sent],
    ratios: [
      { metric: C.wall, over: ["ours, faults", "ours"], target: [1.1, 1.05] },
      { metric: C.sent, over: ["ours, faults", "ours"], target: [1.01, 1] }
    ]
  }
}

/** An upload of which all parts but the last are done, again and again. */
const resume = (place: Place): Comparison => {
  const last = place.part(10_000)
  const directory = place.directory()
  const saved = `${directory}-saved`
  const task = { files: [place.file(10_000 * 102_400)], partSize: 102_400, directory }
  const sink = { refusedPart: last, keepUploads: true }
  const restore = Effect.sync(() => {
    rmSync(directory, { recursive: true, force: true })
    if (existsSync(saved)) cpSync(saved, directory, { recursive: true })
    else mkdirSync(directory)
  })
  const save = Effect.sync(() => {
    const begun = readdirSync(directory).length > 0
    if (begun && !existsSync(saved)) cpSync(directory, saved, { recursive: true })
  })
  return {
    name: "resume-10k",
    title: "10,000 parts of which 9,999 are done, until the last one is sent and refused",
    rounds: 5,
    sink,
    contenders: [
      {
        name: "ours",
        prepare: Effect.andThen(save, restore),
        command: ({ endpoint }) =>
          Process.contender("ours", { ...task, endpoint, fails: true, parallel: 16 })
      }
    ],
    metrics: [C.firstByte, C.cpu],
    ratios: []
  }
}

const smallFiles = (place: Place): Comparison => {
  const task = { files: place.files(10_000, 10_240), parallel: 16 }
  return {
    name: "small-files",
    title: "10,000 files of 10 KiB, 16 at once",
    rounds: 5,
    sink: {},
    contenders: ["ours", "puts"].map((name) => contender(place, name, task)),
    metrics: [C.wall, C.cpu, C.peak],
    ratios: [
      { metric: C.wall, over: ["ours", "puts"], target: [1.25, 1] },
      { metric: C.cpu, over: ["ours", "puts"] }
    ]
  }
}

const manyUploads = (place: Place): Comparison => {
  const task = { files: place.files(32, 64 * MiB), parallel: 32 }
  return {
    name: "many-uploads",
    title: "32 files of 64 MiB, all at once",
    rounds: 5,
    sink: {},
    contenders: ["ours", "sample"].map((name) => contender(place, name, task)),
    metrics: [C.wall, C.cpu, C.peak],
    ratios: [{ metric: C.wall, over: ["ours", "sample"] }]
  }
}

const crc64: Comparison = {
  name: "crc64",
  title: "CRC64 of 1 GiB in pieces of 256 KiB",
  rounds: 5,
  sink: {},
  contenders: ["crc64", "hashWasm"].map((name) => ({
    name,
    command: ({ endpoint }) => Process.contender(name, { endpoint, directory: "", files: [] })
  })),
  metrics: [C.speed],
  ratios: [{ metric: C.speed, over: ["crc64", "hashWasm"], target: [2, 5] }]
}

/** Small enough for a test. */
const smoke = (place: Place): Comparison => {
  const task = { files: [place.file(MiB)], partSize: 102_400 }
  return {
    name: "smoke",
    title: "One file of 1 MiB",
    rounds: 1,
    sink: {},
    contenders: ["ours", "sample", "raw"].map((name) => contender(place, name, task)),
    metrics: [C.wall, C.cpu, C.sent],
    ratios: [{ metric: C.sent, over: ["ours", "raw"] }]
  }
}

/** All of them; made only when asked for, since they lay out files. */
export const comparisons: Readonly<Record<string, (place: Place) => Comparison>> = {
  smoke,
  "tls-1g": (place) => tls(place, "tls-1g", GiB, 5),
  "wall-cpu-1g": (place) => whole(place, "wall-cpu-1g", GiB, 7),
  "wall-cpu-4g": (place) => whole(place, "wall-cpu-4g", 4 * GiB, 5),
  "wall-cpu-64m": (place) => whole(place, "wall-cpu-64m", GiB / 16, 7),
  "parts-parallel": matrix,
  memory: Memory.memory,
  "sink-memory": Memory.sinkMemory,
  "many-memory": Memory.manyMemory,
  service: Memory.service,
  "checkpoint-bytes": checkpointBytes,
  latency,
  faults,
  "resume-10k": resume,
  "small-files": smallFiles,
  "many-uploads": manyUploads,
  ...Aws.workloads,
  startup,
  crc64: () => crc64,
  "quick-crc64": () => ({ ...crc64, name: "quick-crc64" }),
  "quick-small-files": quickSmallFiles,
  "quick-64m": quickWhole
}

/** Those that `--check` runs unless it is told which. */
export const quick = ["quick-crc64", "quick-small-files", "quick-64m"]
