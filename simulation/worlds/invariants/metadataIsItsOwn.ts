import type { History } from "./history.ts"
import type { Invariant } from "./invariant.ts"

export const make = ({ trace, server }: History): Invariant => ({
  promise: "An object that a run has made carries the metadata that this run asked for.",
  onSuccess: ({ name, key }, { made, request }) => {
    const headers = server.object(key)?.headers
    // OSS does not say what an upload that was discovered had asked for.
    const isOwn = headers !== undefined && headers === made && request?.discover !== true
    if (isOwn && headers["x-oss-meta-version"] !== request?.meta?.["version"]) {
      trace.violated(`${name} succeeds with other metadata than it asked for`)
    }
  }
})
