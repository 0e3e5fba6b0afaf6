import type { History } from "./history.ts"
import type { Invariant } from "./invariant.ts"

export const make = (history: History): Invariant => {
  const { trace, server } = history
  /** The store whose run has begun an upload, by its id. */
  const stores = new Map<string, string>()
  return {
    promise:
      "No run aborts or completes an upload that another program, or a run of another store, has begun.",
    onCarriedOut: ({ key, store }, { call }) => {
      if (call !== "initiate") return
      const newest = server.uploads().findLast(({ uploadId }) => !history.isOthers(uploadId))
      if (newest?.key !== key) return
      // The newest upload is an older one if this Initiate was refused.
      if (!stores.has(newest.uploadId)) stores.set(newest.uploadId, store)
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
