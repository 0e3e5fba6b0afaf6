import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as Size from "../../src/internal/Size.ts"

const parsed = (text: string) => Result.getOrUndefined(Size.parse("--part-size", text))

describe("a size", () => {
  it.each([
    ["0", 0],
    ["102400", 102_400],
    ["100B", 100],
    ["8MiB", 8 * 1024 * 1024],
    ["8 MiB", 8 * 1024 * 1024],
    ["8mib", 8 * 1024 * 1024],
    ["8M", 8 * 1024 * 1024],
    ["8m", 8 * 1024 * 1024],
    ["8MB", 8_000_000],
    ["100K", 102_400],
    ["100KiB", 102_400],
    ["100KB", 100_000],
    ["5G", 5 * 1024 ** 3],
    ["5GiB", 5 * 1024 ** 3],
    ["5GB", 5_000_000_000],
    ["1.5MB", 1_500_000],
    ["0.5KiB", 512]
  ])("%s is %d bytes", (text, bytes) => {
    assert.strictEqual(parsed(text), bytes)
  })

  it.each(
    [
      "",
      " ",
      "MiB",
      "-8MiB",
      "+8",
      "8TB",
      "8 M iB",
      "8MiB8",
      "1e6",
      "0x10",
      "1.3",
      "1.0001KiB"
    ].concat(["8,5MB", "NaN", "Infinity", "9007199254740993", "9999999999GiB", "٣MiB"])
  )("%j is none", (text) => {
    const result = Size.parse("--part-size", text)
    assert.isTrue(Result.isFailure(result))
    if (Result.isFailure(result)) {
      assert.strictEqual(result.failure.problem, `--part-size: "${text}" is not a size`)
      assert.include(result.failure.remedy, "KiB")
    }
  })

  it.prop(
    "of any whole number of bytes is read as it is",
    { bytes: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1e15 })) },
    ({ bytes }) => assert.strictEqual(parsed(String(bytes)), bytes)
  )

  it.prop(
    "in a unit is that many times the unit",
    {
      count: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 8_000_000 })),
      unit: Schema.Literals(["KiB", "MiB", "GiB"])
    },
    ({ count, unit }) => {
      const factor = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }[unit]
      const bytes = count * factor
      assert.strictEqual(parsed(`${count}${unit}`), Number.isSafeInteger(bytes) ? bytes : undefined)
    }
  )
})
