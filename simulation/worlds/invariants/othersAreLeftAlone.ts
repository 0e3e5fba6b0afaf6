import { madeBy, type History } from "./history.ts"
import type { Invariant } from "./invariant.ts"

export const make = (history: History): Invariant => {
  const { trace } = history
  /** The store whose run has begun an upload, by its id. */
  const stores = new Map<string, string>()
  return {
    promise:
      "No run aborts or completes an upload that another program, or a run of another store, has begun.",
    onCarriedOut: ({ store }, call) => {
      const made = call.call === "initiate" ? madeBy(history, call) : undefined
      if (made !== undefined) stores.set(made.uploadId, store)
    },
    onPoint: ({ name, store }, point) => {
      if ("path" in point || point.moment !== "before" || point.uploadId === undefined) return
      if (point.call !== "abort" && point.call !== "complete") return
      const { call, uploadId } = point
      if (history.isOthers(uploadId)) {
        trace.violated(`${name} makes ${call} of ${uploadId}, which is another program's`)
      }
      const owner = stores.get(uploadId)
      if (owner !== undefined && owner !== store) {
        trace.violated(`${name} makes ${call} of ${uploadId}, which belongs to the store ${owner}`)
      }
    }
  }
}
