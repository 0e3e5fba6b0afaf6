/**
 * Checks the arguments before they are parsed. `effect/cli` reads `-h.txt` as
 * the flags h, dot, t, x and t, and prints help for the h. It also ignores all
 * flags beside one that asks for help or the version. A shell may insert such
 * names for a `*`, so they must be a mistake and not a success.
 */
import * as Result from "effect/Result"
import { UsageError } from "./CliFailure.ts"

/** The flags of one letter. */
const letters: ReadonlySet<string> = new Set(["-h", "-v"])

const negativeNumber = /^-(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

/** The known flags and commands. */
export interface Known {
  readonly commands: ReadonlyArray<string>
  /** The long flags of a command, without dashes. */
  readonly flagsOf: (command: string | undefined) => ReadonlySet<string>
}

/** Returns the arguments for the parser, or why they make no sense. */
export const read = (
  args: ReadonlyArray<string>,
  known: Known
): Result.Result<ReadonlyArray<string>, UsageError> => {
  const [first, ...rest] = args
  if (first === undefined) return Result.succeed(["--help"])
  if (first === "version" && rest.length === 0) return Result.succeed(["--version"])
  const asked = first === "help" ? [...rest, "--help"] : args
  return Result.map(checked(asked, known), () => asked)
}

const checked = (args: ReadonlyArray<string>, known: Known) => {
  const end = args.indexOf("--")
  const flags = end === -1 ? args : args.slice(0, end)
  const wrong = flags.find(isCluster) ?? besideAnAnswer(flags, known)
  if (wrong !== undefined) return Result.fail(unknownFlag(wrong))
  return unknownCommand(args, known.commands) ?? Result.succeed(args)
}

/** Flags that are answered without looking at the others. */
const answered: ReadonlySet<string> = new Set(["--help", "-h", "--version", "-v", "--completions"])

const nameOf = (arg: string): string => arg.split("=", 1).join()

/** Reports an unknown long flag that the parser would overlook. */
const besideAnAnswer = (args: ReadonlyArray<string>, { flagsOf }: Known): string | undefined => {
  if (!args.some((arg) => answered.has(nameOf(arg)))) return undefined
  const flags = flagsOf(args.find((arg) => !arg.startsWith("-")))
  return args.map(nameOf).find((name) => name.startsWith("--") && !flags.has(name.slice(2)))
}

const isCluster = (arg: string): boolean =>
  /^-[^-]/s.test(arg) && !letters.has(arg) && !negativeNumber.test(arg)

const unknownFlag = (flag: string) =>
  new UsageError({
    problem: `unknown flag ${flag}`,
    remedy: `if it is a file, write ./${flag}, or put -- before the first file`
  })

/** Reports an unknown command. With `--help`, the parser would print other help. */
const unknownCommand = (
  [first = "", ...rest]: ReadonlyArray<string>,
  commands: ReadonlyArray<string>
) => {
  if (first.startsWith("-") || commands.includes(first)) return undefined
  // Anything else may be a mistyped command. The parser suggests the nearest.
  if (/[./\\]/.test(first) && rest.some((arg) => arg.startsWith("oss://"))) {
    return Result.fail(
      new UsageError({
        problem: `unknown command "${first}"`,
        remedy: `to upload it, write "effect-oss upload" before it; see "effect-oss --help"`
      })
    )
  }
  return rest.includes("--help") || rest.includes("-h")
    ? Result.fail(
        new UsageError({ problem: `unknown command "${first}"`, remedy: 'see "effect-oss --help"' })
      )
    : undefined
}
