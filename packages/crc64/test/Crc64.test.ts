import { assert, describe, it } from "@effect/vitest"
import { combine, crc64, make } from "@effect-oss/crc64"
import { Effect, Random } from "effect"
import { createCRC64 } from "hash-wasm"
import { crcOn, engines, isWebAssembly, noise, reference } from "./oracle.ts"

const MiB = 1024 * 1024
const bytes = noise(3 * MiB)
const hasher = await createCRC64()
const independent = (bytes: Uint8Array) => BigInt(`0x${hasher.init().update(bytes).digest("hex")}`)

/** Where methods change or begin anew: strands, turns, the tail, the change to the multiple, the copy's size. */
const edges = [8, 16, 40, 64, 80, 128, 11_224, 11_264, 11_392, 16_384, 18_432, 32_768, 45_056]
const thresholds = [
  0,
  1,
  ...[...edges, 65_536, 98_304, 131_072, MiB].flatMap((size) => [size - 1, size, size + 1]),
  MiB + 12_345
]

describe("crc64", () => {
  it("has the check value of CRC-64/XZ, and 0 for nothing", () => {
    const check = new TextEncoder().encode("123456789")
    assert.strictEqual(crc64(check), 11_051_210_869_376_104_954n)
    assert.strictEqual(crc64(new Uint8Array(0)), 0n)
    assert.strictEqual(crc64(new Uint8Array(0), 5n), 5n)
    assert.strictEqual(crc64(check.subarray(5), crc64(check.subarray(0, 5))), crc64(check))
  })

  it("runs here on WebAssembly with SIMD, and without, and on JavaScript", () => {
    assert.isTrue(isWebAssembly(engines.simd))
    assert.isTrue(isWebAssembly(engines.plain))
    assert.isFalse(isWebAssembly(engines.javascript))
  })

  for (const [name, engine] of Object.entries(engines)) {
    it(`equals both oracles around each threshold on ${name}, in a block and elsewhere`, () => {
      const block = engine.acquire(2 * MiB)
      for (const size of thresholds) {
        for (const offset of [0, 1, 8]) {
          const piece = bytes.subarray(offset, offset + size)
          const here = block.bytes.subarray(offset, offset + size)
          here.set(piece)
          const expected = independent(piece)
          if (offset === 1) assert.strictEqual(reference(piece), expected)
          assert.strictEqual(crcOn(engine, piece), expected, `${size} bytes at ${offset}`)
          assert.strictEqual(
            crcOn(engine, here),
            expected,
            `${size} bytes at ${offset}, in a block`
          )
        }
      }
      block.release()
    })
  }

  it.effect("equals both oracles for 500 random lengths, alignments and cuts on each engine", () =>
    Effect.gen(function* () {
      for (let n = 0; n < 500; n++) {
        const [low, high] = n % 10 === 0 ? [100_000, 300_000] : n % 2 === 0 ? [0, 200] : [0, 30_000]
        const size = yield* Random.nextIntBetween(low, high)
        const offset = yield* Random.nextIntBetween(0, 64)
        const cut = yield* Random.nextIntBetween(0, size)
        const [first, second] = [
          bytes.subarray(offset, offset + cut),
          bytes.subarray(offset + cut, offset + size)
        ]
        const whole = bytes.subarray(offset, offset + size)
        const expected = independent(whole)
        assert.strictEqual(reference(whole), expected)
        for (const [name, engine] of Object.entries(engines)) {
          const label = `${name}: ${cut} of ${size} bytes at ${offset}`
          assert.strictEqual(crcOn(engine, whole), expected, label)
          assert.strictEqual(crcOn(engine, second, crcOn(engine, first)), expected, label)
        }
        assert.strictEqual(crc64(second, crc64(first)), expected)
        assert.strictEqual(combine(crc64(first), crc64(second), second.length), expected)
      }
    }).pipe(Random.withSeed("cuts"))
  )

  it("sees each bit that is changed anywhere in the window of the sparse multiple", () => {
    const size = 40_000
    const changed = bytes.slice(0, size)
    const crc = crc64(changed)
    for (let at = 0; at < size; at += 97) {
      changed[at]! ^= 1 << (at & 7)
      assert.notStrictEqual(crc64(changed), crc)
      changed[at]! ^= 1 << (at & 7)
    }
    assert.strictEqual(crc64(changed), crc)
  })

  it("takes bytes in shared memory", () => {
    const shared = new Uint8Array(new SharedArrayBuffer(100_000))
    shared.set(bytes.subarray(0, shared.length))
    assert.strictEqual(crc64(shared), independent(bytes.subarray(0, shared.length)))
  })
})

describe("Hasher", () => {
  it.effect("is not disturbed by a thousand others that are fed in between", () =>
    Effect.gen(function* () {
      const hashers = Array.from({ length: 1000 }, () => ({ hasher: make(), at: 0 }))
      for (let n = 0; n < 10_000; n++) {
        const state = hashers[yield* Random.nextIntBetween(0, 999)]!
        const size = yield* Random.nextIntBetween(0, n % 100 === 0 ? 50_000 : 500)
        state.hasher.update(bytes.subarray(state.at, state.at + size))
        state.at += size
      }
      for (const { hasher, at } of hashers) {
        assert.strictEqual(hasher.digest(), independent(bytes.subarray(0, at)))
      }
    }).pipe(Random.withSeed("hashers"))
  )

  it("goes on after a digest, and starts afresh after a reset", () => {
    const hasher = make()
    assert.strictEqual(hasher.digest(), 0n)
    assert.strictEqual(hasher.update(bytes.subarray(0, 7)).digest(), crc64(bytes.subarray(0, 7)))
    assert.strictEqual(hasher.update(bytes.subarray(7, 70)).digest(), crc64(bytes.subarray(0, 70)))
    assert.strictEqual(hasher.reset().digest(), 0n)
    assert.strictEqual(hasher.update(bytes.subarray(5, 9)).digest(), crc64(bytes.subarray(5, 9)))
  })
})
