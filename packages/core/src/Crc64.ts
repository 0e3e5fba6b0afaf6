/**
 * CRC-64/XZ, the check sum that OSS answers as `x-oss-hash-crc64ecma`.
 *
 * @since 0.1.0
 */
import { createCRC64 } from "hash-wasm"

/** Loaded once; each computation uses it from start to end without a pause, so sharing is safe. */
const hasher = await createCRC64()

/**
 * CRC-64/XZ of `bytes`, or of `bytes` after what `before` is the CRC of.
 *
 * **Example** (in pieces)
 *
 * ```ts
 * import { Crc64 } from "@effect-oss/core"
 *
 * const text = new TextEncoder()
 * Crc64.of(text.encode("123456789")) // => 11051210869376104954n
 * Crc64.of(text.encode("6789"), Crc64.of(text.encode("12345"))) // => 11051210869376104954n
 * ```
 *
 * @category computing
 * @since 0.1.0
 */
export const of = (bytes: Uint8Array, before = 0n): bigint => {
  const crc = BigInt(`0x${hasher.init().update(bytes).digest("hex")}`)
  return before === 0n ? crc : combine(before, crc, bytes.length)
}

/**
 * The CRC of two byte strings joined: `first` and `second` are theirs, and
 * `secondSize` is the length of the second in bytes.
 *
 * @category computing
 * @since 0.1.0
 */
export const combine = (first: bigint, second: bigint, secondSize: number): bigint =>
  multiply(shiftBy(secondSize), first) ^ second

// Polynomials over GF(2) modulo P, bit-reflected: bit 63 is x^0. As in zlib's crc32_combine.

/** ECMA-182's polynomial, reflected. */
const P = 0xc96c5795d7870f42n
const one = 1n << 63n

const multiply = (a: bigint, b: bigint): bigint => {
  let product = 0n
  for (let bit = one; bit > 0n; bit >>= 1n) {
    if ((a & bit) !== 0n) product ^= b
    b = (b & 1n) === 0n ? b >> 1n : (b >> 1n) ^ P
  }
  return product
}

/** x^(2^k) for k = 0 … 63. */
const squares: ReadonlyArray<bigint> = Array.from({ length: 64 }).reduce<Array<bigint>>(
  (powers) => [
    ...powers,
    powers.length === 0 ? one >> 1n : multiply(powers.at(-1)!, powers.at(-1)!)
  ],
  []
)

/** An upload has parts and pieces of few different lengths. */
const operators = new Map<number, bigint>()
const maxOperators = 64

/** x^(8 · bytes): what appending that many bytes multiplies a CRC by. */
const shiftBy = (bytes: number): bigint => {
  const known = operators.get(bytes)
  if (known !== undefined) return known
  let operator = one
  for (let bits = BigInt(bytes) << 3n, k = 0; bits > 0n; bits >>= 1n, k++) {
    if ((bits & 1n) === 1n) operator = multiply(squares[k]!, operator)
  }
  if (operators.size >= maxOperators) operators.clear()
  operators.set(bytes, operator)
  return operator
}
