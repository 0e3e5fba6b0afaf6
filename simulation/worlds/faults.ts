/** Draws the faults of a world: of the server and the network, of the disk, and of processes. */
import { minPartSize } from "@effect-oss/core/Part"
import type { Operation } from "@effect-oss/core/OssError"
import * as Fault from "@effect-oss/emulator/Fault"
import type * as Disk from "../kernel/disk.ts"
import type { SeededRandom } from "../kernel/random.ts"
import type { Code } from "../kernel/tree.ts"

const operations: ReadonlyArray<Operation> = [
  "initiate",
  "uploadPart",
  "uploadPart",
  "uploadPart",
  "listParts",
  "complete",
  "complete",
  "abort",
  "listUploads",
  "head",
  "put"
]

/** No 404: OSS does not say of an upload that it has that it hasn't. It does forget uploads, see `faultInjector.ts`. */
const refusals = [
  [500, "InternalError"],
  [503, "ServiceUnavailable"],
  [503, "QpsLimitExceeded"],
  [429, "TooManyRequests"],
  [408, "RequestTimeout"],
  [403, "AccessDenied"],
  [403, "SecurityTokenExpired"],
  [400, "InvalidPart"]
] as const

const pages = ["", "<html>Bad gateway</html>", "<InitiateMultipartUploadResult><Bucket>b</Buck"]

/** OSS's own clock does not jump: it is the sender's that is so far off that OSS refuses, in milliseconds. */
const refusedSkew = 15 * 60_000 + 1

/** A failure of the server, or of the way to it. */
export const drawFault = (random: SeededRandom): Fault.Fault => {
  const scope = {
    operation: random.chance(0.1) ? undefined : random.pick(operations),
    skip: random.chance(0.5) ? 0 : random.int(0, 5),
    times: random.chance(0.7) ? 1 : random.int(2, 8)
  }
  const inside = { bytes: random.int(0, minPartSize) }
  const moment = random.pick(["before", "after", inside] as const)
  const end = random.pick(["before", "after"] as const)
  switch (random.int(0, 9)) {
    case 0:
    case 1:
    case 2: {
      const [status, code] = random.pick(refusals)
      const headers = random.chance(0.3) ? { "retry-after": String(random.int(0, 30)) } : {}
      // A refused request was not carried out; only an internal error may come after that.
      return Fault.answer({ ...scope, status, code, headers, at: status === 500 ? end : "before" })
    }
    case 3:
    case 4:
      return Fault.drop({ ...scope, at: moment })
    case 5:
      return Fault.stall({ ...scope, at: moment })
    case 6:
      return Fault.delay({ ...scope, at: moment, millis: random.int(1, 60_000) })
    case 7:
      return random.chance(0.8)
        ? Fault.raw({ ...scope, body: random.pick(pages), at: end })
        : Fault.callbackFailed({ ...scope, operation: random.pick(["complete", "put"]) })
    case 8:
      return random.chance(0.5) ? Fault.wrongCrc(scope) : Fault.noCrc(scope)
    default:
      return random.chance(0.5)
        ? // A damaged Put that comes late would replace the good one: only a Content-MD5 could prevent that.
          Fault.damage({ ...scope, operation: "uploadPart" })
        : Fault.skew({
            ...scope,
            millis: random.pick([-1, 1]) * random.int(refusedSkew, 4 * refusedSkew)
          })
  }
}

/** The disk fails: for some time, or at one operation only. */
export interface DiskFault {
  readonly code: Code
  readonly strikes: (operation: Disk.Operation) => boolean
}

const writes: ReadonlySet<Disk.Call> = new Set(["open", "write", "mkdir", "link"])
const changes: ReadonlySet<Disk.Call> = new Set([...writes, "utimes", "rename", "remove"])

/** Opening what is there to read it needs nothing. */
const isOfStore = ({ path }: Disk.Operation) => path.startsWith("/work/")

export const drawDiskFault = (random: SeededRandom): DiskFault => {
  const code = random.pick(["ENOSPC", "EROFS", "EIO"] as const)
  switch (code) {
    case "ENOSPC":
      return { code, strikes: (operation) => isOfStore(operation) && writes.has(operation.call) }
    case "EROFS":
      return { code, strikes: (operation) => isOfStore(operation) && changes.has(operation.call) }
    case "EIO": {
      let left = random.int(0, 60)
      return { code, strikes: () => left-- === 0 }
    }
  }
}

/** Bytes after damage; undefined: the file is gone. */
export const damaged = (random: SeededRandom, bytes: Uint8Array): Uint8Array | undefined => {
  switch (random.int(0, 2)) {
    case 0: {
      const at = random.int(0, Math.max(0, bytes.length - 1))
      const bit = 1 << random.int(0, 7)
      return bytes.map((byte, index) => (index === at ? byte ^ bit : byte))
    }
    case 1:
      return bytes.slice(0, random.int(0, bytes.length))
    default:
      return undefined
  }
}

/** What happens to a process at one of its points. */
export type Fate =
  | { readonly _tag: "Lives" }
  | { readonly _tag: "Dies"; readonly at: number }
  | { readonly _tag: "Interrupted"; readonly at: number }
  | { readonly _tag: "Sleeps"; readonly at: number; readonly millis: number }

export const drawFate = (random: SeededRandom): Fate => {
  const draw = random.next()
  const at = random.int(0, 160)
  if (draw < 0.4) return { _tag: "Dies", at }
  if (draw < 0.5) return { _tag: "Interrupted", at }
  if (draw < 0.65)
    return { _tag: "Sleeps", at, millis: random.pick([900, 25_000, 70_000, 200_000]) }
  return { _tag: "Lives" }
}

/** The time that a message travels, in milliseconds. */
export const drawTravel = (random: SeededRandom): number => {
  const draw = random.next()
  if (draw < 0.01) return random.int(20_000, 60_000)
  if (draw < 0.06) return random.int(200, 2_000)
  return random.int(0, 30)
}
