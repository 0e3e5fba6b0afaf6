/** Text cut down to the columns there are. */
import { displayWidth } from "effect/cli/CliOutput"

/**
 * As many facts, from the first one on, as fit into a line of `columns`
 * characters. The first one is cut off if it doesn't fit.
 */
export const fitting = (facts: ReadonlyArray<string>, columns: number): string => {
  const kept = [...facts]
  while (kept.length > 1 && kept.join("  ").length > columns) kept.pop()
  return kept.join("  ").slice(0, columns)
}

/**
 * Cuts a name down to `columns`, of which a Chinese character takes two. Keeps
 * the end of the name, which says more than its beginning.
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

/** Made when it is first needed: that takes longer than all else here. */
const graphemes = () => (segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" }))

let segmenter: Intl.Segmenter | undefined
