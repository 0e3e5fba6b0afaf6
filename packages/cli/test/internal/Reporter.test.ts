import { OssError, UploadEvent } from "@effect-oss/core"
import { Screen } from "@effect-oss/terminal"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Output } from "../../src/internal/Output.ts"
import * as Reporter from "../../src/internal/Reporter.ts"

const { cases } = UploadEvent.UploadEvent
const started = cases.Started.make({ bucket: "bucket", key: "k", source: "f", size: 1000 })
const progress = (sent: number) =>
  cases.Progress.make({ durable: sent, sent, total: 1000, rate: 0, eta: null })
const retrying = cases.Retrying.make({
  operation: "uploadPart",
  partNumber: 1,
  attempt: 1,
  delay: 5,
  reason: new OssError.ChecksumMismatch({ of: "part", expected: 1n, actual: 2n ** 63n })
})

/** Output that is no terminal, and remembers. */
const recording = () => {
  const written: Array<string> = []
  const out = (text: string) => Effect.sync(() => written.push(text))
  const service = Output.of({
    out,
    error: () => Effect.void,
    written: Effect.void,
    isRead: Effect.succeed(true),
    screen: Screen.make({ write: out })
  })
  return { written, provide: Effect.provideService(Output, service) }
}

describe("elsewhere", () => {
  it.effect("there are no control codes", () =>
    Effect.gen(function* () {
      const { written, provide } = recording()
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
      const { written, provide } = recording()
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
            reason: {
              _tag: "ChecksumMismatch",
              of: "part",
              expected: "1",
              actual: "9223372036854775808"
            }
          }
        ]
      )
      assert.isTrue(written.every((line) => line.indexOf("\n") === line.length - 1))
    })
  )

  it.effect("a name in JSON hides nothing from a terminal, and stays the same name", () =>
    Effect.gen(function* () {
      const { written, provide } = recording()
      const key = "a\u0085\u009B2J\u202Egpj.\u200Bexe\u2028\u{E0041}\u007F 照片"
      yield* Effect.gen(function* () {
        const report = yield* Reporter.json({ progress: true })
        yield* report(cases.Started.make({ ...started, key }))
      }).pipe(provide)
      const [line = ""] = written
      assert.notMatch(line.trimEnd(), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      assert.include(line, "照片")
      assert.strictEqual(JSON.parse(line).key, key)
    })
  )
})
