/** Explains errors of `effect/cli` in the words of this command. */
import type { InvalidValue, NonShowHelpErrors } from "effect/cli/CliError"

/** The problem and, if there is more to say than where the help is, the remedy. */
export const explainArgument = (
  error: NonShowHelpErrors
): { readonly what: string; readonly todo?: string | undefined } => {
  switch (error._tag) {
    case "UnrecognizedOption":
      return { what: `unknown flag ${error.option}`, todo: meant(error) ?? aFile(error.option) }
    case "UnknownSubcommand":
      return {
        what: `unknown command "${error.subcommand}"`,
        todo: meant(error) ?? 'to upload a file of that name, write "effect-oss upload" before it;'
      }
    case "MissingArgument":
      return {
        what: `missing: ${placeholders[error.argument] ?? error.argument}`,
        todo: error.argument === "place" ? whichBuckets : undefined
      }
    case "MissingOption":
      return { what: `missing: --${error.option.replace(/^--/, "")}` }
    case "InvalidValue":
      return ofValue(error)
    case "UnexpectedArgument":
      return { what: `too many arguments: ${error.arguments.join(" ")}` }
    default:
      return { what: error.message.split("\n", 1).join() }
  }
}

/** A shell may have inserted the name of a file. */
const aFile = (name: string) => `if it is a file, write ./${name}, or put -- before it;`

const meant = ({ suggestions: [nearest] }: { readonly suggestions: ReadonlyArray<string> }) =>
  nearest === undefined ? undefined : `did you mean ${nearest}?`

const whichBuckets = `to see which buckets there are, use OSS's console or "ossutil ls";`

const placeholders: Readonly<Record<string, string>> = {
  files: "FILE and oss://BUCKET/KEY",
  url: "oss://BUCKET/KEY",
  place: "oss://BUCKET/PREFIX",
  id: "ID"
}

/** Explains a wrong value. What the parser expects may begin with "Expected". */
const ofValue = ({ option, value, expected }: InvalidValue) => {
  const wanted = expected
    .replace(/^Expected:? /, "")
    .replace("a string representing a finite number", "a whole number")
    .replaceAll('"', "")
    .replaceAll(" | ", ", ")
  return value === ""
    ? { what: `--${option}: its value is missing`, todo: `give --${option} ${wanted};` }
    : { what: `--${option}: "${value}" is not possible`, todo: `give ${wanted};` }
}
