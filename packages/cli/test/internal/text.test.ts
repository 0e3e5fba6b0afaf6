import { assert, describe, it } from "@effect/vitest"
import { wrapped } from "../../src/internal/text.ts"

describe("help that is too wide", () => {
  it("goes on below its last column", () => {
    assert.strictEqual(
      wrapped("  --a    one two three four", 18),
      "  --a    one two\n         three\n         four"
    )
    assert.strictEqual(wrapped("short", 15), "short")
  })
})
