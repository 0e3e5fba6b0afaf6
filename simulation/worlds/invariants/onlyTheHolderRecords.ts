import type { History } from "./history.ts"
import type { Invariant, Run } from "./invariant.ts"

interface Seen {
  /** When the run last saw that the lease is not its own. */
  foreignLease: number
  /** When records were last synced to the disk. */
  synced: number
}

export const make = ({ trace, now }: History): Invariant => {
  const seen = new Map<Run, Seen>()
  const seenBy = (run: Run): Seen => {
    const known = seen.get(run) ?? { foreignLease: Infinity, synced: 0 }
    seen.set(run, known)
    return known
  }
  return {
    promise: "A run that knows that it has lost the lease reports no part as durable.",
    onPoint: (run, point, process) => {
      if (!("path" in point)) return
      const { call, path, moment } = point
      const isSynced = call === "sync" && moment === "after" && path.includes(".journal")
      if (isSynced) seenBy(run).synced = now()
      if (call !== "read" || !path.endsWith(".lease")) return
      seenBy(run).foreignLease = process.holds().leases > 0 ? Infinity : now()
    },
    onEvent: (run, event) => {
      if (event._tag !== "PartUploaded") return
      const { foreignLease, synced } = seenBy(run)
      if (now() > foreignLease && synced > foreignLease) {
        trace.violated(`${run.name} records a part though it has lost the lease`)
      }
    }
  }
}
