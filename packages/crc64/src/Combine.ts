/**
 * Combines the CRCs of two byte strings into the CRC of both joined, as zlib's
 * crc32_combine does. So you can compute the CRCs of parts in parallel, or
 * store them, and combine them later.
 *
 * @since 0.1.0
 */
import { fromBigInt, multiply, toBigInt, type Word } from "./internal/word.ts"

/**
 * Returns the CRC of two byte strings joined. `first` and `second` are their
 * CRCs; `secondSize` is the length of the second one in bytes. It takes a
 * fraction of a microsecond for a recently used length, and some ten
 * microseconds for another.
 *
 * Throws a `RangeError` if `secondSize` is not a whole number from 0 to 2^53 − 1.
 *
 * @category computing
 * @since 0.1.0
 */
export const combine = (first: bigint, second: bigint, secondSize: number): bigint => {
  if (!Number.isSafeInteger(secondSize) || secondSize < 0) {
    throw new RangeError(`combine: ${secondSize} is not a size in bytes`)
  }
  const shifted = multiply(shiftBy(secondSize), fromBigInt(first))
  const { hi, lo } = fromBigInt(second)
  return toBigInt({ hi: shifted.hi ^ hi, lo: shifted.lo ^ lo })
}

/** Operators of recently used lengths. An upload has few different lengths of parts and pieces. */
const operators = /*#__PURE__*/ new Map<number, Word>()
const maxOperators = 64

/** x^(8 · bytes): the factor by which that many following bytes multiply a CRC. */
const shiftBy = (bytes: number): Word => {
  const known = operators.get(bytes)
  if (known !== undefined) return known
  const operator = powerOfX8(bytes)
  if (operators.size >= maxOperators) operators.clear()
  operators.set(bytes, operator)
  return operator
}

/** x^(8 · exponent), by squaring: at most 2 · 53 multiplications. */
const powerOfX8 = (exponent: number): Word => {
  let power: Word = { hi: 1 << 31, lo: 0 }
  let square: Word = { hi: 1 << (31 - 8), lo: 0 }
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = multiply(square, power)
    square = multiply(square, square)
  }
  return power
}
