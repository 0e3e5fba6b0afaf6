/** Implements `Output` with the streams of the process. No other file uses them. */
import { Pinned } from "@effect-oss/terminal/Pinned"
import * as Screen from "@effect-oss/terminal/Screen"
import { printable } from "@effect-oss/terminal/Text"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Cause from "effect/Cause"
import { TerminalCapabilities } from "effect/cli/TerminalCapabilities"
import * as Logger from "effect/Logger"
import type { WriteStream } from "node:tty"
import { ascii, isUtf8 } from "./ascii.ts"
import { Unwritten } from "./CliFailure.ts"
import { Output } from "./Output.ts"
import { usualSize } from "@effect-oss/terminal/internal/size"

/** Waits until the system has taken the text, so that the process may exit. */
const write = (text: string): Effect.Effect<void> =>
  Effect.callback((resume) => {
    process.stdout.write(inLocale(text), (error) => {
      if (error != null && isReaderGone(error)) isRead = false
      else if (error != null) unwritten ??= error
      resume(Effect.void)
    })
  })

/** The first error of standard output. */
let unwritten: Error | undefined

/** Whether standard output still has a reader. */
let isRead = true

/**
 * Whether the reader has gone, or the terminal is closed. Then no output is lost
 * that someone wanted.
 */
const isReaderGone = (error: Error) =>
  "code" in error && ["EPIPE", "EIO", "ERR_STREAM_DESTROYED"].includes(String(error.code))

const written: Effect.Effect<void, Unwritten> = Effect.suspend(() =>
  unwritten === undefined ? Effect.void : new Unwritten({ problem: unwritten.message })
)

const inLocale = isUtf8(process.env) ? (text: string) => text : ascii

/** Without this listener, a closed pipe or terminal would end the process with a stack trace. */
const ignoreErrors = (stream: WriteStream) => {
  stream.on("error", () => {})
}

const columns = () => process.stdout.columns || usualSize.columns
const rows = () => process.stdout.rows || usualSize.rows

/** The screen: a process has at most one terminal. */
const pinned = new Pinned()

/** Standard error writes to the same screen, unless one of the two is redirected. */
const sharesScreen = () => process.stdout.isTTY && process.stderr.isTTY

/** Writes synchronously, because other code writes to the same screen. */
const writeError = (message: string, done = () => {}) => {
  const text = inLocale(message)
  if (!sharesScreen()) return process.stderr.write(text, done)
  process.stdout.write(pinned.erase(columns()))
  process.stderr.write(text)
  return process.stdout.write(pinned.draw(), done)
}

export const layerOutput: Layer.Layer<Output> = Layer.effect(
  Output,
  Effect.map(TerminalCapabilities, ({ canAnimate, canColor }) => {
    ignoreErrors(process.stdout)
    ignoreErrors(process.stderr)
    const screen = Screen.make({
      write,
      size: canAnimate ? Effect.sync(() => ({ columns: columns(), rows: rows() })) : undefined,
      color: canColor,
      pinned
    })
    return Output.of({
      out: screen.write,
      written,
      isRead: Effect.sync(() => isRead),
      screen,
      error: (text) => Effect.callback((resume) => void writeError(text, () => resume(Effect.void)))
    })
  })
)

/** Logs each warning as a line on standard error. */
const warnings = Logger.make<unknown, void>(({ message, cause }) => {
  const why = cause.reasons.length === 0 ? [] : [Cause.squash(cause)]
  const parts = [...(Array.isArray(message) ? message : [message]), ...why]
  const text = parts.map((part) => (part instanceof Error ? part.message : String(part))).join(": ")
  writeError(`warning: ${printable(text)}\n`)
})

export const layerLogger: Layer.Layer<never> = Logger.layer([warnings])
