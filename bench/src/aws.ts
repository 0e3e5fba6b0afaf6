/**
 * Workloads that aws-crt-s3-benchmarks names, so that figures can be compared:
 * where a name ends in `-at-1/20`, that share of each file's size is sent.
 */
import type { Comparison } from "./Comparison.ts"
import * as C from "./Comparison.ts"
import { contender, GiB, type Place } from "./place.ts"

interface Workload {
  readonly name: string
  readonly title: string
  readonly count: number
  /** In bytes, of each file. */
  readonly size: number
  /** Files at once. */
  readonly parallel: number
  readonly peers: ReadonlyArray<string>
}

const many = ["ours", "puts", "lib-storage"]
const large = ["ours", "sample", "lib-storage"]

const all: ReadonlyArray<Workload> = [
  {
    name: "upload-256KiB-10_000x",
    title: "10,000 files of 256 KiB, 16 at once",
    count: 10_000,
    size: 256 * 1024,
    parallel: 16,
    peers: many
  },
  {
    name: "upload-5GiB-20x-at-1/20",
    title: "20 files of 256 MiB, all at once",
    count: 20,
    size: GiB / 4,
    parallel: 20,
    peers: large
  },
  {
    name: "upload-30GiB-1x-at-1/6",
    title: "One file of 5 GiB, the defaults of each",
    count: 1,
    size: 5 * GiB,
    parallel: 0,
    peers: large
  }
]

const comparisonOf =
  ({ name, title, count, size, parallel, peers }: Workload) =>
  (place: Place): Comparison => {
    const files = count === 1 ? [place.file(size)] : place.files(count, size)
    const task = parallel === 0 ? { files } : { files, parallel }
    return {
      name,
      title,
      rounds: 3,
      sink: {},
      contenders: peers.map((peer) => contender(place, peer, task)),
      metrics: [C.wall, C.cpu, C.peak],
      ratios: peers
        .filter((peer) => peer !== "ours")
        .map((peer) => ({ metric: C.wall, over: ["ours", peer] as const }))
    }
  }

export const workloads: Readonly<Record<string, (place: Place) => Comparison>> = Object.fromEntries(
  all.map((workload) => [workload.name, comparisonOf(workload)])
)
