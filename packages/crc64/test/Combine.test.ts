import { assert, describe, it } from "@effect/vitest"
import { combine, crc64 } from "@effect-oss/crc64"
import { Effect, Random, Schema } from "effect"
import { noise } from "./oracle.ts"

/** ECMA-182's polynomial as it is written in books: bit n is x^n. */
const polynomial = 0x1_42f0_e1eb_a9ea_3693n

const multiply = (a: bigint, b: bigint): bigint => {
  let product = 0n
  for (let n = 63n; n >= 0n; n--) {
    product <<= 1n
    if (product >> 64n === 1n) product ^= polynomial
    if (((b >> n) & 1n) === 1n) product ^= a
  }
  return product
}

const power = (base: bigint, exponent: bigint): bigint =>
  exponent === 0n
    ? 1n
    : multiply(power(multiply(base, base), exponent >> 1n), (exponent & 1n) === 1n ? base : 1n)

const reflect = (value: bigint): bigint =>
  BigInt(`0b${Array.from(value.toString(2).padStart(64, "0")).toReversed().join("")}`)

/** By the definition: the first's CRC times x^(8 · size), and the second's. */
const expected = (first: bigint, second: bigint, size: number): bigint =>
  reflect(multiply(reflect(first), power(2n, 8n * BigInt(size)))) ^ second

const Crc = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 2n ** 64n - 1n }))
const Length = Schema.Int.check(
  Schema.isBetween({ minimum: 0, maximum: Math.floor(Number.MAX_SAFE_INTEGER / 2) })
)

describe("combine", () => {
  it("joins the CRCs of real bytes, of any lengths", () => {
    const bytes = noise(300_000)
    const lengths = [0, 1, 2, 7, 8, 9, 255, 256, 257, 4095, 65_536, 100_000, 150_000]
    for (const first of lengths) {
      for (const second of lengths) {
        const joined = bytes.subarray(0, first + second)
        assert.strictEqual(
          combine(crc64(joined.subarray(0, first)), crc64(joined.subarray(first)), second),
          crc64(joined),
          `${first} and ${second} bytes`
        )
      }
    }
  })

  it.effect("equals the definition for lengths up to 2^53 − 1", () =>
    Effect.gen(function* () {
      const crcs = [1n, 2n ** 63n, 2n ** 64n - 1n, crc64(noise(9))]
      const lengths = Array.from({ length: 53 }, (_, n) => 2 ** n)
      for (let n = 0; n < 50; n++) {
        lengths.push(yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER - 1))
      }
      for (const length of [0, ...lengths, ...lengths.map((n) => n - 1), 2 ** 53 - 1]) {
        for (const [n, first] of crcs.entries()) {
          const second = crcs[(n + 1) % crcs.length]!
          const whole = expected(first, second, length)
          assert.strictEqual(combine(first, second, length), whole, `${length} bytes`)
          assert.strictEqual(combine(first, second, length), whole, `${length} bytes, again`)
        }
      }
    }).pipe(Random.withSeed("lengths"))
  )

  it.prop(
    "doesn't depend on the order in which three are joined",
    { a: Crc, b: Crc, c: Crc, sizeOfB: Length, sizeOfC: Length },
    ({ a, b, c, sizeOfB, sizeOfC }) =>
      assert.strictEqual(
        combine(combine(a, b, sizeOfB), c, sizeOfC),
        combine(a, combine(b, c, sizeOfC), sizeOfB + sizeOfC)
      ),
    { arbitrary: { runs: 200, seed: 3 } }
  )

  it("refuses what is not a length", () => {
    for (const size of [-1, 1.5, Number.NaN, Infinity, 2 ** 53]) {
      assert.throws(() => combine(1n, 2n, size), RangeError, "combine: ")
    }
  })
})
