/** Lays out rows under titles, in columns of the width of their content. */
import { displayWidth } from "effect/cli/CliOutput"

export const table = (
  titles: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>
): ReadonlyArray<string> => {
  const all = [titles, ...rows]
  const widths = titles.map((_, column) => Math.max(...all.map((cells) => width(cells[column]))))
  return all.map((cells) =>
    cells
      .map((cell, column) => cell + " ".repeat(widths[column]! - width(cell)))
      .join("  ")
      .trimEnd()
  )
}

const width = (cell = "") => displayWidth(cell)
