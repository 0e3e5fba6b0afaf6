import { OssError, UploadEvent } from "@effect-oss/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { Screen } from "../src/internal/screen.ts"
import { Output } from "../src/Output.ts"
import * as Reporter from "../src/Reporter.ts"

const { cases } = UploadEvent.UploadEvent
const started = cases.Started.make({ bucket: "bucket", key: "k", source: "f", size: 1000 })
const progress = (sent: number) =>
  cases.Progress.make({ durable: 0, sent, total: 1000, rate: 0, eta: null })
const retrying = cases.Retrying.make({
  operation: "uploadPart",
  partNumber: 1,
  attempt: 1,
  delay: 5,
  reason: new OssError.ChecksumMismatch({ expected: 1n, actual: 2n ** 63n })
})

const recording = (columns: () => number | undefined) => {
  const written: Array<string> = []
  const width = () => columns() ?? 0
  const screen = new Screen(width)
  const write = (text: () => string) =>
    Effect.sync(() => {
      const shown = text()
      if (shown !== "") written.push(shown)
    })
  const service = Output.of({
    out: (text) => write(() => screen.above(text)),
    error: () => Effect.void,
    pin: (lines) => write(() => screen.pin(lines)),
    terminal:
      columns() === undefined
        ? Option.none()
        : Option.some({
            size: Effect.sync(() => ({ columns: width(), rows: 24 })),
            color: false
          })
  })
  return { written, provide: Effect.provideService(Output, service) }
}

describe("on a terminal", () => {
  it.effect("one line is redrawn, at its width then, and left empty in the end", () =>
    Effect.gen(function* () {
      let columns = 30
      const { written, provide } = recording(() => columns)
      yield* Effect.gen(function* () {
        const report = yield* Reporter.human({ progress: true })
        yield* report(started)
        columns = 10
        yield* report(progress(500))
        yield* report(progress(500))
        yield* report(retrying)
      }).pipe(Effect.scoped, provide)
      assert.deepStrictEqual(written, [
        "f (1000 B) to oss://bucket/k\n",
        "0 %  0 B of 1000 B",
        "\u001B[1A\r\u001B[J50 %",
        `\r\u001B[Kpart 1 failed, retrying: CRC64 1 was sent, ${2n ** 63n} was received\n50 %`,
        "\r\u001B[K"
      ])
    })
  )

  it.effect("nothing is wiped if nothing was drawn", () =>
    Effect.gen(function* () {
      const { written, provide } = recording(() => 80)
      yield* Reporter.human({ progress: true }).pipe(Effect.scoped, provide)
      assert.deepStrictEqual(written, [])
    })
  )
})

describe("elsewhere", () => {
  it.effect("there are no control codes", () =>
    Effect.gen(function* () {
      const { written, provide } = recording(() => undefined)
      yield* Effect.gen(function* () {
        const report = yield* Reporter.human({ progress: true })
        yield* Effect.forEach([started, progress(500), retrying], report)
      }).pipe(Effect.scoped, provide)
      assert.lengthOf(written, 3)
      assert.notMatch(written.join("").replaceAll("\n", ""), /\p{Cc}/u)
    })
  )

  it.effect("an event is one line of JSON, with bigints as text", () =>
    Effect.gen(function* () {
      const { written, provide } = recording(() => undefined)
      yield* Effect.gen(function* () {
        const report = yield* Reporter.json({ progress: false })
        yield* Effect.forEach([started, progress(500), retrying], report)
      }).pipe(provide)
      assert.deepStrictEqual(
        written.map((line) => JSON.parse(line)),
        [
          { _tag: "Started", bucket: "bucket", key: "k", source: "f", size: 1000 },
          {
            _tag: "Retrying",
            operation: "uploadPart",
            partNumber: 1,
            attempt: 1,
            delay: 5,
            reason: { _tag: "ChecksumMismatch", expected: "1", actual: "9223372036854775808" }
          }
        ]
      )
      assert.isTrue(written.every((line) => line.indexOf("\n") === line.length - 1))
    })
  )
})
