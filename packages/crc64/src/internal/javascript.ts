/**
 * CRC-64/XZ without WebAssembly: eight table look-ups for each eight bytes, on
 * halves of 32 bits.
 */
import type { Engine } from "./engine.ts"
import * as Pool from "./pool.ts"
import { fromBigInt, polynomial, toBigInt } from "./word.ts"

/** Entry 256 · k + b is the state after byte b and k more bytes, from an empty state. */
interface Tables {
  readonly hi: Int32Array
  readonly lo: Int32Array
}

const makeTables = (): Tables => {
  const tables = { hi: new Int32Array(8 * 256), lo: new Int32Array(8 * 256) }
  for (let byte = 0; byte < 256; byte++) {
    let [hi, lo] = [0, byte]
    for (let bit = 0; bit < 8; bit++) {
      const carry = -(lo & 1)
      lo = ((lo >>> 1) | (hi << 31)) ^ (polynomial.lo & carry)
      hi = (hi >>> 1) ^ (polynomial.hi & carry)
    }
    tables.hi[byte] = hi
    tables.lo[byte] = lo
  }
  for (let entry = 256; entry < tables.hi.length; entry++) {
    const [hi, lo] = [tables.hi[entry - 256]!, tables.lo[entry - 256]!]
    tables.hi[entry] = (hi >>> 8) ^ tables.hi[lo & 255]!
    tables.lo[entry] = ((lo >>> 8) | (hi << 24)) ^ tables.lo[lo & 255]!
  }
  return tables
}

const updateWith =
  ({ hi: highs, lo: lows }: Tables): Engine["update"] =>
  (state, bytes) => {
    let { hi, lo } = fromBigInt(state)
    let at = 0
    for (const end = bytes.length - 7; at < end; at += 8) {
      const a = lo ^ fourBytes(bytes, at)
      const b = hi ^ fourBytes(bytes, at + 4)
      hi = shiftWord(highs, a, b)
      lo = shiftWord(lows, a, b)
    }
    for (; at < bytes.length; at++) {
      const entry = (lo ^ bytes[at]!) & 255
      lo = ((lo >>> 8) | (hi << 24)) ^ lows[entry]!
      hi = (hi >>> 8) ^ highs[entry]!
    }
    return toBigInt({ hi, lo })
  }

const fourBytes = (bytes: Uint8Array, at: number): number =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)

/** One half of the state after eight bytes, from an empty state: `a` is the first four, `b` the others. */
const shiftWord = (table: Int32Array, a: number, b: number): number =>
  table[7 * 256 + (a & 255)]! ^
  table[6 * 256 + ((a >>> 8) & 255)]! ^
  table[5 * 256 + ((a >>> 16) & 255)]! ^
  table[4 * 256 + (a >>> 24)]! ^
  table[3 * 256 + (b & 255)]! ^
  table[2 * 256 + ((b >>> 8) & 255)]! ^
  table[256 + ((b >>> 16) & 255)]! ^
  table[b >>> 24]!

/** Makes its tables at once: 16 KiB. */
export const make = (): Engine => ({ update: updateWith(makeTables()), acquire: Pool.ordinary })
