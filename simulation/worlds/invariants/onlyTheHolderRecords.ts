import type { History } from "./history.ts"
import type { Invariant, Run } from "./invariant.ts"
import * as Journals from "./journals.ts"

interface Seen {
  /** When the run last saw that the lease is not its own. */
  foreignLease: number
  /** When records were last synced to the disk. */
  synced: number
  /** The journal as it was synced last before that. */
  held: Uint8Array
}

export const make = ({ trace, disk, now }: History): Invariant => {
  const seen = new Map<Run, Seen>()
  const seenBy = (run: Run): Seen => {
    const known = seen.get(run) ?? { foreignLease: Infinity, synced: 0, held: nothing }
    seen.set(run, known)
    return known
  }
  /** A journal goes on under its name, while whoever writes it knows it by the first one. */
  const contentOf = (path: string) =>
    disk.bytes(path) ?? disk.bytes(path.replace(/\.tmp$/, "")) ?? nothing

  return {
    promise: "A run that knows that it has lost the lease reports no part as durable.",
    onPoint: (run, point, process) => {
      if (!("path" in point)) return
      const { call, path, moment } = point
      const isSynced = call === "sync" && moment === "after" && path.includes(".journal")
      const known = seenBy(run)
      if (isSynced) {
        known.synced = now()
        if (known.foreignLease === Infinity) known.held = contentOf(path)
      }
      if (call !== "read" || !path.endsWith(".lease")) return
      known.foreignLease = process.holds().leases > 0 ? Infinity : now()
    },
    onEvent: (run, event) => {
      if (event._tag !== "PartUploaded") return
      const { foreignLease, synced, held } = seenBy(run)
      if (now() <= foreignLease || synced <= foreignLease) return
      // A record that was in place before may be reported late.
      const wasRecorded = Journals.recover(held)?.parts.some(
        ({ number }) => number === event.number
      )
      if (wasRecorded !== true) {
        trace.violated(`${run.name} records a part though it has lost the lease`)
      }
    }
  }
}

const nothing = new Uint8Array()
