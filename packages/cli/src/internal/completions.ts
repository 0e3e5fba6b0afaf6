/** `--completions SHELL`: prints the completions for a shell. */
import * as Completions from "effect/cli/Completions"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Output } from "./Output.ts"

export const completions = GlobalFlag.Action({
  flag: GlobalFlag.Completions.flag,
  run: Effect.fnUntraced(function* (shell, { command }) {
    if (Option.isNone(shell)) return
    const output = yield* Effect.serviceOption(Output)
    const script = Completions.generate(command.name, shell.value, Completions.fromCommand(command))
    const text = shell.value === "zsh" ? withFiles(script) : script
    yield* Option.match(output, {
      onNone: () => Effect.void,
      onSome: ({ out }) => out(`${text}\n`)
    })
  })
})

/**
 * zsh takes the argument after the files, the object, for the first argument,
 * and completes nothing there. Any argument may be a file, so the files stand
 * for all arguments.
 */
const withFiles = (script: string): string =>
  script.replaceAll(/^( *'\*:.*:_files'\n) *':.*:'\n/gm, "$1")
