import { assert, describe, it } from "@effect/vitest"
import { acquire, type Block, crc64 } from "@effect-oss/crc64"
import { Effect, Random } from "effect"
import * as Pool from "../src/internal/pool.ts"
import { engines, noise, reference } from "./oracle.ts"

const KiB = 1024
const MiB = 1024 * KiB
const bytes = noise(256 * KiB)

/** Fails on each copy between typed arrays while `run` runs. */
const withoutCopying = (run: () => void): void => {
  const prototype = Object.getPrototypeOf(Uint8Array.prototype)
  const original = Object.getOwnPropertyDescriptor(prototype, "set")!
  const value = () => assert.fail("bytes were copied")
  Object.defineProperty(prototype, "set", { ...original, value })
  try {
    run()
  } finally {
    Object.defineProperty(prototype, "set", original)
  }
}

describe("a block", () => {
  it("is as long as was asked for", () => {
    for (const size of [0, 1, 64 * KiB, 64 * KiB + 1, 16 * MiB, 16 * MiB + 1]) {
      const block = acquire(size)
      assert.strictEqual(block.bytes.length, size)
      block.release()
    }
  })

  it("is read in place, as a whole and in parts, and stays as it is", () => {
    const block = acquire(bytes.length)
    block.bytes.set(bytes)
    const part = block.bytes.subarray(1000, 30_001)
    const view = Buffer.from(block.bytes.buffer, part.byteOffset, part.length)
    const expected = reference(part)
    withoutCopying(() => {
      assert.strictEqual(crc64(block.bytes), crc64(block.bytes.subarray(0)))
      assert.strictEqual(crc64(part), expected)
      assert.strictEqual(crc64(view), expected)
    })
    assert.throws(() => withoutCopying(() => crc64(bytes)), "bytes were copied")
    assert.strictEqual(crc64(block.bytes), crc64(bytes))
    assert.isTrue(Buffer.from(bytes).equals(block.bytes))
    block.release()
  })

  it("gives the right CRC even of the memory around it, which is the module's", () => {
    const { bytes, release } = acquire(1)
    const around = new Uint8Array(bytes.buffer, 0, 50_000)
    assert.strictEqual(crc64(around), reference(around.slice()))
    release()
  })

  it("stays attached and keeps its bytes while many others are acquired", () => {
    const first = acquire(bytes.length)
    first.bytes.set(bytes)
    const { buffer } = first.bytes
    const others = Array.from({ length: 20 }, () => acquire(4 * MiB))
    assert.isAbove(new Set(others.map(({ bytes }) => bytes.buffer)).size, 1)
    for (const { bytes } of others) bytes.fill(255)
    assert.strictEqual(first.bytes.buffer, buffer)
    assert.strictEqual(first.bytes.length, bytes.length)
    assert.isTrue(Buffer.from(bytes).equals(first.bytes))
    withoutCopying(() => {
      const crcs = others.map(({ bytes }) => crc64(bytes))
      assert.strictEqual(new Set(crcs).size, 1)
    })
    for (const { release } of others) release()
    first.release()
  })

  it("is refused for what is not a size", () => {
    for (const size of [-1, 1.5, Number.NaN, Infinity, 2 ** 53]) {
      assert.throws(() => acquire(size), RangeError, "acquire: ")
    }
  })

  it("is ordinary memory on JavaScript, and beyond 1 GiB", () => {
    const block = engines.javascript.acquire(10)
    block.release()
    assert.strictEqual(block.bytes.buffer.byteLength, 10)
    const large = engines.simd.acquire(1024 * MiB + 1)
    large.release()
    assert.strictEqual(large.bytes.buffer.byteLength, 1024 * MiB + 1)
  })
})

describe("the pool", () => {
  it.effect("never lends what is held, whatever the order of release", () =>
    Effect.gen(function* () {
      const held: Array<{ readonly block: Block; readonly mark: number }> = []
      for (let n = 0; n < 1000; n++) {
        if (held.length === 0 || (held.length < 60 && (yield* Random.nextBoolean))) {
          const block = engines.simd.acquire(yield* Random.nextIntBetween(0, 800 * KiB))
          block.bytes.fill(n & 255)
          held.push({ block, mark: n & 255 })
        } else {
          const [{ block, mark }] = held.splice(
            yield* Random.nextIntBetween(0, held.length - 1),
            1
          ) as [(typeof held)[number]]
          const own = Buffer.alloc(block.bytes.length, mark)
          assert.isTrue(own.equals(block.bytes), `block ${n} was written by another holder`)
          block.release()
        }
      }
      for (const { block } of held) block.release()
    }).pipe(Random.withSeed("pool"))
  )

  it("lends again what was released, once for each release that counts", () => {
    const acquire = Pool.make((size) => new Uint8Array(size))
    const first = acquire(100)
    first.release()
    const second = acquire(200)
    assert.strictEqual(second.bytes.byteOffset, first.bytes.byteOffset)
    first.release()
    assert.notStrictEqual(acquire(300).bytes.byteOffset, second.bytes.byteOffset)
  })

  it("keeps one free area of the usual size, and gives up the others", () => {
    const areas: Array<number> = []
    const acquire = Pool.make((size) => {
      areas.push(size)
      return new Uint8Array(size)
    })
    const releaseAll = (blocks: ReadonlyArray<Block>) => {
      for (const { release } of blocks) release()
    }
    releaseAll([acquire(16 * MiB), acquire(16 * MiB), acquire(20 * MiB)])
    assert.deepStrictEqual(areas, [16 * MiB, 16 * MiB, 20 * MiB])
    releaseAll([acquire(16 * MiB)])
    assert.strictEqual(areas.length, 3)
    releaseAll([acquire(16 * MiB), acquire(1), acquire(20 * MiB)])
    assert.deepStrictEqual(areas.slice(3), [16 * MiB, 20 * MiB])
  })

  it("lends ordinary memory where no area is to be had", () => {
    const acquire = Pool.make(() => {
      throw new RangeError("no address space")
    })
    const { bytes, release } = acquire(70_000)
    assert.strictEqual(bytes.buffer.byteLength, 70_000)
    release()
  })
})
