/**
 * Chooses the size of the pieces in which a body is read and written. Each
 * piece costs a turn of the thread pool and of the event loop, so large pieces
 * save a quarter of the CPU. But each piece is also the sign that data moves,
 * so pieces must be small on a slow connection. All sizes are in bytes, and
 * powers of two.
 */

const KiB = 1024

/** A socket of 30 kB/s takes two seconds for it. */
export const smallest: number = 64 * KiB

/** The size of a core's second-level cache: larger pieces are slower to copy. */
const largest = 2048 * KiB

/** The memory for the blocks of all bodies in flight. They take more only if each block would otherwise be smaller than `leastBlock`. */
const memory = 8 * 1024 * KiB
const leastBlock = 256 * KiB

/** The block size of each body when this many are in flight. A block holds the largest piece. */
export const blockSize = (bodies: number): number => between(leastBlock, memory / bodies, largest)

/** The target time of a piece, in milliseconds. */
const quick = 50
const slow = 200

/** The size of the next piece, from the size and the duration of the last one. */
export const next = (size: number, millis: number): number => {
  if (millis <= quick) return between(smallest, size * 2, largest)
  return millis < slow ? size : between(smallest, (size * quick) / millis, largest)
}

/** The next lower power of two. */
const between = (least: number, size: number, most: number) =>
  Math.max(least, Math.min(most, 2 ** Math.floor(Math.log2(size))))
