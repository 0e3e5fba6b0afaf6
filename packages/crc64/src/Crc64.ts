/**
 * CRC-64/XZ of bytes: polynomial 0x42F0E1EBA9EA3693, reflected, complemented
 * before and after. Alibaba Cloud OSS sends it as `x-oss-hash-crc64ecma`.
 *
 * @since 0.1.0
 */
import { shared } from "./internal/engine.ts"

/**
 * Returns the CRC of `bytes`, from 0 to 2^64 − 1. To continue a CRC, give the
 * CRC of the preceding bytes as `before`. The CRC of no bytes is 0.
 *
 * It reads the bytes of a `Block` in place, and copies other bytes.
 *
 * @category computing
 * @since 0.1.0
 */
export const crc64 = (bytes: Uint8Array, before = 0n): bigint =>
  BigInt.asUintN(64, ~shared().update(~before, bytes))

/**
 * A CRC that is computed piece by piece.
 *
 * @category models
 * @since 0.1.0
 */
export interface Hasher {
  /** Adds bytes. You may overwrite them when it returns. */
  readonly update: (bytes: Uint8Array) => Hasher
  /** Returns the CRC of all bytes so far. You may add more afterwards. */
  readonly digest: () => bigint
  /** Forgets all bytes. */
  readonly reset: () => Hasher
}

/**
 * Starts a CRC. A hasher holds only a number, so you can have any number of
 * them at the same time.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Hasher => {
  let crc = 0n
  const hasher: Hasher = {
    update: (bytes) => {
      crc = crc64(bytes, crc)
      return hasher
    },
    digest: () => crc,
    reset: () => {
      crc = 0n
      return hasher
    }
  }
  return hasher
}
