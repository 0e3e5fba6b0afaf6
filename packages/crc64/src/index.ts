/**
 * CRC-64/XZ in WebAssembly, or in JavaScript if WebAssembly is not available.
 *
 * @since 0.1.0
 */
export { acquire, type Block } from "./Block.ts"
export { combine } from "./Combine.ts"
export { crc64, make, type Hasher } from "./Crc64.ts"
