import { OssError, UploadEvent } from "@effect-oss/core"
import type { UploadMany } from "@effect-oss/core"
import { assert, describe, it } from "@effect/vitest"
import { CliOutput } from "effect/cli"
import * as Board from "../src/internal/board.ts"

const MiB = 1024 * 1024
const entry = (key: string, durable: number, sent = durable): Board.Entry => ({
  key,
  size: 2 * MiB,
  durable,
  sent
})
const board = (
  active: ReadonlyArray<Board.Entry>,
  totals: Partial<Board.Board["totals"]> = {},
  trouble?: Board.Board["trouble"]
): Board.Board => ({
  active: new Map(active.map((entry, index) => [index, entry])),
  totals: {
    completed: 3,
    skipped: 1,
    failed: 0,
    underWay: active.length,
    total: 16 * MiB,
    durable: 6 * MiB,
    sent: 2 * MiB,
    rate: MiB,
    ...totals
  },
  trouble
})
const wide = { columns: 100, rows: 24 }
const all = { files: 40, bytes: 16 * MiB }

describe("the board of many uploads", () => {
  it("has a bar for each, and a line for all", () => {
    assert.deepStrictEqual(Board.render(board([entry("a", MiB), entry("b", 0, MiB)]), wide), [
      "[##########----------] 50 %  a",
      "[==========----------]  0 %  b",
      "3 uploaded, 1 identical, 2 under way, 2.0 MiB sent (1.0 MiB/s)"
    ])
  })

  it("has a bar for all once all has been counted, failures included", () => {
    const lines = Board.render(board([entry("a", MiB, 2 * MiB)], { failed: 1 }), wide, {}, all)
    assert.strictEqual(
      lines.at(-1),
      "[########=-----------] 37 %  5 of 40 files  6.0 MiB of 16.0 MiB  1 failed  10 s left  1.0 MiB/s"
    )
  })

  it("is drawn in block characters, and in colour, as wide as in ASCII", () => {
    const [line] = Board.render(board([entry("a", MiB)]), wide, { unicode: true, color: true })
    assert.strictEqual(line, `\u001B[32m${"█".repeat(11)}\u001B[39m${"░".repeat(11)} 50 %  a`)
  })

  it("leaves out of the line for all what doesn't fit, the least important first", () => {
    const narrow = (columns: number) =>
      Board.render(board([]), { columns, rows: 24 }, {}, all).at(-1)
    assert.strictEqual(narrow(80), `${narrow(70)}  10 s left`)
    assert.strictEqual(narrow(50), "[########------------] 37 %  4 of 40 files")
  })

  it("tells the bytes of what is of unknown length", () => {
    const [line] = Board.render(board([{ ...entry("a", MiB), size: null }]), wide)
    assert.strictEqual(line, "[--------------------] 1.0 MiB  a")
  })

  it("says why nothing moves", () => {
    const trouble = { request: { key: "k" }, why: "put failed, retrying: \u001B[2Jreset" }
    const lines = Board.render(board([], {}, trouble), wide)
    assert.strictEqual(lines[0], "k: put failed, retrying:  [2Jreset")
  })

  it("never says 100 % of what isn't an object yet", () => {
    assert.include(Board.render(board([entry("a", 2 * MiB)]), wide)[0], " 99 %")
  })

  it("shows eight bars at most, and no line as wide as the terminal", () => {
    const many = Array.from({ length: 20 }, (_, index) => entry(`${index}`.repeat(50), 1))
    const lines = Board.render(board(many), { columns: 40, rows: 24 })
    assert.lengthOf(lines, 10)
    assert.strictEqual(lines[8], "… and 12 more")
    assert.isTrue(lines.every((line) => line.length < 40))
  })

  it("shows first what moves", () => {
    const many = Array.from({ length: 20 }, (_, index) =>
      entry(`f${index}`, 0, index === 19 ? 1 : 0)
    )
    assert.match(Board.render(board(many), wide)[0] ?? "", / f19$/)
  })

  it.each([0, 1, 2, 5, 6, 9])("takes no more than the %d rows of the terminal", (rows) => {
    const trouble = { request: { key: "k" }, why: "x" }
    const many = Array.from({ length: 20 }, (_, index) => entry(`f${index}`, 1))
    const lines = Board.render(board(many, {}, trouble), { columns: 80, rows })
    assert.isAtMost(lines.length, Math.max(3, rows - 1))
  })

  it.each([
    ["照片/二〇二六/杭州西湖的春天.jpg", 48, "[--------------------]  0 %  …西湖的春天.jpg"],
    ["a/long/path/to/the/file.jpg", 48, "[--------------------]  0 %  …to/the/file.jpg"],
    ["a/long/path/to/the/file.jpg", 30, " 0 %  …path/to/the/file.jpg"],
    ["👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦", 14, " 0 %  …👨‍👩‍👧‍👦👨‍👩‍👧‍👦"]
  ])("shows the end of a name that is too wide: %s", (key, columns, expected) => {
    const [line = ""] = Board.render(board([entry(key, 1)]), { columns, rows: 24 })
    assert.strictEqual(line, expected)
    assert.isBelow(CliOutput.displayWidth(line), columns)
  })

  it("shows a name with control characters as one line", () => {
    assert.notMatch(Board.render(board([entry("a\u001B[2J\nb", 1)]), wide)[0] ?? "", /\p{Cc}/u)
  })
})

describe("what has been seen of many uploads", () => {
  const { cases } = UploadEvent.UploadEvent
  const request = { key: "a" }
  const saw = (...events: ReadonlyArray<UploadMany.Event<{ readonly key: string }, string>>) =>
    events.reduce(Board.next, Board.empty)
  const started = {
    ...cases.Started.make({ bucket: "b", key: "a", source: "f", size: 100 }),
    request
  }
  const retrying = {
    ...cases.Retrying.make({
      operation: "uploadPart",
      attempt: 1,
      delay: 1_000,
      reason: new OssError.Transport({ description: "reset" })
    }),
    request
  }
  const part = {
    ...cases.PartUploaded.make({ number: 1, size: 40, etag: "e", adopted: false, durable: 40 }),
    request
  }

  it("is how far each is, until it ends", () => {
    const progress = cases.Progress.make({ durable: 40, sent: 70, total: 100, rate: 1, eta: 1 })
    const { active } = saw(started, part, { ...progress, request })
    assert.deepStrictEqual(active.get(request), { key: "a", size: 100, durable: 40, sent: 70 })
    const ended = saw(started, { _tag: "Failed", request, error: "x" })
    assert.strictEqual(ended.active.size, 0)
  })

  it("counts what an earlier run left, and nothing after a restart", () => {
    const resumed = cases.Resumed.make({ reason: "Recorded", bytes: 60, parts: 1 })
    const restarted = cases.Restarted.make({ reason: "PartsLost" })
    const again = saw(started, { ...resumed, request })
    assert.deepInclude(again.active.get(request), { durable: 60, sent: 60 })
    const afresh = Board.next(again, { ...restarted, request })
    assert.deepInclude(afresh.active.get(request), { size: 100, durable: 0, sent: 0 })
  })

  it("is what is in the way, until that request gets on", () => {
    const trouble = saw(started, retrying)
    assert.include(trouble.trouble?.why, "reset")
    const other = { key: "other" }
    assert.isDefined(Board.next(trouble, { ...part, request: other }).trouble)
    assert.isUndefined(Board.next(trouble, part).trouble)
  })
})
