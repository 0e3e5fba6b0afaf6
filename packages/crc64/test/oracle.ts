import { choose, type Engine } from "../src/internal/engine.ts"
import { plain, simd } from "../src/internal/wasm.ts"

/** ECMA-182's polynomial, reflected. */
const polynomial = 0xc96c_5795_d787_0f42n
const all = 0xffff_ffff_ffff_ffffn

/** What a byte makes of an empty state, bit by bit, straight from the definition. */
const table = Array.from({ length: 256 }, (_, byte) => {
  let state = BigInt(byte)
  for (let bit = 0; bit < 8; bit++) {
    state = (state & 1n) === 1n ? (state >> 1n) ^ polynomial : state >> 1n
  }
  return state
})

/** CRC-64/XZ byte by byte. */
export const reference = (bytes: Uint8Array): bigint => {
  let state = all
  for (const byte of bytes) state = table[Number(state & 0xffn) ^ byte]! ^ (state >> 8n)
  return state ^ all
}

/** Bytes without a pattern, always the same ones. */
export const noise = (size: number): Uint8Array => {
  let state = 0x9e37_79b9
  return Uint8Array.from({ length: size }, () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state & 255
  })
}

/** Each method by itself, none replaced by another. */
export const engines: Readonly<Record<"simd" | "plain" | "javascript", Engine>> = {
  simd: choose([simd]),
  plain: choose([plain]),
  javascript: choose([])
}

/** `crc64` on one of the engines. */
export const crcOn = ({ update }: Engine, bytes: Uint8Array, before = 0n): bigint =>
  BigInt.asUintN(64, ~update(~before, bytes))

/** Whether blocks of an engine are in WebAssembly's memory. */
export const isWebAssembly = ({ acquire }: Engine): boolean => {
  const block = acquire(1)
  block.release()
  return block.bytes.buffer.byteLength > 1
}
