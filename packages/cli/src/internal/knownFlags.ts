/** Lists the long flags of a command and the global ones. */
import type * as Command from "effect/cli/Command"
import * as Completions from "effect/cli/Completions"

const ofAll = ["help", "version", "completions"]

/**
 * Returns the long flags of command `name` without dashes, or the global ones if
 * there is no such command.
 */
export const flagsOf = (command: Command.Command.Any, name: string | undefined) => {
  const whole = Completions.fromCommand(command)
  const { flags } = whole.subcommands.find((one) => one.name === name) ?? whole
  const names = flags.flatMap(({ name, aliases }) => [name].concat(aliases))
  const negated = flags.flatMap(({ name, type, negation }) =>
    type._tag === "Boolean" && negation !== false ? [negation ?? `no-${name}`] : []
  )
  return new Set([...ofAll, ...names, ...negated])
}
