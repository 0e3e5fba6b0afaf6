import { displayWidth } from "effect/cli/CliOutput"

/**
 * The control codes that erase the lines drawn last. The cursor must be behind
 * the last line. A line that was drawn on a wider terminal now takes several
 * rows.
 */
export const erased = (lines: ReadonlyArray<string>, columns: number): string => {
  const rowsOf = (line: string) => Math.max(1, Math.ceil(displayWidth(line) / Math.max(1, columns)))
  const above = lines.reduce((rows, line) => rows + rowsOf(line), 0) - 1
  return above > 0 ? `\u001B[${above}A\r\u001B[J` : "\r\u001B[K"
}
