import type { History } from "./history.ts"
import type { Invariant, Run } from "./invariant.ts"

interface Durable {
  readonly etag: string
  /** Where it was recorded. */
  readonly host: string | undefined
}

export const make = ({ trace, server, count, noCrc64 }: History): Invariant => {
  /** Parts that were reported as durable, by upload id and number. */
  const durable = new Map<string, Durable>()
  /** Those of them that are being sent again from another host. */
  const doubted = new Map<string, Durable>()
  const hosts = new Map<Run, string>()

  /** The server may lose a part, and a stray request may replace one. */
  const stillThere = (uploadId: string, number: number | undefined) => {
    const known = durable.get(`${uploadId} ${number}`)
    const upload = server.uploads().find((upload) => upload.uploadId === uploadId)
    const isThere = upload?.parts.some(
      (part) => part.number === number && part.etag === known?.etag
    )
    return isThere === true ? known : undefined
  }
  const again = (name: string, uploadId: string, number: number | undefined) =>
    trace.violated(`${name} sends part ${number} of ${uploadId} again`)

  return {
    promise:
      "A part that was reported as durable, and that the server still has, is not sent again.",
    onPoint: (run, point, { host }) => {
      hosts.set(run, host)
      if ("path" in point || point.call !== "uploadPart" || point.moment !== "before") return
      const { name, uploadId } = run
      const { partNumber } = point
      const part = `${uploadId} ${partNumber}`
      // Two may hold one checkpoint after these: neither knows what the other has just recorded.
      const isAlone = count.damages + count.suspensions + count.clockJumps === 0
      const known = isAlone ? stillThere(uploadId, partNumber) : undefined
      durable.delete(part)
      if (known === undefined) return
      if (known.host === host) return again(name, uploadId, partNumber)
      // The source may be another there, by the same name. Without CRC64 nobody can tell.
      if (!noCrc64) doubted.set(part, known)
    },
    onEvent: (run, event) => {
      if (event._tag !== "PartUploaded") return
      const { name, uploadId } = run
      const { number, etag, adopted } = event
      const part = `${uploadId} ${number}`
      if (!adopted && doubted.get(part)?.etag === etag) return again(name, uploadId, number)
      doubted.delete(part)
      durable.set(part, { etag, host: hosts.get(run) })
    }
  }
}
