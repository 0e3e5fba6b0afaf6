/** One GiB in pieces, by hash-wasm. */
import { createCRC64 } from "hash-wasm"
import { note } from "./report.ts"

const hasher = await createCRC64()
const bytes = new Uint8Array(256 * 1024).fill(7)
const rounds = 4_096
const run = (rounds: number) => {
  hasher.init()
  for (let round = 0; round < rounds; round++) hasher.update(bytes)
  return hasher.digest("hex")
}
run(100)
const start = performance.now()
run(rounds)
note({ bytesPerSecond: (rounds * bytes.length * 1_000) / (performance.now() - start) })
