import type { History } from "./history.ts"
import type { Invariant } from "./invariant.ts"

export const make = ({ trace, server, count }: History): Invariant => {
  /** ETags of parts that were reported as durable, by upload id and number. */
  const durable = new Map<string, string>()

  /** The server may lose a part, and a stray request may replace one. */
  const isStillThere = (uploadId: string, number: number | undefined) => {
    const etag = durable.get(`${uploadId} ${number}`)
    if (etag === undefined) return false
    const upload = server.uploads().find((upload) => upload.uploadId === uploadId)
    return upload?.parts.some((part) => part.number === number && part.etag === etag) === true
  }

  return {
    promise:
      "A part that was reported as durable, and that the server still has, is not sent again.",
    onPoint: ({ name, uploadId }, point) => {
      if ("path" in point || point.call !== "uploadPart" || point.moment !== "before") return
      const { partNumber } = point
      // Two may hold one checkpoint after these: neither knows what the other has just recorded.
      const isAlone = count.damages + count.suspensions + count.clockJumps === 0
      if (isAlone && isStillThere(uploadId, partNumber)) {
        trace.violated(`${name} sends part ${partNumber} of ${uploadId} again`)
      }
      durable.delete(`${uploadId} ${partNumber}`)
    },
    onEvent: ({ uploadId }, event) => {
      if (event._tag === "PartUploaded") durable.set(`${uploadId} ${event.number}`, event.etag)
    }
  }
}
