/** Text that a terminal shows as one line, whatever is in it. */
import { displayWidth } from "effect/cli/CliOutput"

/** Names of files and messages of servers may hold line ends and escape sequences. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")

/** As many facts, from the first one on, as fit into `width` columns; the first one is cut if need be. */
export const fitting = (facts: ReadonlyArray<string>, width: number): string => {
  const kept = [...facts]
  while (kept.length > 1 && kept.join("  ").length > width) kept.pop()
  return kept.join("  ").slice(0, width)
}

/** What the last line of a terminal leaves free, in columns: a full one would wrap, and Ctrl-C is shown behind it as `^C`. */
export const spare = 3

/** Cuts a name down to `width` columns, of which Chinese characters take two each. Its end says more than its beginning. */
export const clipped = (text: string, width: number): string => {
  if (displayWidth(text) <= width) return text
  if (width <= 0) return ""
  const kept: Array<string> = []
  let room = width - 1
  for (const { segment } of Array.from(graphemes.segment(text)).toReversed()) {
    room -= displayWidth(segment)
    if (room < 0) break
    kept.unshift(segment)
  }
  return `…${kept.join("")}`
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" })

/**
 * Takes lines that were drawn last, the cursor being behind the last one, off
 * a terminal of `columns` characters: what was drawn when it was wider takes
 * several rows by now.
 */
export const wiped = (lines: ReadonlyArray<string>, columns: number): string => {
  const rowsOf = (line: string) => Math.max(1, Math.ceil(displayWidth(line) / Math.max(1, columns)))
  const above = lines.reduce((rows, line) => rows + rowsOf(line), 0) - 1
  return above > 0 ? `\u001B[${above}A\r\u001B[J` : "\r\u001B[K"
}

/** Breaks lines at spaces; what is broken goes on below where the line's last column begins. */
export const wrapped = (text: string, width: number): string =>
  text
    .split("\n")
    .map((line) => (displayWidth(line) <= width ? line.trimEnd() : broken(line, width)))
    .join("\n")

const broken = (line: string, width: number): string => {
  const [head = ""] = /^ *\S.*? {2,}(?=\S)|^ */.exec(line) ?? []
  const margin = " ".repeat(displayWidth(head) < 0.6 * width ? displayWidth(head) : 8)
  const lines = [head]
  for (const word of line.slice(head.length).split(" ")) {
    const last = lines[lines.length - 1]!
    if (last.trim() === "" || last === head) lines[lines.length - 1] = `${last}${word}`
    else if (displayWidth(last) + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(`${margin}${word}`)
  }
  return lines.join("\n")
}
