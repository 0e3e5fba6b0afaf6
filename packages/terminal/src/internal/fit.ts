/** Shortens text to the available columns. */
import { displayWidth } from "effect/cli/CliOutput"

/**
 * Joins as many facts as fit into `columns` characters, from the first one on.
 * Cuts off the first one if it doesn't fit.
 */
export const fitting = (facts: ReadonlyArray<string>, columns: number): string => {
  const kept = [...facts]
  while (kept.length > 1 && kept.join("  ").length > columns) kept.pop()
  return kept.join("  ").slice(0, columns)
}

/**
 * Shortens a name to `columns`; a Chinese character takes two. Keeps the end of
 * the name, which tells more than its beginning.
 */
export const clipped = (text: string, columns: number): string => {
  if (displayWidth(text) <= columns) return text
  if (columns <= 0) return ""
  const kept: Array<string> = []
  let room = columns - 1
  for (const { segment } of Array.from(graphemes().segment(text)).toReversed()) {
    room -= displayWidth(segment)
    if (room < 0) break
    kept.unshift(segment)
  }
  return `…${kept.join("")}`
}

/** Created on first use, because it takes longer than all the rest of this module. */
const graphemes = () => (segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" }))

let segmenter: Intl.Segmenter | undefined
