import type { History } from "./history.ts"
import type { Invariant } from "./invariant.ts"

export const make = ({ trace, quiet, mayLoseParts }: History): Invariant => {
  const sent = new Set<string>()
  return {
    promise: "In a quiet world, however slow its line, each part is sent once.",
    onPoint: ({ name, uploadId }, point) => {
      if (!quiet || mayLoseParts || "path" in point) return
      if (point.moment !== "sent" || point.call !== "uploadPart") return
      const part = `part ${point.partNumber} of ${uploadId}`
      if (sent.has(part)) trace.violated(`${name} sends ${part} again in a quiet world`)
      sent.add(part)
    }
  }
}
