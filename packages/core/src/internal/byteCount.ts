/** Lengths as people give them. */
import * as ByteSize from "effect/ByteSize"
import * as Option from "effect/Option"

/** Not `ByteSize.Input`: its texts are so many types that the compiler gives up on a spread of options. */
export type Length = number | bigint | string

/** In bytes; not a number if it is no length. What is too large for a number is rounded. */
export const byteCount = (length: Length): number =>
  Option.match(ByteSize.fromInput(length as ByteSize.Input), {
    onNone: () => Number.NaN,
    onSome: Number
  })

/** A length that was given, as a message shows it. */
export const shown = (length: Length): string =>
  typeof length === "string" ? JSON.stringify(length) : `${length} bytes`
