/** Splits the parts of one upload into ranges for runners. Pure. */
import type { Part } from "@effect-oss/core/Part"

/** The numbers of the first and of the last part. */
export interface Range {
  readonly first: number
  readonly last: number
}

/** Enough ranges to keep many runners busy, few enough to cost the database little. */
const wanted = 64
const largest = 64

/** The number of parts in a range. */
export const partsPerRange = (parts: number): number =>
  Math.min(largest, Math.max(1, Math.ceil(parts / wanted)))

/** The missing parts as ranges. Boundaries are the same whatever is missing. */
export const missing = (
  parts: ReadonlyArray<Part>,
  done: { readonly has: (number: number) => boolean },
  perRange: number
): ReadonlyArray<Range> => {
  const ranges = new Map<number, Range>()
  for (const { number } of parts) {
    if (done.has(number)) continue
    const index = Math.floor((number - 1) / perRange)
    ranges.set(index, { first: ranges.get(index)?.first ?? number, last: number })
  }
  return Array.from(ranges.values())
}
