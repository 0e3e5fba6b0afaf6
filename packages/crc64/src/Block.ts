/**
 * Memory for bytes whose CRC is computed in place. You can read from a file
 * into a block, check the bytes, and pass them to a socket without a copy.
 *
 * @since 0.1.0
 */
import { shared } from "./internal/engine.ts"

/**
 * Bytes that you hold from `acquire` to `release`. In that time only your
 * program writes to them; `crc64` does not. They never move: views of them,
 * such as those of `subarray` or `Buffer.from(buffer, offset, length)`, stay
 * valid.
 *
 * @category models
 * @since 0.1.0
 */
export interface Block {
  /**
   * The bytes, in the requested length. They are not cleared and may contain
   * data of an earlier holder. They are a part of a larger buffer, which can't
   * be transferred, and which structured cloning copies as a whole:
   * `bytes.slice()` gives you separate bytes.
   */
  readonly bytes: Uint8Array<ArrayBuffer>
  /**
   * Releases the bytes for other holders, who may use them at once. Release
   * them only after everything that you passed them to has finished with them:
   * a socket has once the callback of its write was called. Further calls do
   * nothing.
   */
  readonly release: () => void
}

/**
 * Acquires `size` bytes, which you hold until you call `release`. Memory comes
 * in units of 64 KiB: acquire a few large blocks and reuse them, rather than
 * many small ones. Without WebAssembly or its memory, the bytes are ordinary
 * ones, and everything else is the same. A block that is never released is
 * never reused.
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
