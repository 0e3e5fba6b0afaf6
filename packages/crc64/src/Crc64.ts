/**
 * CRC-64/XZ of bytes: polynomial 0x42F0E1EBA9EA3693, reflected, complemented
 * before and after. Alibaba Cloud OSS answers it as `x-oss-hash-crc64ecma`.
 *
 * @since 0.1.0
 */
import { shared } from "./internal/engine.ts"

/**
 * The CRC of `bytes`, or of `bytes` after what `before` is the CRC of; 0 for
 * nothing. From 0 to 2^64 − 1.
 *
 * Bytes of a `Block` are read where they are, others are copied on the way.
 *
 * @category computing
 * @since 0.1.0
 */
export const crc64 = (bytes: Uint8Array, before = 0n): bigint =>
  BigInt.asUintN(64, ~shared().update(~before, bytes))

/**
 * A CRC that is computed as the bytes come in.
 *
 * @category models
 * @since 0.1.0
 */
export interface Hasher {
  /** Takes more bytes, at once: they may be overwritten when it returns. */
  readonly update: (bytes: Uint8Array) => Hasher
  /** The CRC of all bytes so far. More may follow. */
  readonly digest: () => bigint
  /** Forgets all bytes. */
  readonly reset: () => Hasher
}

/**
 * Starts a CRC. It holds nothing but a number, so there may be any number of
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
