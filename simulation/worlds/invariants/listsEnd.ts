import type { History } from "./history.ts"
import type { Invariant, Run } from "./invariant.ts"

/** No list of a world has more than one page; the rest is room for retries. */
const most = 60

export const make = ({ trace }: History): Invariant => {
  const inARow = new Map<Run, number>()
  return {
    promise: "A list whose marker does not advance is not followed for ever.",
    onPoint: (run, point) => {
      if ("path" in point || point.moment !== "sent") return
      const isList = point.call === "listParts" || point.call === "listUploads"
      const count = isList ? (inARow.get(run) ?? 0) + 1 : 0
      inARow.set(run, count)
      if (count > most) trace.violated(`${run.name} asks for ${count} pages of lists in a row`)
    }
  }
}
