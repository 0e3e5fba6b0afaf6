/**
 * A pool of slots for many uploads. A free slot goes to the next upload in turn,
 * not to the next part in line. So a small upload waits for at most one part of
 * each other upload.
 */
import * as PartitionedSemaphore from "effect/PartitionedSemaphore"
import type { Share } from "./slots.ts"
import { fixed, lending, nested } from "./slots.ts"

/** A pool of `count` slots. */
export const make = (count: number): Share => {
  const semaphore = PartitionedSemaphore.makeUnsafe<number>({ permits: count })
  let uploads = 0
  return (most) => {
    // Each upload has its own key. It is a number: Effect treats objects with equal fields as the same key.
    uploads++
    const ofAll = lending(semaphore.take(uploads, 1), semaphore.release(1))
    return {
      most: Math.min(most, count),
      withSlot: most < count ? nested(fixed(most).withSlot, ofAll) : ofAll,
      throttled: () => {}
    }
  }
}
