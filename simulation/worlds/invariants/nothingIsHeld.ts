import type { History } from "./history.ts"
import type { Invariant } from "./invariant.ts"

export const make = ({ trace, count }: History): Invariant => {
  const { stats } = trace
  return {
    promise: "A process that has ended holds no file, no timer, no request and no lease.",
    onExit: (process) => {
      const { powerLosses } = stats
      return () => {
        const held = process.holds()
        // A run that is taken for dead leaves its lease to the next holder; a loss of power may bring one back.
        const trouble =
          stats.diskFaults +
          count.damages +
          count.threadDeaths +
          count.suspensions +
          count.clockJumps +
          stats.powerLosses -
          powerLosses
        if (held.handles + held.turns + held.calls + (trouble === 0 ? held.leases : 0) > 0) {
          trace.violated(`${process.name} has ended and still holds ${JSON.stringify(held)}`)
        }
      }
    }
  }
}
