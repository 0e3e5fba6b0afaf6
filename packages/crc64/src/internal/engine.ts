/**
 * Chooses the engine for this machine: WebAssembly with SIMD, WebAssembly
 * without, or JavaScript. Nothing loads before the first use.
 */
import type { Block } from "../Block.ts"
import * as JavaScript from "./javascript.ts"
import * as Wasm from "./wasm.ts"
import * as WebAssembly from "./webAssembly.ts"

/** An implementation of the CRC. */
export interface Engine {
  /** Takes and returns the bare state and ignores its bits above 64. The caller complements. */
  readonly update: (state: bigint, bytes: Uint8Array) => bigint
  /** Memory that `update` reads in place. */
  readonly acquire: (size: number) => Block
}

/** The engine of this process. */
export const shared = (): Engine => (chosen ??= choose([Wasm.simd, Wasm.plain]))

let chosen: Engine | undefined

/** The engine of the first module, in hexadecimal, that this machine runs; JavaScript if it runs none. */
export const choose = (modules: ReadonlyArray<string>): Engine => {
  for (const module of modules) {
    const engine = attempt(module)
    if (engine !== undefined) return engine
  }
  return JavaScript.make()
}

/**
 * A content security policy, a missing instruction, a missing i64 at the border
 * and a lack of address space all throw, each engine in its own way. So a
 * module that fails to compute the check value is skipped.
 */
const attempt = (module: string): Engine | undefined => {
  try {
    const engine = WebAssembly.make(bytesOf(module))
    return passes(engine) ? engine : undefined
  } catch {
    return undefined
  }
}

const bytesOf = (hexadecimal: string): Uint8Array =>
  Uint8Array.from(hexadecimal.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))

/** The check value of CRC-64/XZ. */
const passes = (engine: Engine): boolean => {
  const state = engine.update(-1n, new TextEncoder().encode("123456789"))
  return BigInt.asUintN(64, ~state) === 0x995d_c9bb_df19_39fan
}
