/** Fits text into a terminal. */
import { displayWidth } from "effect/cli/CliOutput"

/** Breaks lines at spaces. The rest of a line continues below the start of its last column. */
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
