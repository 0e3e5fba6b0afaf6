import { assert, describe, it } from "@effect/vitest"
import { Display, Source, Upload, UploadEvent } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Exit, Fiber, Layer, Option, Queue, Stdio, Stream, Terminal } from "effect"
import { TestClock } from "effect/testing"
import { contentOf, key, partSize, world } from "./support/world.ts"

const { cases } = UploadEvent.UploadEvent
const started = cases.Started.make({ bucket: "bucket", key: "k", source: "f", size: 1000 })
const progress = (sent: number) =>
  cases.Progress.make({ durable: 0, sent, total: 1000, rate: 0, eta: null })

/** Standard output, as Effect sees it: a terminal of so many columns, or none. */
const output = (columns: number | undefined) => {
  const written: Array<string> = []
  const terminal = Terminal.make({
    columns: Effect.succeed(columns ?? 0),
    rows: Effect.succeed(0),
    size: Effect.flatMap(Queue.make<Terminal.Size>(), () => Effect.never),
    readInput: Effect.never,
    readLine: Effect.never,
    display: (text) => Effect.sync(() => written.push(text))
  })
  const layer = Layer.merge(
    Layer.succeed(Terminal.Terminal, terminal),
    Stdio.layerTest({ stdoutIsTerminal: Effect.succeed(columns !== undefined) })
  )
  return { written, layer }
}

const show = (columns: number | undefined, events: Stream.Stream<UploadEvent.UploadEvent>) => {
  const { written, layer } = output(columns)
  return events.pipe(Display.show(), Stream.runDrain, Effect.provide(layer), Effect.as(written))
}

describe("Display.show", () => {
  it.effect("draws one line again and again on a terminal, and leaves it empty", () =>
    Effect.gen(function* () {
      const events = Stream.make(started, progress(500), progress(500))
      assert.deepStrictEqual(yield* show(20, events), [
        "f (1000 B) to oss://bucket/k\n[----------]  0 %",
        "\r\u001B[K[#####----]  50 %",
        "\r\u001B[K"
      ])
    })
  )

  it.effect("writes plain lines elsewhere", () =>
    Effect.gen(function* () {
      const events = Stream.make(started, progress(500), progress(510))
      assert.deepStrictEqual(yield* show(undefined, events), [
        "f (1000 B) to oss://bucket/k\n",
        "50 %: 500 B of 1000 B\n"
      ])
    })
  )

  it.effect("takes a terminal that doesn't tell its width for one of 80 columns", () =>
    Effect.gen(function* () {
      const written = yield* show(0, Stream.make(progress(500)))
      assert.lengthOf(written[0] ?? "", 4 + 40 + "50 %  500 B of 1000 B".length)
    })
  )

  it.effect("passes events on as they are, and their stream's failure too", () =>
    Effect.gen(function* () {
      const { layer, written } = output(80)
      const events = Stream.make(started, progress(500))
      const shown = Display.show({ progress: false })(Stream.concat(events, Stream.fail("lost")))
      const seen: Array<string> = []
      const exit = yield* shown.pipe(
        Stream.runForEach(({ _tag }) => Effect.sync(() => seen.push(_tag))),
        Effect.provide(layer),
        Effect.exit
      )
      assert.deepStrictEqual(exit, Exit.fail("lost"))
      assert.deepStrictEqual(seen, ["Started", "Progress"])
      assert.deepStrictEqual(written, [])
    })
  )

  it.effect("leaves no bar behind when it is interrupted, and the upload can be carried on", () =>
    Effect.gen(function* () {
      const { layer, written } = output(40)
      const emulator = yield* OssEmulator.OssEmulator
      const source = Source.bytes(contentOf(3 * partSize), "source")
      yield* emulator.inject(
        Fault.delay({ operation: "uploadPart", partNumber: 2, millis: 60_000 })
      )
      const fiber = yield* Upload.events({ key, source, partSize, concurrency: 1 }).pipe(
        Display.show(),
        Stream.runDrain,
        Effect.provide(layer),
        Effect.forkChild
      )
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(written.at(-1), "\r\u001B[K")
      assert.strictEqual(yield* emulator.inFlight, 0)
      const { resumed } = yield* Upload.upload({ key, source, partSize })
      assert.strictEqual(resumed, partSize)
    }).pipe(Effect.provide(world))
  )
})

describe("a display of one's own", () => {
  it.effect("is written to at its width then", () =>
    Effect.gen(function* () {
      const written: Array<string> = []
      let columns = 30
      const report = yield* Display.make(
        {
          write: (text) => Effect.sync(() => written.push(text)),
          columns: Option.some(Effect.sync(() => columns))
        },
        { unicode: true, color: true }
      )
      yield* report(progress(250))
      columns = 10
      yield* report(progress(500))
      assert.deepStrictEqual(written, ["25 %  250 B of 1000 B", "\u001B[2A\r\u001B[J50 %"])
    }).pipe(Effect.scoped)
  )
})
