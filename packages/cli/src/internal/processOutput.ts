/** The process as `Output`: the only file that touches its streams. */
import * as Render from "@effect-oss/core/Render"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import type { WriteStream } from "node:tty"
import { Output } from "../Output.ts"

/** Waits until the text has been taken, so that the process may exit. A reader who has gone is no error. */
const write = (stream: WriteStream) => (text: string) =>
  Effect.callback<void>((resume) => {
    stream.write(text, () => resume(Effect.void))
  })

/** Without a listener, a closed pipe or terminal would end the process with a dump. */
const ignoreErrors = (stream: WriteStream) => {
  stream.on("error", () => {})
}

/** Nothing can be redrawn on a dumb terminal. */
const terminal = () =>
  process.stdout.isTTY && process.env["TERM"] !== "dumb"
    ? Option.some({
        columns: Effect.sync(() => process.stdout.columns || 80),
        color: !process.env["NO_COLOR"]
      })
    : Option.none()

export const layerOutput: Layer.Layer<Output> = Layer.sync(Output, () => {
  ignoreErrors(process.stdout)
  ignoreErrors(process.stderr)
  return Output.of({
    out: write(process.stdout),
    error: write(process.stderr),
    terminal: terminal()
  })
})

/** Warnings are a line each on standard error; what a bar may have left there is wiped first. */
const warnings = Logger.make<unknown, void>(({ message }) => {
  const parts = Array.isArray(message) ? message : [message]
  const text = parts.map((part) => (part instanceof Error ? part.message : String(part))).join(": ")
  const wipe = process.stdout.isTTY && process.stderr.isTTY ? "\r\u001B[K" : ""
  process.stderr.write(`${wipe}warning: ${Render.printable(text)}\n`)
})

export const layerLogger: Layer.Layer<never> = Logger.layer([warnings])
