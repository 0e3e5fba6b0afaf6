/**
 * One number of slots for many uploads. A slot that becomes free goes to the
 * next upload in turn, not to the next part in line: a small upload waits for
 * one part of each other one at most.
 *
 * @internal
 */
import * as PartitionedSemaphore from "effect/PartitionedSemaphore"
import type { Share } from "./slots.ts"

/** The slots of one upload, of which it uses `most` at once, out of `count` for all. */
export const make = (count: number): Share => {
  const semaphore = PartitionedSemaphore.makeUnsafe<object>({ permits: count })
  return (most) => ({
    most: Math.min(most, count),
    // Each upload is a key of its own.
    withSlot: semaphore.withPermit({}),
    throttled: () => {}
  })
}
