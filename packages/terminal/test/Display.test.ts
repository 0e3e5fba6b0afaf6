import { CheckpointStore, Source, Upload, UploadEvent, UploadMany } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Display, Screen } from "@effect-oss/terminal"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Queue, Stream, Terminal } from "effect"
import { TerminalCapabilities } from "effect/cli"
import { TestClock } from "effect/testing"

const partSize = 100 * 1024
const key = "k"
const world = Layer.merge(OssEmulator.layerClient(), CheckpointStore.layerMemory)

const { cases } = UploadEvent.UploadEvent
const started = cases.Started.make({ bucket: "bucket", key, source: "f", size: 1000 })
const progress = (durable: number) =>
  cases.Progress.make({ durable, sent: durable, total: 1000, rate: 0, eta: null })

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
    Layer.succeed(TerminalCapabilities.TerminalCapabilities, {
      canAnimate: columns !== undefined,
      canColor: false,
      canPrompt: false
    })
  )
  return { written, layer }
}

/** What is written if an event comes each second. */
const show = Effect.fnUntraced(function* (
  columns: number | undefined,
  events: ReadonlyArray<UploadEvent.UploadEvent>
) {
  const { written, layer } = output(columns)
  const fiber = yield* Stream.fromIterable(events).pipe(
    Stream.mapEffect((event) => Effect.delay(Effect.succeed(event), "1 second")),
    Display.show(),
    Stream.concat(Stream.drain(Stream.fromEffect(Effect.sleep("1 second")))),
    Stream.runDrain,
    Effect.provide(layer),
    Effect.forkChild
  )
  yield* TestClock.adjust("1 minute")
  yield* Fiber.join(fiber)
  return written
})

describe("Display.show", () => {
  it.effect("draws one line again and again on a terminal, and leaves it empty", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* show(20, [started, progress(500), progress(500)]), [
        "f (1000 B) to oss://bucket/k\n",
        "[----------]  0 %",
        "\r\u001B[K[#####----]  50 %",
        "\r\u001B[K"
      ])
    })
  )

  it.effect("writes plain lines elsewhere", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* show(undefined, [started, progress(500), progress(510)]), [
        "f (1000 B) to oss://bucket/k\n",
        "50 %: 500 B of 1000 B\n"
      ])
    })
  )

  it.effect("takes a terminal that doesn't tell its width for one of 80 columns", () =>
    Effect.gen(function* () {
      const written = yield* show(0, [progress(500)])
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
      const source = Source.bytes(new Uint8Array(3 * partSize), "source")
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

describe("Display.showMany", () => {
  const source = (name: string, size: number) => Source.bytes(new Uint8Array(size), name)
  const all = [
    { key: "a", source: source("a", 2 * partSize), partSize, concurrency: 1 },
    { key: "b", source: source("b", 10) }
  ]

  /** What is written by these uploads, of which each part takes a second. */
  const shown = Effect.fnUntraced(function* (columns: number | undefined) {
    const { layer, written } = output(columns)
    const emulator = yield* OssEmulator.OssEmulator
    yield* emulator.inject(
      Fault.delay({ operation: "uploadPart", millis: 1_000, times: Infinity }),
      Fault.answer({ operation: "put", status: 403, code: "AccessDenied" })
    )
    const fiber = yield* UploadMany.events(all).pipe(
      Display.showMany(),
      Stream.runDrain,
      Effect.provide(layer),
      Effect.forkChild
    )
    yield* TestClock.adjust("1 minute")
    yield* Fiber.join(fiber)
    return written
  })

  it.effect("draws a bar for each and a line for all, below the lines that stay", () =>
    Effect.gen(function* () {
      const written = yield* shown(80)
      const text = written.join("")
      assert.match(text, /\n\[#{10}-{10}\] 50 % {2}a\n0 uploaded, 1 failed, 1 under way, /)
      assert.match(written.at(-1) ?? "", /^1 uploaded, 1 failed, 200\.0 KiB sent \([^)]*\)\n$/)
      assert.match(text, /failed: b: put .*AccessDenied/)
      assert.match(text, /\/a: 200\.0 KiB, verified by CRC64\n/)
    }).pipe(Effect.provide(world))
  )

  it.effect("writes a line for each that has ended elsewhere, and one for all", () =>
    Effect.gen(function* () {
      const written = yield* shown(undefined)
      assert.lengthOf(written, 3)
      assert.notMatch(written.join("").replaceAll("\n", ""), /\p{Cc}/u)
    }).pipe(Effect.provide(world))
  )
})

describe("a screen of one's own", () => {
  const recording = (columns: () => number, color = false) => {
    const written: Array<string> = []
    const screen = Screen.make({
      write: (text) => Effect.sync(() => written.push(text)),
      size: Effect.sync(() => ({ columns: columns(), rows: 24 })),
      color
    })
    return { written, screen }
  }

  it.effect("is drawn at its width then, below the lines that stay", () =>
    Effect.gen(function* () {
      let columns = 30
      const { written, screen } = recording(() => columns)
      const report = yield* Display.make(screen)
      yield* report(started)
      yield* TestClock.adjust("1 second")
      columns = 10
      yield* report(progress(500))
      yield* TestClock.adjust("1 second")
      yield* screen.write("a line\n")
      assert.deepStrictEqual(written, [
        "f (1000 B) to oss://bucket/k\n",
        "0 %  0 B of 1000 B",
        "\u001B[1A\r\u001B[J50 %",
        "\r\u001B[Ka line\n50 %"
      ])
    }).pipe(Effect.scoped)
  )

  it.effect("has a bar again when it is wider again, though nothing has happened", () =>
    Effect.gen(function* () {
      let columns = 10
      const { written, screen } = recording(() => columns, true)
      const report = yield* Display.make(screen, { unicode: true })
      yield* report(progress(500))
      columns = 23
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(written, ["50 %", "\r\u001B[K\u001B[32m██████\u001B[39m░░░░░░  50 %"])
    }).pipe(Effect.scoped)
  )

  it.effect("is left alone if nothing happens", () =>
    Effect.gen(function* () {
      const { written, screen } = recording(() => 80)
      yield* Effect.scoped(Display.make(screen))
      assert.deepStrictEqual(written, [])
    })
  )
})
