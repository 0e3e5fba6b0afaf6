/**
 * How much of a body is read and written at once. A piece costs a turn of the
 * thread pool and of the event loop, so that large ones save a quarter of the
 * CPU; but it is also what shows whether something moves, so that on a slow
 * connection it has to be small. All sizes are in bytes, and powers of two.
 */

const KiB = 1024

/** Written to a socket of 30 kB/s in two seconds. */
export const smallest: number = 64 * KiB

/** As much as the second level of a core's cache holds: beyond, copying is slower. */
const largest = 2048 * KiB

/** For the blocks of all bodies that are under way, unless there are so many that each would have less than `leastBlock`. */
const memory = 8 * 1024 * KiB
const leastBlock = 256 * KiB

/** The block of one of so many bodies that are under way: room for its largest piece. */
export const blockSize = (bodies: number): number => between(leastBlock, memory / bodies, largest)

/** The time that a piece should take, in milliseconds. */
const quick = 50
const slow = 200

/** The next piece after one of so many bytes that took so many milliseconds. */
export const next = (size: number, millis: number): number => {
  if (millis <= quick) return between(smallest, size * 2, largest)
  return millis < slow ? size : between(smallest, (size * quick) / millis, largest)
}

/** The next lower power of two. */
const between = (least: number, size: number, most: number) =>
  Math.max(least, Math.min(most, 2 ** Math.floor(Math.log2(size))))
