/** Figures that pages give are those that the code yields. */
import { Part } from "@effect-oss/core"
import { NodeServices } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as Parts from "../packages/core/src/internal/parts.ts"
import { levels } from "../packages/core/src/internal/slots/concurrency.ts"
import { blockSize } from "../packages/node-http/src/internal/pieces.ts"
import { matching } from "./support/documents.ts"

const MiB = 1024 ** 2
const GiB = 1024 ** 3
const TiB = 1024 ** 4

const rounded = (value: number, digits: number) => Number(value.toFixed(digits)).toString()

const numbers = Array.from({ length: Parts.maxParts }, (_, index) => index + 1)

/** The size of the part in which so many bytes of a source of unknown length end. */
const sizeAfter = (bytes: number) =>
  numbers
    .map((number) => Parts.growing(number, Parts.defaultPartSize))
    .find(({ offset, size }) => offset + size > bytes)!.size

/** What all parts together hold, in TiB. */
const reach = (first: number) => {
  const { offset, size } = Parts.growing(Parts.maxParts, first)
  return `${rounded((offset + size) / TiB, 1)} TiB`
}

layer(NodeServices.layer, { excludeTestServices: true })("figures", (it) => {
  it.effect("of part sizes and concurrency", () =>
    Effect.gen(function* () {
      const [page] = yield* matching("docs/part-size-and-concurrency.md")
      const text = page!.text.replaceAll(/\s+/g, " ")
      const [least, , most] = levels
      const same = numbers.filter((number) => Parts.growing(number, 8 * MiB).size === 8 * MiB)
      const largest = numbers
        .map((number) => Parts.growing(number, 8 * MiB))
        .find(({ size }) => size === Parts.maxPartSize)!
      const adapted = numbers
        .map((tenths) => (tenths * MiB) / 10)
        .filter((size) => size >= 8 * MiB && size <= 400 * MiB)
      const sizes = adapted.map(Part.partSizeFor)
      for (const [index, size] of adapted.entries()) {
        assert.strictEqual(Math.ceil(size / sizes[index]!) % least, 0, `${size}`)
      }
      const beginning = Array.from({ length: 32 }, (_, index) => blockSize(index + 1))
      for (const figure of [
        `${rounded(Math.min(...sizes) / MiB, 1)} to ${Math.max(...sizes) / MiB} MiB`,
        `so have the first ${same.length.toLocaleString("en")}.`,
        `Parts have ${rounded(sizeAfter(10 * GiB) / MiB, 0)} MiB after 10 GiB`,
        `${rounded(sizeAfter(100 * GiB) / MiB, 0)} MiB after 100 GiB`,
        `${rounded(sizeAfter(3 * TiB) / GiB, 2)} GiB after 3 TiB`,
        `and 5 GiB from ${rounded(largest.offset / TiB, 1)} TiB on`,
        `10,000 of them reach ${reach(8 * MiB)}`,
        `A first part of 1 GiB reaches ${reach(GiB)}`,
        `only parts of 5 GiB from the start reach ${reach(5 * GiB)}`,
        `an object | ${rounded(Parts.maxObjectSize / TiB, 1)} TiB`,
        `above ${Math.floor((Parts.maxParts * Parts.defaultPartSize) / GiB)} GiB`,
        `begins with ${least} parts at once and tries more, up to ${most},`,
        `that is ${(32 * blockSize(32)) / MiB} MiB while there are at most 32 parts, ${
          beginning.reduce((sum, bytes) => sum + bytes) / MiB
        } MiB while the first 32 begin, and ${blockSize(1_000) / 1024} KiB for each further one`,
        `one buffer of ${blockSize(1_000) / 1024} KiB to ${blockSize(1) / MiB} MiB`
      ]) {
        assert.include(text, figure)
      }
    })
  )

  it.effect("of other programs have a version and a date", () =>
    Effect.gen(function* () {
      const [page] = yield* matching("docs/peers.md")
      const [table = ""] = /^\| program [^]*?\n\n/m.exec(page!.text) ?? []
      const rows = table
        .split("\n")
        .slice(2)
        .filter((row) => row !== "")
      assert.isAtLeast(rows.length, 5)
      const date = /\d{1,2} [A-Z][a-z]+ 20\d\d/
      for (const row of rows) {
        const [, , version = "", , newest = ""] = row.split("|")
        assert.match(version, /\d+\.\d+\.\d+/, row)
        assert.match(row, date)
        assert.isNotEmpty(newest.trim(), row)
      }
      const [, read = ""] = /as of (.*?)\./.exec(page!.text) ?? []
      assert.match(read, date)
    })
  )

  it.effect("of speed in the README are those that were measured last", () =>
    Effect.gen(function* () {
      const [measured] = yield* matching("bench/README.md")
      const [page] = yield* matching("README.md")
      const pair = (name: string) => {
        const row = new RegExp(`^\\| ${name} \\((\\S+) s, (\\S+) s\\)`, "m").exec(measured!.text)
        assert.isNotNull(row, name)
        return [row[1], row[2]] as const
      }
      const [wall, sampleWall] = pair("wall, ours ÷ sample, 1 GiB")
      const [cpu, sampleCpu] = pair("CPU, ours ÷ sample, 1 GiB")
      assert.include(page!.text, `over loopback: ${sampleWall} s, ${sampleCpu} s of CPU`)
      assert.include(page!.text, `| ${wall} s, ${cpu} s of CPU, all of the above included`)
    })
  )
})
