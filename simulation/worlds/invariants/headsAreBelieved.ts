import type { History } from "./history.ts"
import type { Invariant, Run } from "./invariant.ts"

export const make = (history: History): Invariant => {
  /** Runs whose last HEAD after Complete or Put said something else than what is stored. */
  const contradicted = new Set<Run>()
  return {
    promise: "A success contradicts no HEAD: neither its size nor that the object is there.",
    onPoint: (run, point) => {
      if ("path" in point || point.moment !== "sent") return
      if (point.call === "complete" || point.call === "put") contradicted.delete(run)
    },
    onCarriedOut: (run, { call }, awaited) => {
      if (call !== "head" || !awaited) return
      if (history.headLied()) contradicted.add(run)
      else contradicted.delete(run)
    },
    onSuccess: ({ name }, run) => {
      if (contradicted.has(run)) {
        history.trace.violated(`${name} succeeds although HEAD said something else`)
      }
    }
  }
}
