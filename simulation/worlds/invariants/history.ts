/** What has happened in a world, as far as several invariants need it. */
import type { EmulatedUpload } from "@effect-oss/emulator/OssEmulator"
import type { Disk } from "../../kernel/disk.ts"
import type { Call, Point } from "../../kernel/process.ts"
import type { Server } from "../../kernel/server.ts"
import type { Trace } from "../trace.ts"
import type { Headers, Run } from "./invariant.ts"

export interface History {
  readonly trace: Trace
  readonly server: Server
  readonly disk: Disk
  readonly now: () => number
  /** How often something happened after which two may hold one checkpoint, or its files are not what was written. */
  readonly count: {
    threadDeaths: number
    damages: number
    /** Damages to headers that were still being written, perhaps before their upload id. */
    damagedHeaders: number
    suspensions: number
    clockJumps: number
  }
  /** Checkpoints that no uploader of the world has written. */
  readonly strangers: ReadonlySet<string>
  readonly noCrc64: boolean
  /** Whether nothing fails but for the conditions of the world. */
  readonly quiet: boolean
  /** Whether a condition of the world loses requests. */
  readonly mayLoseParts: boolean
  /** Whether another program makes uploads. */
  readonly hasOthers: boolean
  /** Whether the last HEAD contradicted what is stored. */
  readonly headLied: () => boolean
  /** Whether another program has begun an upload. */
  readonly isOthers: (uploadId: string) => boolean
  /** Whether an object with this CRC64 was ever stored under the key. */
  readonly wasStored: (key: string, crc64: bigint) => boolean
  /** Looks at the objects after the server has done something. */
  readonly look: () => void
  readonly onPoint: (run: Run, point: Point) => void
  readonly onCarriedOut: (run: Run, call: Call) => void
}

export type World = Pick<
  History,
  | "trace"
  | "server"
  | "disk"
  | "now"
  | "strangers"
  | "quiet"
  | "mayLoseParts"
  | "noCrc64"
  | "hasOthers"
  | "headLied"
>

export const make = (world: World): History => {
  const { server } = world
  /** CRC64s of all objects that have been stored, by key. */
  const stored = new Map<string, Set<bigint>>()
  /** The number of requests that may make an object and have not ended, by key. */
  const making = new Map<string, number>()
  /** Of the objects after the last turn, by key. */
  const headers = new Map<string, Headers>()
  const others = new Set<string>()

  /** An object may be replaced before the process that made it hears about it. */
  const look = () => {
    if (world.hasOthers) {
      for (const { uploadId, headers } of server.uploads()) {
        if (isOthers(headers)) others.add(uploadId)
      }
    }
    for (const [key, requests] of making) {
      const object = requests > 0 ? server.object(key) : undefined
      if (object === undefined) continue
      headers.set(key, object.headers)
      const crcs = stored.get(key) ?? new Set()
      stored.set(key, crcs.add(object.crc64))
    }
  }

  return {
    ...world,
    count: { threadDeaths: 0, damages: 0, damagedHeaders: 0, suspensions: 0, clockJumps: 0 },
    isOthers: (uploadId) => others.has(uploadId),
    wasStored: (key, crc64) => stored.get(key)?.has(crc64) === true,
    look,
    onPoint: (run, point) => {
      if ("path" in point) return
      const { key } = run
      if (point.uploadId !== undefined) run.uploadId = point.uploadId
      if (point.moment === "sent" && makesObject(point)) making.set(key, (making.get(key) ?? 0) + 1)
    },
    onCarriedOut: (run, call) => {
      if (!makesObject(call)) return
      const { key } = run
      const now = server.object(key)?.headers
      if (now !== headers.get(key)) run.made = now
      look()
      making.set(key, (making.get(key) ?? 1) - 1)
    }
  }
}

/** Metadata of the uploads of another program, by which the invariants know them. */
export const othersMark = { "another-program": "yes" }

/** Whether another program has made this upload or object. */
export const isOthers = (headers: Headers): boolean =>
  headers["x-oss-meta-another-program"] !== undefined

/** The upload that an Initiate has made, if OSS still has it. */
export const madeBy = ({ server }: History, { tag }: Call): EmulatedUpload | undefined =>
  tag === undefined
    ? undefined
    : server.uploads().find(({ headers }) => headers["x-oss-meta-request"] === tag)

const makesObject = ({ call }: Call) => call === "complete" || call === "put"
