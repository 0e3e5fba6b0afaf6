/**
 * One number of slots for many uploads. A slot that becomes free goes to the
 * next upload in turn, not to the next part in line: a small upload waits for
 * one part of each other one at most.
 *
 * @internal
 */
import * as PartitionedSemaphore from "effect/PartitionedSemaphore"
import type { Share } from "./slots.ts"
import { fixed, lending, nested } from "./slots.ts"

/** The slots of one upload, of which it uses `most` at once, out of `count` for all. */
export const make = (count: number): Share => {
  const semaphore = PartitionedSemaphore.makeUnsafe<number>({ permits: count })
  let uploads = 0
  return (most) => {
    // Each upload is a key of its own: not an object, since Effect takes those with equal fields for one.
    uploads++
    const ofAll = lending(semaphore.take(uploads, 1), semaphore.release(1))
    return {
      most: Math.min(most, count),
      withSlot: most < count ? nested(fixed(most).withSlot, ofAll) : ofAll,
      throttled: () => {}
    }
  }
}
