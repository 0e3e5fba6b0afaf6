import type { History } from "./history.ts"
import type { Invariant } from "./invariant.ts"

export const make = ({ trace, count }: History): Invariant => ({
  promise: "A checkpoint that nothing damaged is never reported as damaged.",
  onError: (_, error) => {
    if (error._tag !== "CheckpointError" || count.damages > 0) return
    if (error.reason._tag !== "Damaged" && error.reason._tag !== "UnknownVersion") return
    trace.violated(`nobody damaged ${error.location}: ${error.message}`)
  }
})
