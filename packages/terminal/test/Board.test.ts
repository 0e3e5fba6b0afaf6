import { Board } from "@effect-oss/terminal"
import { assert, describe, it } from "@effect/vitest"
import { CliOutput } from "effect/cli"

const MiB = 1024 * 1024
const entry = (key: string, sent: number, resumed = 0): Board.Entry => ({
  key,
  size: 2 * MiB,
  resumed,
  sent
})
const board = (
  active: ReadonlyArray<Board.Entry>,
  more: Partial<Board.Board> = {}
): Board.Board => ({
  startedAt: 0,
  active,
  uploaded: 3,
  skipped: 1,
  failed: 0,
  bytes: MiB,
  done: 6 * MiB,
  all: undefined,
  trouble: undefined,
  ...more
})
const wide = { columns: 100, rows: 24 }

describe("the board of many uploads", () => {
  it("has a bar for each, and a line for all", () => {
    assert.deepStrictEqual(Board.render(board([entry("a", MiB), entry("b", 0)]), 2_000, wide), [
      "[##########----------] 50 %  a",
      "[--------------------]  0 %  b",
      "3 uploaded, 1 identical, 2 under way, 2.0 MiB sent (1.0 MiB/s)"
    ])
  })

  it("has a bar for all once all has been counted, failures included", () => {
    const all = { files: 40, bytes: 16 * MiB }
    assert.strictEqual(
      Board.render(board([entry("a", MiB, MiB / 2)], { all, failed: 1 }), 2_000, wide).at(-1),
      "[#########-----------] 46 %  5 of 40 files  7.5 MiB of 16.0 MiB  1 failed  9 s left  1.0 MiB/s"
    )
  })

  it("leaves out of the line for all what doesn't fit, the least important first", () => {
    const all = { files: 40, bytes: 16 * MiB }
    const narrow = (columns: number) =>
      Board.render(board([], { all }), 2_000, { columns, rows: 24 }).at(-1)
    assert.strictEqual(narrow(80), `${narrow(70)}  20 s left`)
    assert.strictEqual(narrow(50), "[#######-------------] 37 %  4 of 40 files")
  })

  it("counts what earlier runs sent as there, but not as sent", () => {
    const lines = Board.render(board([entry("a", 0, MiB)]), 1_000, wide)
    assert.deepStrictEqual(lines, [
      "[##########----------] 50 %  a",
      "3 uploaded, 1 identical, 1 under way, 1.0 MiB sent (1.0 MiB/s)"
    ])
  })

  it("counts what was sent of uploads that were stopped", () => {
    const active = [entry("a", MiB), entry("b", 0, MiB)]
    assert.strictEqual(
      Board.total(Board.stopped(board(active)), 2_000),
      "3 uploaded, 1 identical, 2.0 MiB sent (1.0 MiB/s)"
    )
  })

  it("says why nothing moves", () => {
    const trouble = "put b/k: the connection failed: \u001B[2Jreset"
    const lines = Board.render(board([], { trouble }), 1, wide)
    assert.strictEqual(lines[0], "retrying: put b/k: the connection failed:  [2Jreset")
  })

  it("never says 100 % of what isn't an object yet", () => {
    assert.include(Board.render(board([entry("a", 2 * MiB)]), 1, wide)[0], " 99 %")
  })

  it("shows eight bars at most, and no line as wide as the terminal", () => {
    const many = Array.from({ length: 20 }, (_, index) => entry(`${index}`.repeat(50), 1))
    const lines = Board.render(board(many), 1_000, { columns: 40, rows: 24 })
    assert.lengthOf(lines, 10)
    assert.strictEqual(lines[8], "… and 12 more")
    assert.isTrue(lines.every((line) => line.length < 40))
  })

  it("shows first what moves", () => {
    const many = Array.from({ length: 20 }, (_, index) => entry(`f${index}`, index === 19 ? 1 : 0))
    assert.match(Board.render(board(many), 1, wide)[0] ?? "", / f19$/)
  })

  it.each([0, 1, 2, 5, 6, 9])("takes no more than the %d rows of the terminal", (rows) => {
    const many = Array.from({ length: 20 }, (_, index) => entry(`f${index}`, 1))
    const lines = Board.render(board(many, { trouble: "x" }), 1, { columns: 80, rows })
    assert.isAtMost(lines.length, Math.max(3, rows - 1))
  })

  it.each([
    ["照片/二〇二六/杭州西湖的春天.jpg", 48, "[--------------------]  0 %  …西湖的春天.jpg"],
    ["a/long/path/to/the/file.jpg", 48, "[--------------------]  0 %  …to/the/file.jpg"],
    ["a/long/path/to/the/file.jpg", 30, " 0 %  …path/to/the/file.jpg"],
    ["👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦", 14, " 0 %  …👨‍👩‍👧‍👦👨‍👩‍👧‍👦"]
  ])("shows the end of a name that is too wide: %s", (key, columns, expected) => {
    const [line = ""] = Board.render(board([entry(key, 1)]), 1, { columns, rows: 24 })
    assert.strictEqual(line, expected)
    assert.isBelow(CliOutput.displayWidth(line), columns)
  })

  it("shows a name with control characters as one line", () => {
    assert.notMatch(Board.render(board([entry("a\u001B[2J\nb", 1)]), 1, wide)[0] ?? "", /\p{Cc}/u)
  })
})
