import type { History } from "./history.ts"
import type { Invariant } from "./invariant.ts"

export const make = ({ trace, quiet }: History): Invariant => ({
  promise:
    "In a quiet world no run fails, unless another run holds the checkpoint or the object is there already.",
  onError: ({ name }, error) => {
    if (!quiet) return
    if (error._tag === "CheckpointError" && error.reason._tag === "Busy") return
    if (error._tag === "OssError" && error.reason._tag === "AlreadyExists") return
    trace.violated(`${name} fails in a quiet world: ${error.message}`)
  }
})
