/**
 * Assembles the WebAssembly modules. Run as a program, `pnpm wasm`, it writes
 * `src/internal/wasm.ts`.
 */
import * as Fs from "node:fs"
import { fileURLToPath } from "node:url"
import wabt from "wabt"
import { source } from "./source.ts"

/** Where the assembled modules are kept. */
export const target: string = fileURLToPath(new URL("../src/internal/wasm.ts", import.meta.url))

const { parseWat } = await wabt()

const assemble = (method: "simd" | "plain"): string => {
  const module = parseWat(`${method}.wat`, source(method))
  const { buffer } = module.toBinary({})
  module.destroy()
  return Buffer.from(buffer).toString("hex")
}

/** The text of `src/internal/wasm.ts`. */
export const generate = (): string => `/**
 * Generated: \`pnpm wasm\` in this package assembles these modules from
 * wasm/source.ts, and a test checks that they are what comes of it. They are
 * hexadecimal: gzip makes less of that than of base64, which shifts what repeats.
 */

/** The sparse multiple, which takes SIMD, and the braid. */
export const simd: string =
  "${assemble("simd")}"

/** The braid alone. */
export const plain: string =
  "${assemble("plain")}"
`

if (import.meta.main) Fs.writeFileSync(target, generate())
