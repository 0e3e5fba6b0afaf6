import type { History } from "./history.ts"
import type { Invariant } from "./invariant.ts"

export const make = ({ trace, noCrc64 }: History): Invariant => ({
  promise: "A success says `verified` only if the endpoint told a CRC64.",
  onSuccess: ({ name }, _, { verified }) => {
    if (noCrc64 && verified) trace.violated(`${name} is verified, but nothing told a CRC64`)
  }
})
