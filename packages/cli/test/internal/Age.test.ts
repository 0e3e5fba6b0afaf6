import { assert, describe, it } from "@effect/vitest"
import { Duration, Result } from "effect"
import * as Age from "../../src/internal/Age.ts"

describe("an age", () => {
  it.each([
    ["0s", 0],
    ["90 s", 90_000],
    ["30m", 1_800_000],
    ["12H", 43_200_000],
    ["7d", 604_800_000],
    ["2w", 1_209_600_000]
  ])("%s is %d ms", (text, millis) => {
    assert.strictEqual(Duration.toMillis(Result.getOrThrow(Age.parse("--x", text))), millis)
  })

  it.each(["", "7", "d", "-1d", "1.5d", "7 days", "1y", "9999999d"])("%j is none", (text) => {
    assert.isTrue(Result.isFailure(Age.parse("--x", text)))
  })
})
