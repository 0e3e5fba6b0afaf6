/** One GiB in pieces, by this library's CRC64: in place, as a body is sent. */
import { acquire, crc64 } from "@effect-oss/crc64"
import { note } from "./report.ts"

const { bytes } = acquire(256 * 1024)
bytes.fill(7)
const rounds = 4_096
const run = (rounds: number) => {
  let crc = 0n
  for (let round = 0; round < rounds; round++) crc = crc64(bytes, crc)
  return crc
}
run(100)
const start = performance.now()
run(rounds)
note({ bytesPerSecond: (rounds * bytes.length * 1_000) / (performance.now() - start) })
