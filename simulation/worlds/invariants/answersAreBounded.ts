import type { History } from "./history.ts"
import type { Invariant } from "./invariant.ts"

/** In bytes; the last piece that is read may go beyond. */
const piece = 64 * 1024
const mostOfPage = 2 * 1024 * 1024 + piece
const mostOfError = 64 * 1024 + piece

export const make = ({ trace }: History): Invariant => ({
  promise: "Of an answer no more than 2 MiB are read, and of an error no more than 64 KiB.",
  onTaken: (run, { call }, status, bytes) => {
    if (bytes > (status < 400 ? mostOfPage : mostOfError)) {
      trace.violated(`${run.name} has read ${bytes} bytes of an answer to ${call}: ${status}`)
    }
  }
})
