/**
 * CRC-64/XZ, fast enough not to matter.
 *
 * @since 0.1.0
 */
export { acquire, type Block } from "./Block.ts"
export { combine } from "./Combine.ts"
export { crc64, make, type Hasher } from "./Crc64.ts"
