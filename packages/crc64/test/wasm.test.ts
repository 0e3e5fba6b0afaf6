import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Fs from "node:fs"
import wabt from "wabt"
import { measure } from "../bench.ts"
import { choose } from "../src/internal/engine.ts"
import { plain, simd } from "../src/internal/wasm.ts"
import { generate, target } from "../wasm/build.ts"
import { multiple, source } from "../wasm/source.ts"
import { crcOn, isWebAssembly, noise, reference } from "./oracle.ts"

const bytes = noise(200_001)

describe("the modules", () => {
  it("are what comes of their source", () => {
    assert.strictEqual(Fs.readFileSync(target, "utf8"), generate())
  })

  it("are small enough to be compiled at once on a browser's main thread: below 4 KiB", () => {
    assert.isBelow(simd.length / 2, 4096)
    assert.isBelow(plain.length / 2, 4096)
  })

  it("rest on a multiple of the polynomial", () => {
    const polynomial = 0x1_42f0_e1eb_a9ea_3693n
    const remainder = (exponents: ReadonlyArray<number>): bigint => {
      let value = exponents.reduce((sum, e) => sum ^ (1n << BigInt(64 * e)), 0n)
      for (let top = 64 * Math.max(...exponents); top >= 64; top--) {
        if ((value >> BigInt(top)) & 1n) value ^= polynomial << BigInt(top - 64)
      }
      return value
    }
    assert.strictEqual(remainder(multiple), 0n)
    assert.notStrictEqual(remainder([...multiple.slice(0, -1), 1404]), 0n)
  })
})

const WebAssembly = Object.getOwnPropertyDescriptor(globalThis, "WebAssembly")!

/** Takes WebAssembly away until the scope closes. */
const withoutWebAssembly = Effect.acquireRelease(
  Effect.sync(() => Reflect.deleteProperty(globalThis, "WebAssembly")),
  () => Effect.sync(() => Object.defineProperty(globalThis, "WebAssembly", WebAssembly))
)

/** Lets a part of WebAssembly throw until the scope closes. */
const withBroken = (part: "Module" | "Memory", onCall: () => void) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const broken = function () {
        onCall()
        throw new Error(`${part} is not to be had`)
      }
      const value = Object.create(WebAssembly.value, { [part]: { value: broken } })
      Object.defineProperty(globalThis, "WebAssembly", { ...WebAssembly, value })
    }),
    () => Effect.sync(() => Object.defineProperty(globalThis, "WebAssembly", WebAssembly))
  )

describe("where a method is not to be had", () => {
  it("the next module is taken: no SIMD", () => {
    const engine = choose([btoa("no module for this machine"), plain])
    assert.isTrue(isWebAssembly(engine))
    assert.strictEqual(crcOn(engine, bytes), reference(bytes))
  })

  it.effect("JavaScript computes: no WebAssembly at all", () =>
    Effect.gen(function* () {
      yield* withoutWebAssembly
      assert.isFalse("WebAssembly" in globalThis)
      const engine = choose([simd, plain])
      assert.isFalse(isWebAssembly(engine))
      assert.strictEqual(crcOn(engine, bytes), reference(bytes))
    })
  )

  it.effect("JavaScript computes: a content security policy forbids to compile", () =>
    Effect.gen(function* () {
      let tried = 0
      yield* withBroken("Module", () => tried++)
      const engine = choose([simd, plain])
      assert.strictEqual(tried, 2)
      assert.isFalse(isWebAssembly(engine))
      assert.strictEqual(crcOn(engine, bytes), reference(bytes))
    })
  )

  it.effect("blocks are ordinary memory: the address space is used up later", () =>
    Effect.gen(function* () {
      const engine = choose([simd])
      let tried = 0
      yield* withBroken("Memory", () => tried++)
      const block = engine.acquire(bytes.length)
      assert.strictEqual(tried, 1)
      assert.strictEqual(block.bytes.buffer.byteLength, bytes.length)
      block.bytes.set(bytes)
      assert.strictEqual(crcOn(engine, block.bytes), reference(bytes))
      block.release()
    })
  )

  it("a module that answers wrongly is passed over", async () => {
    const { parseWat } = await wabt()
    const text = source("plain").replaceAll("0xc96c5795d7870f42", "0xc96c5795d7870f43")
    const wrong = Buffer.from(parseWat("wrong.wat", text).toBinary({}).buffer).toString("hex")
    assert.isFalse(isWebAssembly(choose([wrong])))
    assert.isTrue(isWebAssembly(choose([wrong, plain])))
  })
})

describe("the benchmark", () => {
  it("measures each method beside hash-wasm", async () => {
    const { sizes, combineMicroseconds } = await measure({
      sizes: [1000],
      rounds: 1,
      bytesPerRound: 1000,
      combinations: 2
    })
    assert.deepStrictEqual(
      sizes.map(({ size, results }) => [size, results.length]),
      [[1000, 7]]
    )
    assert.deepStrictEqual(Object.keys(combineMicroseconds), ["oneLength", "everyLengthAnew"])
  })
})
