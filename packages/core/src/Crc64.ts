/**
 * CRC-64/XZ, the check sum that OSS returns as `x-oss-hash-crc64ecma`.
 *
 * @since 0.1.0
 */
import * as Crc64 from "@effect-oss/crc64"

/**
 * Computes the CRC-64/XZ of `bytes`. If you give `before`, the CRC of the bytes so
 * far, it computes the CRC of those bytes and `bytes` joined.
 *
 * **Example** (in pieces)
 *
 * ```ts
 * import { Crc64 } from "@effect-oss/core"
 *
 * const text = new TextEncoder()
 * Crc64.of(text.encode("123456789")) // => 11051210869376104954n
 * Crc64.of(text.encode("6789"), Crc64.of(text.encode("12345"))) // => 11051210869376104954n
 * ```
 *
 * @category computing
 * @since 0.1.0
 */
export const of: (bytes: Uint8Array, before?: bigint) => bigint = Crc64.crc64

/**
 * Computes the CRC of two byte strings joined. `first` and `second` are their CRCs,
 * and `secondSize` is the length of the second one in bytes.
 *
 * @category computing
 * @since 0.1.0
 */
export const combine: (first: bigint, second: bigint, secondSize: number) => bigint = Crc64.combine
