/** Text that a terminal shows as one line, whatever is in it. */

/** Names of files and messages of servers may hold line ends and escape sequences. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")

// oxlint-disable-next-line no-control-regex
const colors = /\u001B\[[\d;]*m/g
const visible = (text: string) => text.replaceAll(colors, "").length

/**
 * Takes lines that were drawn last, the cursor being behind the last one, off
 * a terminal of `columns` characters: what was drawn when it was wider takes
 * several rows by now.
 */
export const wiped = (lines: ReadonlyArray<string>, columns: number): string => {
  const rowsOf = (line: string) => Math.max(1, Math.ceil(visible(line) / Math.max(1, columns)))
  const above = lines.reduce((rows, line) => rows + rowsOf(line), 0) - 1
  return above > 0 ? `\u001B[${above}A\r\u001B[J` : "\r\u001B[K"
}

/** Breaks lines at spaces; what is broken goes on below where the line's last column begins. */
export const wrapped = (text: string, width: number): string =>
  text
    .split("\n")
    .map((line) => (visible(line) <= width ? line : broken(line, width)))
    .join("\n")

const broken = (line: string, width: number): string => {
  const [head = ""] = /^ *\S.*? {2,}(?=\S)|^ */.exec(line) ?? []
  const margin = " ".repeat(visible(head) < 0.6 * width ? visible(head) : 8)
  const lines = [head]
  for (const word of line.slice(head.length).split(" ")) {
    const last = lines[lines.length - 1]!
    if (last.trim() === "" || last === head) lines[lines.length - 1] = `${last}${word}`
    else if (visible(last) + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(`${margin}${word}`)
  }
  return lines.join("\n")
}
