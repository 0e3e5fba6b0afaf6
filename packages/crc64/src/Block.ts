/**
 * Memory that a CRC is computed of in place: what is read from a file into a
 * block can be checked and handed to a socket without being copied.
 *
 * @since 0.1.0
 */
import { shared } from "./internal/engine.ts"

/**
 * Bytes that are the holder's from `acquire` to `release`. Nothing but the
 * holder writes into them in that time, `crc64` included, and they never move:
 * views on them, such as those of `subarray` or `Buffer.from(buffer, offset,
 * length)`, stay good.
 *
 * @category models
 * @since 0.1.0
 */
export interface Block {
  /**
   * As long as was asked for. Not cleared: they hold whatever an earlier holder
   * left. A part of a larger buffer, which can't be transferred and of which
   * structured cloning copies all: `bytes.slice()` gives bytes of their own.
   */
  readonly bytes: Uint8Array<ArrayBuffer>
  /**
   * Gives the bytes back; they may be somebody else's at once. So before that,
   * whatever was handed them must be done with them: a socket is once the
   * callback of its write has been called. Calling it again does nothing.
   */
  readonly release: () => void
}

/**
 * Lends `size` bytes, held until `release` is called. Memory is taken in units
 * of 64 KiB: acquire few large blocks, and use them again, rather than many
 * small ones. Where WebAssembly or its memory is not to be had, the bytes are
 * ordinary ones, and all else is the same. A block that is never released is
 * never used again.
 *
 * Throws a `RangeError` if `size` is not a whole number from 0, or if there is
 * no memory left.
 *
 * @category memory
 * @since 0.1.0
 */
export const acquire = (size: number): Block => {
  if (!Number.isSafeInteger(size) || size < 0) {
    throw new RangeError(`acquire: ${size} is not a size in bytes`)
  }
  return shared().acquire(size)
}
