import { assert, it } from "@effect/vitest"
import { ascii, isUtf8 } from "../../src/internal/ascii.ts"

it("a locale is taken for UTF-8 unless it is set to something else", () => {
  const locales = [
    [{}, true],
    [{ LC_ALL: "C" }, false],
    [{ LC_ALL: "C.UTF-8" }, true],
    [{ LANG: "POSIX" }, false],
    [{ LC_ALL: "", LC_CTYPE: "de_DE.utf8", LANG: "C" }, true],
    [{ LC_ALL: "zh_CN.GB18030" }, false]
  ] as const
  for (const [env, expected] of locales) assert.strictEqual(isUtf8(env), expected)
})

it("messages become ASCII", () => {
  assert.strictEqual(ascii("error: x\n  → run “it” again…\n"), 'error: x\n  -> run "it" again...\n')
  assert.strictEqual(ascii("杭.bin 😀"), "\\u676d.bin \\ud83d\\ude00")
})

it("JSON stays the same value", () => {
  const value = { key: "杭…→😀" }
  const line = ascii(JSON.stringify(value))
  assert.match(line, /^[ -~]*$/)
  assert.deepStrictEqual(JSON.parse(line), value)
})
