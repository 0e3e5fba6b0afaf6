import { Text } from "@effect-oss/terminal"
import { assert, describe, it } from "@effect/vitest"

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
    assert.strictEqual(Text.bytes(bytes), text)
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
    assert.strictEqual(Text.duration(millis), text)
  })

  it.each([
    [-5, "0 s"],
    [1, "1 s"],
    [12_000, "12 s"],
    [59_001, "1 min 0 s"]
  ])("%d ms are in whole units %s", (millis, text) => {
    assert.strictEqual(Text.wholeDuration(millis), text)
  })
})

describe("text of others on one line", () => {
  it.each([
    ["a\u001B[2J\nb", "a [2J b"],
    ["a\u0085b\u009B2Jc", "a b 2Jc"],
    ["a\u2028b", "a b"],
    ["photo_\u202Egpj.exe", "photo_\\u202egpj.exe"],
    ["\u2066x\u2069", "\\u2066x\\u2069"],
    ["pay\u200Bpal", "pay\\u200bpal"],
    ["a\u200Db\uFEFF", "a\\u200db\\ufeff"],
    ["tag \u{E0041}", "tag \\u{e0041}"],
    ["half \uD83D", "half \\ud83d"],
    ["👨‍👩‍👧‍👦 👩🏽‍🚀 ❤️‍🔥", "👨‍👩‍👧‍👦 👩🏽‍🚀 ❤️‍🔥"],
    ["照片 é e\u0301", "照片 é e\u0301"]
  ])("%j is shown as %j", (text, shown) => {
    assert.strictEqual(Text.printable(text), shown)
  })
})
