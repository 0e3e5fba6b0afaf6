/** The manual of the command, as `man` shows it, out of its help. */

export interface Help {
  readonly version: string
  /** What `--help` prints. */
  readonly overview: string
  /** What `COMMAND --help` prints. */
  readonly commands: ReadonlyArray<{ readonly name: string; readonly help: string }>
}

/** The page in man's own language. */
export const manual = ({ version, overview, commands }: Help): string =>
  [
    `.TH EFFECT-OSS 1 "" "effect-oss ${version}" "User Commands"`,
    ".SH NAME",
    "effect-oss \\- resumable uploads to Alibaba Cloud OSS",
    ...sectionsOf(overview).flatMap(({ title, lines }) => [`.SH ${title}`, ...asTyped(lines)]),
    ...commands.flatMap(({ name, help }) => [
      `.SH "EFFECT-OSS ${name.toUpperCase()}"`,
      ...sectionsOf(help).flatMap(({ title, lines }) => [`.SS ${title}`, ...asTyped(lines)])
    ]),
    ""
  ].join("\n")

interface Section {
  readonly title: string
  readonly lines: Array<string>
}

/** Titles begin a line and are upper case; all else is indented. */
const sectionsOf = (help: string): ReadonlyArray<Section> => {
  const sections: Array<Section> = []
  for (const line of help.trimEnd().split("\n")) {
    if (/^[A-Z][A-Z :]*$/.test(line)) sections.push({ title: `"${line.trim()}"`, lines: [] })
    else sections.at(-1)?.lines.push(line.replace(/^ {2}/, ""))
  }
  return sections
}

/** The lines as they are: help is laid out in columns already. */
const asTyped = (lines: ReadonlyArray<string>): ReadonlyArray<string> => [
  ".nf",
  ...lines.map(escaped),
  ".fi"
]

/** A backslash, a dash or a leading dot or quote would mean something to `man`. */
const escaped = (line: string): string =>
  line.replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(/^[.']/, "\\&$&")
