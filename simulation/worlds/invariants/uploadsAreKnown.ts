import type { EmulatedUpload } from "@effect-oss/emulator/OssEmulator"
import * as Excuses from "./excuses.ts"
import type { History } from "./history.ts"
import type { Invariant } from "./invariant.ts"
import * as Journals from "./journals.ts"

export const make = (history: History): Invariant => {
  const { trace, server, disk } = history
  const excuses = Excuses.make(history)
  const { onPoint, onCarriedOut, onDamage } = excuses
  return {
    promise: "Each upload id that stays on the server is in a checkpoint, or has an excuse.",
    onPoint,
    onCarriedOut,
    onDamage,
    atTheEnd: (parties) => {
      const directories = new Set(parties.map(({ directory }) => directory))
      const checkpoints = Array.from(directories).flatMap((path) => Journals.newest(disk, path))
      const isKnown = ({ uploadId }: EmulatedUpload) =>
        checkpoints.some(({ header }) => header.uploadId === uploadId)
      for (const upload of server.uploads()) {
        if (isKnown(upload) || history.isOthers(upload.uploadId)) continue
        const excuse = excuses.of(upload)
        if (excuse === undefined) trace.violated(`nobody knows the upload ${upload.uploadId}`)
        else trace.stats.excused[excuse] = (trace.stats.excused[excuse] ?? 0) + 1
      }
    }
  }
}
