import { OssError, UploadEvent } from "@effect-oss/core"
import { Render } from "@effect-oss/terminal"
import { spare } from "../src/internal/frames.ts"
import * as Line from "../src/internal/line.ts"
import * as View from "../src/internal/view.ts"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"

const MiB = 1024 * 1024
const { cases } = UploadEvent.UploadEvent

const started = cases.Started.make({
  bucket: "backups",
  key: "db.tar",
  source: "db.tar",
  size: 200 * MiB
})
const progress = (sent: number, eta: number | null = 12_000) =>
  cases.Progress.make({
    durable: sent * MiB,
    sent: sent * MiB,
    total: 200 * MiB,
    rate: eta === null ? 0 : 62.5 * MiB,
    eta
  })
const resumed = cases.Resumed.make({ reason: "Recorded", bytes: 48 * MiB, parts: 6 })
const retrying = cases.Retrying.make({
  operation: "uploadPart",
  partNumber: 3,
  attempt: 1,
  delay: 412,
  reason: new OssError.Transport({ description: "ECONN\nRESET" })
})
const part = cases.PartUploaded.make({
  number: 1,
  size: MiB,
  etag: "e",
  adopted: false,
  durable: 0
})
const completed = (more: Partial<UploadEvent.UploadResult> = {}) =>
  cases.Completed.make({
    result: {
      bucket: "backups",
      key: "db.tar",
      size: 200 * MiB,
      etag: "e",
      crc64: 1n,
      verified: true,
      resumed: 0,
      sent: 200 * MiB,
      ...more
    }
  })

/** All lines that stay, and the bar that is left, on a terminal of so many columns. */
const play = (
  style: View.Style,
  events: ReadonlyArray<UploadEvent.UploadEvent>,
  { at = 3_200, columns = 80, color = false } = {}
) => {
  let view = View.initial(0)
  const written: Array<string> = []
  for (const event of events) {
    const next = View.next(view, event, at, style)
    view = next.view
    written.push(...next.lines)
  }
  return { written, shown: Line.drawn(view, { columns: columns - spare, color }) }
}

describe("the bar", () => {
  it.each([
    [
      120,
      "[##################----------------------]  45 %  90.0 MiB of 200.0 MiB  12 s left  62.5 MiB/s"
    ],
    [80, "[##########-------------]  45 %  90.0 MiB of 200.0 MiB  12 s left  62.5 MiB/s"],
    [60, "45 %  90.0 MiB of 200.0 MiB  12 s left  62.5 MiB/s"],
    [50, "45 %  90.0 MiB of 200.0 MiB  12 s left"],
    [30, "45 %  90.0 MiB of 200.0 MiB"],
    [20, "[####-----]  45 %"],
    [10, "45 %"],
    [4, "4"],
    [1, ""],
    [0, ""]
  ])("in %d columns", (columns, expected) => {
    assert.strictEqual(play("Bar", [started, progress(90)], { columns }).shown, expected)
  })

  it.each([
    ["nothing is known yet", progress(0, null), "0 %  0 B of 200.0 MiB"],
    ["all is sent", progress(200), "99 %  200.0 MiB of 200.0 MiB"],
    ["nothing is left", progress(200, 0), "99 %  200.0 MiB of 200.0 MiB  62.5 MiB/s"]
  ])("when %s", (_, event, expected) => {
    assert.include(play("Bar", [started, event], { columns: 100 }).shown, expected)
  })

  it("says that it is completing", () => {
    const { shown } = play("Bar", [started, progress(200), cases.Completing.make({})], {
      columns: 100
    })
    assert.include(shown, "99 %  200.0 MiB of 200.0 MiB  completing")
  })

  it("is coloured without getting wider", () => {
    const plain = play("Bar", [started, progress(90)]).shown
    const colored = play("Bar", [started, progress(90)], { color: true }).shown
    assert.include(colored, "[\u001B[32m##########\u001B[39m---")
    assert.strictEqual(colored.replace("\u001B[32m", "").replace("\u001B[39m", ""), plain)
  })

  it("starts again at 0 after a restart", () => {
    const restarted = cases.Restarted.make({ reason: "SourceChanged" })
    const { shown, written } = play("Bar", [started, resumed, restarted])
    assert.include(shown, "0 %  0 B of 200.0 MiB")
    assert.strictEqual(written.at(-1), "starting afresh: the source is not what it was")
  })

  it.prop(
    "never fills a line, and leaves room for ^C",
    {
      columns: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 300 })),
      sent: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 200 })),
      eta: Schema.NullOr(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1e9 })))
    },
    ({ columns, sent, eta }) => {
      const { shown } = play("Bar", [started, progress(sent, eta)], { columns })
      assert.isAtMost(shown.length, Math.max(columns - 3, 0))
    }
  )
})

describe("the lines", () => {
  const notes = [
    "db.tar (200.0 MiB) to oss://backups/db.tar",
    "resumed: 48.0 MiB in 6 parts are there already",
    "part 3 failed, retrying in 0.4 s: the connection failed: ECONN RESET"
  ]
  const last =
    "backups/db.tar: 200.0 MiB in 3.2 s (47.5 MiB/s), 48.0 MiB resumed, verified by CRC64"
  const events = [
    started,
    resumed,
    progress(48),
    retrying,
    part,
    progress(59),
    progress(60),
    progress(61),
    progress(150),
    progress(199),
    completed({ resumed: 48 * MiB })
  ]

  it("above a bar are for what is worth knowing afterwards", () => {
    assert.deepStrictEqual(play("Bar", events).written, [...notes, last])
  })

  it("in a log are those, and one for each tenth that was reached", () => {
    assert.deepStrictEqual(play("Lines", events).written, [
      ...notes,
      "30 %: 60.0 MiB of 200.0 MiB, 62.5 MiB/s, 12 s left",
      "70 %: 150.0 MiB of 200.0 MiB, 62.5 MiB/s, 12 s left",
      "90 %: 199.0 MiB of 200.0 MiB, 62.5 MiB/s, 12 s left",
      last
    ])
  })

  it("without progress are the last one", () => {
    assert.deepStrictEqual(play("Summary", events).written, [last])
  })

  it("leave out a resume without parts", () => {
    const none = cases.Resumed.make({ reason: "Recorded", bytes: 0, parts: 0 })
    assert.lengthOf(play("Lines", [started, none]).written, 1)
  })

  it("name a request that is not about a part", () => {
    const { partNumber: _, ...rest } = retrying
    const event = cases.Retrying.make({ ...rest, operation: "complete" })
    assert.match(play("Lines", [event]).written.join(), /^complete failed, retrying in 0\.4 s/)
  })

  it.each([
    [completed(), 3_200, "200.0 MiB in 3.2 s (62.5 MiB/s), verified by CRC64"],
    [
      completed({ verified: false }),
      3_200,
      "(62.5 MiB/s), not verified: the endpoint tells no CRC64"
    ],
    [completed({ size: 0 }), 0, "0 B in 0.0 s (0 B/s), verified by CRC64"]
  ])("end with what was done", (event, at, expected) => {
    assert.include(play("Lines", [event], { at }).written.join(), expected)
  })
})

describe("a line for progress", () => {
  const half = {
    durable: 90 * MiB,
    sent: 90 * MiB,
    total: 200 * MiB,
    rate: 62.5 * MiB,
    eta: 12_000
  }

  it.prop(
    "is never wider than asked for",
    {
      columns: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 200 })),
      sent: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 50 })),
      total: Schema.NullOr(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 50 }))),
      unicode: Schema.Boolean
    },
    ({ columns, sent, total, unicode }) => {
      const line = Render.progress({ ...half, durable: sent, sent, total }, { columns, unicode })
      assert.isAtMost(line.length, columns)
    }
  )

  it("fits into a terminal of 80 columns unless said otherwise", () => {
    assert.strictEqual(
      Render.progress(half),
      "[###########--------------]  45 %  90.0 MiB of 200.0 MiB  12 s left  62.5 MiB/s"
    )
  })

  it("has a finer bar of block characters if asked to", () => {
    assert.strictEqual(
      Render.progress(half, { columns: 66, unicode: true }),
      "█████▍░░░░░░  45 %  90.0 MiB of 200.0 MiB  12 s left  62.5 MiB/s"
    )
  })

  it("counts what OSS has acknowledged, and draws what is under way apart", () => {
    assert.strictEqual(
      Render.progress({ ...half, durable: 0, sent: 190 * MiB }, { columns: 64 }),
      "[===============-]  0 %  0 B of 200.0 MiB  12 s left  62.5 MiB/s"
    )
    assert.strictEqual(
      Render.progress({ ...half, sent: 120 * MiB }, { columns: 64, unicode: true }),
      "████▌▒░░░░  45 %  90.0 MiB of 200.0 MiB  12 s left  62.5 MiB/s"
    )
  })

  it("has neither a bar nor percents while the total isn't known", () => {
    const unknown = { ...half, total: null, eta: null }
    assert.strictEqual(Render.progress(unknown), "90.0 MiB  62.5 MiB/s")
  })
})

describe("a bar", () => {
  it.each([
    [-1, "[----]", "░░░░"],
    [0.01, "[----]", "░░░░"],
    [0.04, "[----]", "▏░░░"],
    [0.5, "[##--]", "██░░"],
    [0.99, "[####]", "████"],
    [2, "[####]", "████"]
  ])("of which %d is done", (share, plain, blocks) => {
    assert.strictEqual(Render.bar(share, 4), plain)
    assert.strictEqual(Render.bar(share, 4, { unicode: true }), blocks)
  })
})

describe("a line for an event", () => {
  it.each<[UploadEvent.UploadEvent, string]>([
    [started, "db.tar (200.0 MiB) to oss://backups/db.tar"],
    [
      cases.Started.make({ ...started, size: null }),
      "db.tar (of unknown size) to oss://backups/db.tar"
    ],
    [resumed, "resumed: 48.0 MiB in 6 parts are there already"],
    [
      cases.Resumed.make({ reason: "Recorded", bytes: 0, parts: 0 }),
      "resumed: no part is there already"
    ],
    [
      cases.Restarted.make({ reason: "UploadGone" }),
      "starting afresh: OSS no longer knows the upload"
    ],
    [part, "part 1: 1.0 MiB sent"],
    [cases.PartUploaded.make({ ...part, adopted: true }), "part 1: 1.0 MiB were there already"],
    [retrying, "part 3 failed, retrying in 0.4 s: the connection failed: ECONN RESET"],
    [progress(90), "45 %: 90.0 MiB of 200.0 MiB, 62.5 MiB/s, 12 s left"],
    [cases.Completing.make({}), "completing"],
    [completed(), "backups/db.tar: 200.0 MiB, verified by CRC64"],
    [completed({ skipped: true }), "backups/db.tar: 200.0 MiB, identical already"]
  ])("$_tag", (event, line) => {
    assert.strictEqual(Render.event(event), line)
  })
})

describe("lines about what is of unknown length", () => {
  it("come each time the bytes have doubled", () => {
    const begun = cases.Started.make({ ...started, size: null })
    const at = (mebibytes: number, total: number | null = null) =>
      cases.Progress.make({
        durable: mebibytes * MiB,
        sent: mebibytes * MiB,
        total,
        rate: MiB,
        eta: null
      })
    const amounts = [0, 0.9, 1, 1.5, 2, 3, 9, 15, 16].map((amount) => at(amount))
    const { written } = play("Lines", [begun, ...amounts, at(300, 300 * MiB)])
    assert.deepStrictEqual(written.slice(1), [
      "1.0 MiB, 1.0 MiB/s",
      "2.0 MiB, 1.0 MiB/s",
      "9.0 MiB, 1.0 MiB/s",
      "16.0 MiB, 1.0 MiB/s"
    ])
  })
})
