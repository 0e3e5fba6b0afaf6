/** The process as `Output`: the only file that touches its streams. */
import * as Render from "@effect-oss/core/Render"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Cause from "effect/Cause"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import type { WriteStream } from "node:tty"
import { Output } from "../Output.ts"
import { Screen } from "./screen.ts"

/** Waits until the text has been taken, so that the process may exit. A reader who has gone is no error. */
const write = (text: () => string): Effect.Effect<void> =>
  Effect.callback((resume) => {
    process.stdout.write(text(), () => resume(Effect.void))
  })

/** Without a listener, a closed pipe or terminal would end the process with a dump. */
const ignoreErrors = (stream: WriteStream) => {
  stream.on("error", () => {})
}

const size = () => ({ columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 })

/** Nothing can be redrawn on a dumb terminal. */
const terminal =
  process.stdout.isTTY && process.env["TERM"] !== "dumb"
    ? Option.some({ size: Effect.sync(size), color: !process.env["NO_COLOR"] })
    : Option.none()

/** A process has one terminal at most. */
const screen = new Screen(() => size().columns)

/** What goes to standard error lands on the same screen, unless one of both is redirected. */
const sharesScreen = () => process.stdout.isTTY && process.stderr.isTTY

/** At once, since others write to the same screen. */
const writeError = (text: string, done = () => {}) => {
  if (!sharesScreen()) return process.stderr.write(text, done)
  process.stdout.write(screen.wipe())
  process.stderr.write(text)
  return process.stdout.write(screen.draw(), done)
}

export const layerOutput: Layer.Layer<Output> = Layer.sync(Output, () => {
  ignoreErrors(process.stdout)
  ignoreErrors(process.stderr)
  return Output.of({
    out: (text) => write(() => screen.above(text)),
    error: (text) => Effect.callback((resume) => void writeError(text, () => resume(Effect.void))),
    pin: (lines) => (Option.isNone(terminal) ? Effect.void : write(() => screen.pin(lines))),
    terminal
  })
})

/** Warnings are a line each on standard error. */
const warnings = Logger.make<unknown, void>(({ message, cause }) => {
  const why = cause.reasons.length === 0 ? [] : [Cause.squash(cause)]
  const parts = [...(Array.isArray(message) ? message : [message]), ...why]
  const text = parts.map((part) => (part instanceof Error ? part.message : String(part))).join(": ")
  writeError(`warning: ${Render.printable(text)}\n`)
})

export const layerLogger: Layer.Layer<never> = Logger.layer([warnings])
