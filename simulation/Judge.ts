/**
 * Knows what must hold in a world, and what may excuse that it does not.
 *
 * An upload id may stay on the server without a checkpoint only for a reason
 * that no client could mend; each is named where it is given, and counted:
 *
 * - its checkpoint was damaged or deleted, or it began while that was so;
 * - its Initiate reached the server after whoever sent it had died or given it
 *   up, and possibly after others had looked for it;
 * - the server did not let anybody look for it, or abort it.
 */
import * as Checkpoint from "@effect-oss/core/Checkpoint"
import type { UploadError, UploadRequest } from "@effect-oss/core/Upload"
import type { UploadEvent, UploadResult } from "@effect-oss/core/UploadEvent"
import type { EmulatedObject, EmulatedUpload } from "@effect-oss/emulator/OssEmulator"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { hashOf } from "../packages/node-fs-store/src/internal/place.ts"
import type { Disk } from "./Disk.ts"
import * as Originals from "./Originals.ts"
import type { Original } from "./Originals.ts"
import type { Call, Point, Process } from "./Process.ts"
import { directory } from "./Process.ts"
import type { Server } from "./Server.ts"
import { bytesOf } from "./Server.ts"
import { show, type Story } from "./Story.ts"

const strayInitiate = "its Initiate was carried out after its sender had gone"

/** As far as judging it goes. */
export interface Party {
  readonly name: string
  readonly original: Original
  readonly sourceId: string
  readonly key: string
  readonly end: Option.Option<UploadResult | UploadError>
}

/** They are the same thing as long as the object is the same. */
type Headers = EmulatedObject["headers"]

/** Follows one process. */
export interface Watch {
  readonly point: (point: Point, process: Process) => void
  readonly event: (event: UploadEvent) => void
  readonly carriedOut: (call: Call, awaited: boolean) => void
  /** The headers of the object that it has surely made. */
  readonly made: () => Headers | undefined
}

/** A run of a party: since when, what it asked for, and what was seen of it. */
export interface Run {
  readonly from: number
  readonly request: UploadRequest<unknown, unknown>
  readonly watch: Watch
}

export interface Judge {
  /** The server has done something. */
  readonly look: () => void
  readonly watch: (name: string, key: string) => Watch
  readonly slept: () => void
  readonly jumped: () => void
  readonly damaged: (path: string, bytes: Uint8Array) => void
  readonly succeeded: (party: Party, run: Run, result: UploadResult | undefined) => UploadResult
  /** Whether trying again in a calm world is in vain; repairs what a user would repair. */
  readonly isFinal: (party: Party, error: UploadError) => boolean
  /** Of a process that has just ended; yields what looks at it once its last turn is over. */
  readonly holdsNothing: (process: Process) => () => void
  readonly atTheEnd: (parties: ReadonlyArray<Party>) => void
}

export const make = (world: {
  readonly story: Story
  readonly server: Server
  readonly disk: Disk
  readonly now: () => number
}): Judge => {
  const { story, server, disk, now } = world
  const { stats, violated } = story
  /** CRC64s of all objects that have been stored, by key. */
  const stored = new Map<string, Set<bigint>>()
  /** ETags of parts that were reported as durable, by upload id and number. */
  const durable = new Map<string, string>()
  const excuses = new Map<string, string>()
  /** Uploads of which no part has been sent: nobody may have recorded them yet. */
  const unused = new Set<string>()
  let damages = 0
  /** Of them, such as hit a header that was still being written, and had perhaps not come to its upload id. */
  let damagedHeaders = 0
  let sleeps = 0
  let jumps = 0

  /** Requests that may make an object, and have not ended. */
  const making = new Map<string, number>()

  /** Of the objects that were there after the last turn, by key. */
  const headers = new Map<string, Headers>()

  /** An object may be replaced before whoever made it hears of it. */
  const look = () => {
    for (const [key, requests] of making) {
      const object = requests > 0 ? server.object(key) : undefined
      if (object === undefined) continue
      headers.set(key, object.headers)
      const crcs = stored.get(key) ?? new Set()
      stored.set(key, crcs.add(object.crc64))
    }
  }

  const makes = ({ call }: Call) => call === "complete" || call === "put"

  /** The server loses parts, and a straggler may replace one. */
  const hasStill = (uploadId: string, number: number | undefined) => {
    const etag = durable.get(`${uploadId} ${number}`)
    if (etag === undefined) return false
    const upload = server.uploads().find((upload) => upload.uploadId === uploadId)
    return upload?.parts.some((part) => part.number === number && part.etag === etag) === true
  }

  const watch: Judge["watch"] = (name, key) => {
    let uploadId = ""
    let made: Headers | undefined
    /** When it last saw that the lease is not its own. */
    let strange = Infinity
    /** When a record, or more, was last on the disk. */
    let written = 0
    return {
      made: () => made,
      point: (point, process) => {
        if ("path" in point) {
          const { call, path, moment } = point
          if (call === "sync" && moment === "after" && path.includes(".journal")) written = now()
          if (call !== "read" || !path.endsWith(".lease")) return
          strange = process.holds().leases > 0 ? Infinity : now()
          return
        }
        if (point.uploadId !== undefined) uploadId = point.uploadId
        const { call, partNumber, moment } = point
        if (moment === "sent" && makes(point)) making.set(key, (making.get(key) ?? 0) + 1)
        if (call !== "uploadPart" || moment !== "before") return
        unused.delete(uploadId)
        // Two can have one checkpoint at a time: nobody else knows what the one has just recorded.
        if (damages + sleeps + jumps === 0 && hasStill(uploadId, partNumber)) {
          violated(`${name} sends part ${partNumber} of ${uploadId} again`)
        }
        durable.delete(`${uploadId} ${partNumber}`)
      },
      event: (event) => {
        if (event._tag !== "PartUploaded") return
        durable.set(`${uploadId} ${event.number}`, event.etag)
        if (now() > strange && written > strange)
          violated(`${name} records a part though it has lost the lease`)
      },
      carriedOut: (call, awaited) => {
        if (makes(call)) {
          const now = server.object(key)?.headers
          if (now !== headers.get(key)) made = now
          look()
          making.set(key, (making.get(key) ?? 1) - 1)
        }
        if (call.call !== "initiate") return
        const newest = server.uploads().at(-1)
        if (newest?.key !== key) return
        if (awaited) unused.add(newest.uploadId)
        else excuses.set(newest.uploadId, strayInitiate)
      }
    }
  }

  const damaged: Judge["damaged"] = (path, bytes) => {
    damages++
    if (path.endsWith(".journal.tmp")) damagedHeaders++
    const text = new TextDecoder().decode(bytes)
    for (const [, uploadId] of text.matchAll(/"uploadId":"(\w+)"/g)) {
      if (uploadId !== undefined) excuses.set(uploadId, "its checkpoint was damaged")
    }
  }

  const succeeded: Judge["succeeded"] = ({ name, original, key }, run, result) => {
    const { from, request, watch } = run
    if (result === undefined) return violated(`${name} succeeds without a result`)
    const { crc64, size } = result
    if (!Originals.held(original, crc64, from, now())) {
      violated(`${name} succeeds with what ${original.path} did not hold during its run`)
    }
    if (stored.get(key)?.has(crc64) !== true) {
      violated(`${name} succeeds, but such an object was never stored`)
    }
    const own = server.object(key)?.headers
    // What an upload that was discovered had asked for OSS does not tell.
    const isOwn = own !== undefined && own === watch.made() && request.discover !== true
    if (isOwn && own["x-oss-meta-version"] !== request.meta?.["version"]) {
      violated(`${name} succeeds with other metadata than it asked for`)
    }
    stats.successes++
    stats.bytes += size
    return result
  }

  const isFinal: Judge["isFinal"] = ({ original }, error) => {
    switch (error._tag) {
      case "SourceError":
        return error.reason._tag === "SourceNotFound"
          ? !original.isThere
          : error.reason._tag === "SourceChanged"
      case "OssError":
        return error.reason._tag === "AlreadyExists"
      case "CheckpointError": {
        if (error.reason._tag !== "Damaged" && error.reason._tag !== "UnknownVersion") return false
        if (damages === 0) violated(`nobody damaged ${error.location}: ${error.message}`)
        // As the message says.
        if (disk.bytes(error.location) !== undefined) disk.remove(error.location)
        return false
      }
      default:
        return false
    }
  }

  const excuseOf = (upload: EmulatedUpload): string | undefined =>
    excuses.get(upload.uploadId) ??
    (damagedHeaders > 0 || (damages > 0 && upload.parts.length === 0)
      ? "it began when its checkpoint was damaged"
      : (refused(upload) ?? orphaned(upload)))

  /** Whoever loses the checkpoint while it asks for an upload aborts that, unless it dies right then. */
  const orphaned = ({ uploadId, parts }: EmulatedUpload) =>
    sleeps + jumps > 0 && parts.length === 0 && unused.has(uploadId)
      ? "its sender lost the checkpoint, and died"
      : undefined

  /** RAM may forbid to look for an upload; aborting one that is of no use any more is tried, and no more. */
  const refused = ({ uploadId, key, initiated, parts }: EmulatedUpload) => {
    const log = Effect.runSync(server.emulator.log)
    const isStray = log.some(
      (entry) =>
        entry.operation === "initiate" &&
        entry.key === key &&
        entry.ended === undefined &&
        entry.time <= initiated
    )
    if (isStray) return strayInitiate
    if (log.some((entry) => entry.operation === "abort" && entry.uploadId === uploadId)) {
      return "aborting it failed"
    }
    const forbidden = log.some(
      ({ operation, outcome }) =>
        (operation === "listUploads" || operation === "listParts") &&
        outcome._tag === "Answered" &&
        outcome.status === 403
    )
    return forbidden && parts.length === 0 ? "looking for it was forbidden" : undefined
  }

  const atTheEnd: Judge["atTheEnd"] = (parties) => {
    const files = disk.files(directory)
    const known = files
      .filter((path) => path.endsWith(".journal"))
      .map((path) => new TextDecoder().decode(disk.bytes(path)))
    const isKnown = ({ uploadId, key, parts }: EmulatedUpload) =>
      known.some(
        (text) =>
          text.includes(uploadId) ||
          (parts.length === 0 && text.includes("Initiating") && text.includes(`"key":"${key}"`))
      )
    for (const upload of server.uploads()) {
      if (isKnown(upload)) continue
      const excuse = excuseOf(upload)
      if (excuse === undefined) return violated(`nobody knows the upload ${upload.uploadId}`)
      stats.excused[excuse] = (stats.excused[excuse] ?? 0) + 1
    }
    const failures = parties.filter(({ end }) => Option.exists(end, (end) => "_tag" in end))
    stats.finalErrors += failures.length
    const excused = failures.map((party) => hashOf(checkpointOf(party)))
    const left = files.filter(
      (path) => isLeft(path) && !excused.some((hash) => path.includes(hash))
    )
    if (left.length > 0) violated(`files are left in the store: ${left.join(" ")}`)
    for (const { key } of parties) isSomebodys(key, parties)
    // One that stalls is never answered; whoever sent it has died.
    const open = Effect.runSync(server.emulator.log).filter(
      ({ ended, outcome }) => ended === undefined && outcome._tag !== "Stalled"
    )
    if (open.length > 0) violated(`requests are still open: ${show(open)}`)
  }

  /**
   * A loss of power brings a lease back whose removal was not synced, a broken
   * disk lets nobody remove his own, and damage leaves what nobody can read.
   */
  const isLeft = (path: string) =>
    damages === 0 && (path.endsWith(".journal") || stats.powerLosses + stats.diskFaults === 0)

  const checkpointOf = ({ key, sourceId }: Party) => {
    const { endpoint, bucket } = server.client
    return Checkpoint.keyOf({ endpoint, bucket, key, sourceId })
  }

  /** What is stored last is a file as it was once, from the first byte to the last. */
  const isSomebodys = (key: string, parties: ReadonlyArray<Party>) => {
    const here = parties.filter((party) => party.key === key)
    const object = server.object(key)
    if (here.some(({ end }) => Option.exists(end, (end) => "_tag" in end))) return
    if (object === undefined) return violated(`there is no object ${key}`)
    const version = here
      .flatMap(({ original }) => original.versions)
      .find(({ crc64 }) => crc64 === object.crc64)
    if (version === undefined) return violated(`the object ${key} is nobody's file`)
    if (Buffer.compare(bytesOf(object), version.bytes) !== 0) {
      violated(`the object ${key} has other bytes than its CRC64 says`)
    }
  }

  return {
    look,
    watch,
    damaged,
    succeeded,
    isFinal,
    atTheEnd,
    slept: () => void sleeps++,
    jumped: () => void jumps++,
    holdsNothing: (process) => {
      const { powerLosses } = stats
      return () => {
        const held = process.holds()
        // Whoever is taken for dead leaves his lease to who is about to take it; a loss of power may bring one back.
        const trouble =
          stats.diskFaults + damages + sleeps + jumps + stats.powerLosses - powerLosses
        if (held.handles + held.turns + held.calls + (trouble === 0 ? held.leases : 0) > 0) {
          violated(`${process.name} has ended and still holds ${JSON.stringify(held)}`)
        }
      }
    }
  }
}
