/** Makes the manual page of the command from its help. */

export interface Help {
  readonly version: string
  /** The output of `--help`. */
  readonly overview: string
  /** The output of `COMMAND --help`. */
  readonly commands: ReadonlyArray<{ readonly name: string; readonly help: string }>
}

/** Returns the page in the language of `man`. */
export const manual = ({ version, overview, commands }: Help): string => {
  const titled = commands.map(({ name, help }) => {
    const title = `.SH "EFFECT-OSS ${name.toUpperCase()}"`
    return `${title}\n${sectionsOf(help, ".SS")}`
  })
  const head = `.TH EFFECT-OSS 1 "" "effect-oss ${version}" "User Commands"`
  const name = ".SH NAME\neffect-oss \\- resumable uploads to Alibaba Cloud OSS"
  return `${[head, name, sectionsOf(overview, ".SH"), ...titled].join("\n")}\n`
}

/**
 * Titles start at the beginning of a line in upper case. All other lines are
 * indented and laid out in columns.
 */
const sectionsOf = (help: string, macro: ".SH" | ".SS"): string => {
  const lines: Array<string> = []
  for (const line of help.trimEnd().split("\n")) {
    if (!/^[A-Z][A-Z :]*$/.test(line)) lines.push(escaped(line.replace(/^ {2}/, "")))
    else if (lines.length === 0) lines.push(`${macro} "${line.trim()}"`, ".nf")
    else lines.push(".fi", `${macro} "${line.trim()}"`, ".nf")
  }
  return [...lines, ".fi"].join("\n")
}

/**
 * Escapes characters that mean something to `man`: backslashes, dashes, leading
 * dots and quotes, and everything beyond ASCII.
 */
const escaped = (line: string): string =>
  line
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^[.']/, "\\&$&")
    .replaceAll(/[^ -~]/gu, (character) => `\\[u${codeOf(character)}]`)

const codeOf = (character: string): string =>
  (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")
