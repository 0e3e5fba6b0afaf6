/**
 * Runs `effect-oss` from its arguments to its exit code.
 *
 * @since 0.1.0
 */
import * as CliConfig from "effect/cli/CliConfig"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import type { HelpDoc } from "effect/cli/HelpDoc"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { command } from "./Command.ts"
import type { ExitCode, Explanation } from "./internal/Explain.ts"
import { explainCause, isResumable } from "./internal/Explain.ts"
import { jsonLine } from "./internal/json.ts"
import { version as packageVersion } from "./internal/version.ts"
import { wrapped } from "./internal/text.ts"
import * as Typed from "./internal/typed.ts"
import { Output } from "./internal/Output.ts"
import { flagsOf } from "./internal/knownFlags.ts"
import { completions } from "./internal/completions.ts"

/**
 * The package's version.
 *
 * @category constants
 * @since 0.1.0
 */
export const version: string = packageVersion

/**
 * Runs the command with these arguments, without the program's own name, and
 * returns the exit code. It reports every failure: with two lines on standard
 * error and, with `--json`, with a last line on standard output.
 *
 * @category running
 * @since 0.1.0
 */
export const run = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
  const output = yield* Output
  return yield* Effect.fromResult(Typed.read(args, known)).pipe(
    Effect.flatMap(Command.runWith(command, { version, renderErrors: false })),
    Effect.andThen(output.written),
    Effect.as<ExitCode>(0),
    Effect.catchCause((cause) => {
      const explanation = explainCause(cause)
      return Effect.as(tell(output, explanation, asksForJson(args)), explanation.exitCode)
    }),
    Effect.provide([layerPresenter(output), layerBuiltIns])
  )
})

/**
 * The names of all commands, such as `upload`.
 *
 * @category constants
 * @since 0.1.0
 */
export const commandNames: ReadonlyArray<string> = command.subcommands.flatMap(({ commands }) =>
  commands.map(({ name }) => name)
)

const known: Typed.Known = {
  commands: commandNames,
  flagsOf: (name) => flagsOf(command, name)
}

/** Whether `--json` is given, even if the arguments can't be parsed. */
const asksForJson = (args: ReadonlyArray<string>): boolean => {
  const end = args.indexOf("--")
  return args.slice(0, end === -1 ? args.length : end).includes("--json")
}

const tell = Effect.fnUntraced(function* (
  { out, error }: Output["Service"],
  explanation: Explanation,
  json: boolean
) {
  const { what, todo, exitCode } = explanation
  if (json) {
    const resumable = isResumable(explanation)
    const failed = { _tag: "Failed", message: what, remedy: todo, resumable, exitCode }
    yield* out(jsonLine(failed))
  }
  yield* error(`error: ${what}\n  → ${todo}\n`)
})

/**
 * The width of help in characters, unless the terminal is narrower. Pagers and
 * logs have help too.
 */
const widest = 100

/** The width below which flags and their descriptions don't fit side by side. */
const narrowest = 40

const widthOf = ({ size }: Output["Service"]["screen"]): Effect.Effect<number> =>
  Option.match(size, {
    onNone: () => Effect.succeed(widest),
    onSome: Effect.map(({ columns }) => Math.max(narrowest, Math.min(widest, columns)))
  })

/** Prints help and the version on request. `tell` reports mistakes. */
const layerPresenter = ({ out, screen }: Output["Service"]): Layer.Layer<never> => {
  const formatter = CliOutput.defaultFormatter({ colors: screen.color, globalFlags: "summary" })
  const help = (doc: HelpDoc) => {
    const text = formatter.formatHelpDoc({ ...doc, usage: asTyped(doc.usage) })
    return Effect.map(widthOf(screen), (width) => `${wrapped(text, width)}\n`)
  }
  return CliOutput.layerPresenter({
    present: (event) => {
      switch (event._tag) {
        case "Help":
          return event.reason === "Requested"
            ? Effect.flatMap(help(event.helpDoc), out)
            : Effect.void
        case "Version":
          return out(`${formatter.formatVersion(event.name, event.version)}\n`)
        case "InvalidInvocation":
          return Effect.void
      }
    }
  })
}

/** Shows arguments by their form, as manuals do. */
const asTyped = (usage: string): string =>
  usage
    .replace("[<files...>]", "FILE...")
    .replace("<files...>", "FILE...")
    .replace("<url>", "oss://BUCKET/KEY")
    .replace("<place>", "oss://BUCKET/PREFIX")
    .replace("<id...>", "ID...")

const layerBuiltIns = CliConfig.layer({
  builtIns: [GlobalFlag.Help, GlobalFlag.Version, completions]
})
