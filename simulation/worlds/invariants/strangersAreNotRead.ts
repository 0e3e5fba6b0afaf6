import type { History } from "./history.ts"
import type { Invariant } from "./invariant.ts"

export const make = ({ trace, strangers }: History): Invariant => ({
  promise: "An upload reads no checkpoint of another upload, however many the store holds.",
  onPoint: ({ name, request }, point) => {
    if (!("path" in point) || request === undefined || !strangers.has(point.path)) return
    trace.violated(`${name} makes ${point.call} of ${point.path}, a checkpoint of another upload`)
  }
})
