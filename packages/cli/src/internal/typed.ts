/**
 * The arguments as people type them, before they are parsed. `effect/cli` reads
 * `-h.txt` as the flags h, dot, t, x and t, and prints help for the h. Beside a
 * flag that asks for help or the version it doesn't look at the others. A shell
 * puts such names there for a `*`, so they must be a mistake, not a success.
 */
import * as Result from "effect/Result"
import { UsageError } from "./CliFailure.ts"

/** The flags of one letter that there are. */
const letters: ReadonlySet<string> = new Set(["-h", "-v"])

const negativeNumber = /^-(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

/** What there is to be typed. */
export interface Known {
  readonly commands: ReadonlyArray<string>
  /** The long flags of a command, without their dashes. */
  readonly flagsOf: (command: string | undefined) => ReadonlySet<string>
}

/** The arguments for the parser, or why there is no meaning in them. */
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

/** These are answered without looking at the other flags. */
const answered: ReadonlySet<string> = new Set(["--help", "-h", "--version", "-v", "--completions"])

const nameOf = (arg: string): string => arg.split("=", 1).join()

/** An unknown long flag, where the parser would not see it. */
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

/** With `--help`, the parser would print help of something else for a command that there isn't. */
const unknownCommand = (
  [first = "", ...rest]: ReadonlyArray<string>,
  commands: ReadonlyArray<string>
) => {
  if (first.startsWith("-") || commands.includes(first)) return undefined
  // Anything else may be a command that is mistyped, for which the parser knows the nearest.
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
