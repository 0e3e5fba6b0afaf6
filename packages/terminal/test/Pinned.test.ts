import { assert, describe, it } from "@effect/vitest"
import { erased } from "../src/internal/erased.ts"

describe("lines that were drawn", () => {
  it.each([
    [["12345"], 10, "\r\u001B[K"],
    [["12345"], 3, "\u001B[1A\r\u001B[J"],
    [["\u001B[32m123\u001B[39m"], 3, "\r\u001B[K"],
    [["1234", "1", ""], 2, "\u001B[3A\r\u001B[J"]
  ])("%j are taken off %d columns", (lines, columns, expected) => {
    assert.strictEqual(erased(lines, columns), expected)
  })
})
