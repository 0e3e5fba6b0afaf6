/** Lengths as users write them. */
import * as ByteSize from "effect/ByteSize"
import * as Option from "effect/Option"

/** Not `ByteSize.Input`: its text types are too many for the compiler when options are spread. */
export type Length = number | bigint | string

/** The length in bytes, or `NaN` if it isn't a length. Lengths above 2^53 bytes are rounded. */
export const byteCount = (length: Length): number =>
  Option.match(ByteSize.fromInput(length as ByteSize.Input), {
    onNone: () => Number.NaN,
    onSome: Number
  })

/** The given length, for a message. */
export const shown = (length: Length): string =>
  typeof length === "string" ? JSON.stringify(length) : `${length} bytes`
