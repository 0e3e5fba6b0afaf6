/**
 * Whether ratios have become worse than those that are kept in the repository.
 */
import type { Outcome } from "./Comparison.ts"

/** By the name of the comparison and of the ratio. */
export type Kept = Readonly<Record<string, Readonly<Record<string, number>>>>

/** More than this share is worse; less is what a busy machine does. */
const margin = 0.15

/** What has become worse, and what nothing is kept of, as sentences. */
export const problems = (kept: Kept, outcomes: ReadonlyArray<Outcome>): ReadonlyArray<string> =>
  outcomes.flatMap(({ name, ratios }) =>
    ratios.flatMap(({ ratio, best, isSpeed }) => {
      const figure = kept[name]?.[ratio]
      if (figure === undefined) return [`${name}: no figure is kept of "${ratio}"`]
      const worse = isSpeed ? figure / best : best / figure
      return worse <= 1 + margin ? [] : [`${name}: ${ratio} is ${best}, and was ${figure}`]
    })
  )
