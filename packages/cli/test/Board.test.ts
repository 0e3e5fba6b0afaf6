import { assert, describe, it } from "@effect/vitest"
import { Duration, Redacted, Result } from "effect"
import * as Age from "../src/Age.ts"
import * as Board from "../src/Board.ts"
import * as OssutilConfig from "../src/OssutilConfig.ts"
import { wrapped } from "../src/internal/text.ts"

const MiB = 1024 * 1024
const entry = (key: string, sent: number): Board.Entry => ({ key, size: 2 * MiB, sent })
const board = (active: ReadonlyArray<Board.Entry>): Board.Board => ({
  startedAt: 0,
  active,
  uploaded: 3,
  skipped: 1,
  failed: 0,
  bytes: MiB
})

describe("the board of many uploads", () => {
  it("has a bar for each, and a line for all", () => {
    assert.deepStrictEqual(Board.render(board([entry("a", 0), entry("b", MiB)]), 2_000, 80), [
      "[--------------------]  0 %  a",
      "[##########----------] 50 %  b",
      "3 uploaded, 1 identical, 2 under way, 2.0 MiB sent (1.0 MiB/s)"
    ])
  })

  it("never says 100 % of what isn't an object yet", () => {
    assert.include(Board.render(board([entry("a", 2 * MiB)]), 1, 80)[0], " 99 %")
  })

  it("shows eight bars at most, and no line as wide as the terminal", () => {
    const many = Array.from({ length: 20 }, (_, index) => entry(`${index}`.repeat(50), 1))
    const lines = Board.render(board(many), 1_000, 40)
    assert.lengthOf(lines, 10)
    assert.strictEqual(lines[8], "… and 12 more")
    assert.isTrue(lines.every((line) => line.length < 40))
  })

  it("shows a name with control characters as one line", () => {
    assert.notMatch(Board.render(board([entry("a\u001B[2J\nb", 1)]), 1, 80)[0] ?? "", /\p{Cc}/u)
  })
})

describe("help that is too wide", () => {
  it("goes on below its last column", () => {
    assert.strictEqual(
      wrapped("  --a    one two three four", 18),
      "  --a    one two\n         three\n         four"
    )
    assert.strictEqual(wrapped("short", 15), "short")
  })
})

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

describe("ossutil's configuration", () => {
  const read = (text: string) => Result.getOrUndefined(OssutilConfig.parse("file", text))

  it("of version 1 has its own section, and others that don't count", () => {
    const config = read(
      "[Credentials]\r\nlanguage=EN\r\naccessKeyID = id\r\naccessKeySecret=s=t\r\nstsToken=t\r\n[Bucket-Endpoint]\r\nendpoint=other\r\n"
    )
    assert.strictEqual(config?.credentials.accessKeyId, "id")
    assert.strictEqual(Redacted.value(config!.credentials.accessKeySecret), "s=t")
    assert.strictEqual(Redacted.value(config!.credentials.securityToken!), "t")
    assert.isUndefined(config?.endpoint)
  })

  it("of version 2 has a region, and a profile that doesn't count", () => {
    const config = read(
      "[default]\naccessKeyId=id\naccessKeySecret=s\nregion=cn-hangzhou\n[profile dev]\nregion=cn-beijing\n"
    )
    assert.strictEqual(config?.region, "cn-hangzhou")
  })

  it("without keys is told of without what it holds", () => {
    const result = OssutilConfig.parse("file", "accessKeySecret=very-secret")
    assert.isTrue(Result.isFailure(result))
    assert.notInclude(JSON.stringify(result), "very-secret")
  })
})
