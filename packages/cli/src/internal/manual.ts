/** The manual of the command, as `man` shows it, out of its help. */

export interface Help {
  readonly version: string
  /** What `--help` prints. */
  readonly overview: string
  /** What `COMMAND --help` prints. */
  readonly commands: ReadonlyArray<{ readonly name: string; readonly help: string }>
}

/** The page in man's own language. */
export const manual = ({ version, overview, commands }: Help): string => {
  const titled = commands.map(({ name, help }) => {
    const title = `.SH "EFFECT-OSS ${name.toUpperCase()}"`
    return `${title}\n${sectionsOf(help, ".SS")}`
  })
  const head = `.TH EFFECT-OSS 1 "" "effect-oss ${version}" "User Commands"`
  const name = ".SH NAME\neffect-oss \\- resumable uploads to Alibaba Cloud OSS"
  return `${[head, name, sectionsOf(overview, ".SH"), ...titled].join("\n")}\n`
}

/** Titles begin a line and are upper case; all else is indented, and laid out in columns already. */
const sectionsOf = (help: string, macro: ".SH" | ".SS"): string => {
  const lines: Array<string> = []
  for (const line of help.trimEnd().split("\n")) {
    if (!/^[A-Z][A-Z :]*$/.test(line)) lines.push(escaped(line.replace(/^ {2}/, "")))
    else if (lines.length === 0) lines.push(`${macro} "${line.trim()}"`, ".nf")
    else lines.push(".fi", `${macro} "${line.trim()}"`, ".nf")
  }
  return [...lines, ".fi"].join("\n")
}

/** A backslash, a dash or a leading dot or quote would mean something to `man`, and it knows ASCII only. */
const escaped = (line: string): string =>
  line
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^[.']/, "\\&$&")
    .replaceAll(/[^ -~]/gu, (character) => `\\[u${codeOf(character)}]`)

const codeOf = (character: string): string =>
  (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")
