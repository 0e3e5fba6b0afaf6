import { maxError, maxPage } from "../../../packages/core/src/internal/client/transport.ts"
import type { History } from "./history.ts"
import type { Invariant } from "./invariant.ts"

/** In bytes; the last piece that is read may go beyond. */
const piece = 64 * 1024

export const make = ({ trace }: History): Invariant => ({
  promise: "Of an answer no more than 4 MiB are read, and of an error no more than 64 KiB.",
  onTaken: (run, { call }, status, bytes) => {
    if (bytes > (status < 400 ? maxPage : maxError) + piece) {
      trace.violated(`${run.name} has read ${bytes} bytes of an answer to ${call}: ${status}`)
    }
  }
})
