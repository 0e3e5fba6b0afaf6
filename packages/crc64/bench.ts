/**
 * `pnpm bench`: how fast each method is beside hash-wasm, as JSON. All of them
 * take turns, so that a busy machine slows them alike; a ratio is the median of
 * the rounds' ratios.
 */
import { createCRC64 } from "hash-wasm"
import { combine } from "./src/index.ts"
import { choose } from "./src/internal/engine.ts"
import { plain, simd } from "./src/internal/wasm.ts"

/** What is measured. */
export interface Settings {
  /** Of the pieces, in bytes. */
  readonly sizes: ReadonlyArray<number>
  readonly rounds: number
  /** What each method takes in a round, in bytes. */
  readonly bytesPerRound: number
  /** CRCs that are combined in a round. */
  readonly combinations: number
}

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1]!

/** In milliseconds. */
const time = (run: () => void): number => {
  const start = performance.now()
  run()
  return performance.now() - start
}

const fill = (bytes: Uint8Array): Uint8Array => {
  for (let at = 0; at < bytes.length; at++) bytes[at] = Math.imul(at, 0x9e3779b1) >>> 13
  return bytes
}

const engines = { simd: choose([simd]), plain: choose([plain]), javascript: choose([]) }

/** Each method as a function that takes one piece of `size` bytes. */
const methods = async (size: number): Promise<ReadonlyMap<string, () => unknown>> => {
  const hasher = await createCRC64()
  const piece = fill(new Uint8Array(size))
  const all = new Map<string, () => unknown>([
    ["hash-wasm", () => hasher.init().update(piece).digest("hex")]
  ])
  for (const [name, { acquire, update }] of Object.entries(engines)) {
    const block = fill(acquire(size).bytes)
    all.set(`${name}, in a block`, () => update(-1n, block))
    all.set(`${name}, elsewhere`, () => update(-1n, piece))
  }
  return all
}

const measureSize = async (size: number, { rounds, bytesPerRound }: Settings) => {
  const repeats = Math.max(1, Math.round(bytesPerRound / size))
  const all = await methods(size)
  const speeds = Array.from({ length: rounds + 1 }, () =>
    Array.from(all.values(), (run) => {
      const milliseconds = time(() => {
        for (let n = 0; n < repeats; n++) run()
      })
      return (size * repeats) / milliseconds / 1000
    })
  ).slice(1)
  const results = Array.from(all.keys(), (method, index) => ({
    method,
    megabytesPerSecond: Math.round(median(speeds.map((round) => round[index]!))),
    timesHashWasm: Number(median(speeds.map((round) => round[index]! / round[0]!)).toFixed(2))
  }))
  return { size, results }
}

/** Microseconds for one combination; `lengths` different ones take turns. */
const measureCombine = ({ rounds, combinations }: Settings, lengths: number): number => {
  const times = Array.from({ length: rounds + 1 }, (_, round) =>
    time(() => {
      let crc = 1n
      for (let n = 0; n < combinations; n++) {
        crc = combine(crc, 2n, 8_388_608 + (n % lengths) + round * lengths)
      }
    })
  ).slice(1)
  return Number(((median(times) * 1000) / combinations).toFixed(3))
}

/** Measures all. */
export const measure = async (settings: Settings) => {
  const sizes = []
  for (const size of settings.sizes) sizes.push(await measureSize(size, settings))
  return {
    sizes,
    combineMicroseconds: {
      oneLength: measureCombine(settings, 1),
      everyLengthAnew: measureCombine(settings, 1000)
    }
  }
}

if (import.meta.main) {
  const settings: Settings = {
    sizes: [64 * 1024, 256 * 1024, 8 * 1024 * 1024],
    rounds: 41,
    bytesPerRound: 16 * 1024 * 1024,
    combinations: 10_000
  }
  console.log(JSON.stringify(await measure(settings), null, 2))
}
