/** The long flags that a command has, and those that every one has. */
import type * as Command from "effect/cli/Command"
import * as Completions from "effect/cli/Completions"

const ofAll = ["help", "version", "completions"]

/** Without their dashes, for `name` or, if there is no such command, for the whole. */
export const flagsOf = (command: Command.Command.Any, name: string | undefined) => {
  const whole = Completions.fromCommand(command)
  const { flags } = whole.subcommands.find((one) => one.name === name) ?? whole
  const names = flags.flatMap(({ name, aliases }) => [name].concat(aliases))
  const negated = flags.flatMap(({ name, type, negation }) =>
    type._tag === "Boolean" && negation !== false ? [negation ?? `no-${name}`] : []
  )
  return new Set([...ofAll, ...names, ...negated])
}
