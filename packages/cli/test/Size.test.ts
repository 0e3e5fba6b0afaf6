import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as Size from "../src/Size.ts"

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

describe("what people read", () => {
  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1024 * 1024 - 1, "1.0 MiB"],
    [200 * 1024 * 1024, "200.0 MiB"],
    [1.5 * 1024 ** 3, "1.5 GiB"],
    [48.8 * 1024 ** 4, "48.8 TiB"],
    [5000 * 1024 ** 4, "5000.0 TiB"]
  ])("%d bytes are %s", (bytes, text) => {
    assert.strictEqual(Size.format(bytes), text)
  })

  it.each([
    [0, "0.0 s"],
    [3_210, "3.2 s"],
    [59_949, "59.9 s"],
    [59_951, "1 min 0 s"],
    [125_000, "2 min 5 s"],
    [3_599_600, "1 h 0 min"],
    [7_380_000, "2 h 3 min"],
    [86_400_000, "1 d 0 h"],
    [1_000 * 86_400_000, "1000 d 0 h"]
  ])("%d ms are %s", (millis, text) => {
    assert.strictEqual(Size.formatDuration(millis), text)
  })

  it.each([
    [-5, "0 s"],
    [1, "1 s"],
    [12_000, "12 s"],
    [59_001, "1 min 0 s"]
  ])("%d ms are in whole units %s", (millis, text) => {
    assert.strictEqual(Size.formatWholeDuration(millis), text)
  })
})
