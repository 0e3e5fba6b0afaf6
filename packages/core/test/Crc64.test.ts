import { assert, describe, it } from "@effect/vitest"
import { Crc64 } from "@effect-oss/core"
import { Schema } from "effect"

/** Bit by bit, straight from the definition of CRC-64/XZ. */
const reference = (bytes: Uint8Array): bigint => {
  let crc = 0xffff_ffff_ffff_ffffn
  for (const byte of bytes) {
    crc ^= BigInt(byte)
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc & 1n) === 1n ? (crc >> 1n) ^ 0xc96c_5795_d787_0f42n : crc >> 1n
    }
  }
  return crc ^ 0xffff_ffff_ffff_ffffn
}

const text = (value: string) => new TextEncoder().encode(value)

describe("Crc64", () => {
  it("has the check value of CRC-64/XZ, and 0 for nothing", () => {
    assert.strictEqual(Crc64.of(text("123456789")), 11_051_210_869_376_104_954n)
    assert.strictEqual(Crc64.of(new Uint8Array(0)), 0n)
  })

  it.prop(
    "equals the definition for any bytes, in one go and cut anywhere",
    {
      bytes: Schema.Uint8Array,
      cut: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 99 }))
    },
    ({ bytes, cut }) => {
      const at = Math.min(cut, bytes.length)
      const [first, second] = [bytes.subarray(0, at), bytes.subarray(at)]
      const whole = reference(bytes)
      assert.strictEqual(Crc64.of(bytes), whole)
      assert.strictEqual(Crc64.of(second, Crc64.of(first)), whole)
      assert.strictEqual(Crc64.combine(Crc64.of(first), Crc64.of(second), second.length), whole)
    },
    { arbitrary: { runs: 200, seed: 2 } }
  )

  it("combines across lengths of many powers of two", () => {
    const zeros = new Uint8Array(1 << 20)
    for (let power = 0; power <= 20; power++) {
      const second = zeros.subarray(0, 1 << power)
      const joined = new Uint8Array(9 + second.length)
      joined.set(text("123456789"))
      const combined = Crc64.combine(Crc64.of(text("123456789")), Crc64.of(second), second.length)
      assert.strictEqual(combined, Crc64.of(joined))
    }
  })
})
