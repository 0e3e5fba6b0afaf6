/**
 * Reasons for which an upload id may stay on the server without a checkpoint.
 * Each is one that no client could mend. The README lists them with the promise
 * that they excuse, and each world counts them.
 */
import type { EmulatedUpload } from "@effect-oss/emulator/OssEmulator"
import * as Effect from "effect/Effect"
import { madeBy, type History } from "./history.ts"
import * as Journals from "./journals.ts"
import type { Invariant } from "./invariant.ts"

export const excuses = {
  damaged: "its checkpoint was damaged",
  beganDamaged: "it began when its checkpoint was damaged",
  strayInitiate: "its Initiate was carried out after its sender had gone",
  abortFailed: "aborting it failed",
  neverUsed: "no part of it was ever sent"
} as const

export interface Excuses extends Required<
  Pick<Invariant, "onPoint" | "onCarriedOut" | "onDamage">
> {
  readonly of: (upload: EmulatedUpload) => string | undefined
}

export const make = (history: History): Excuses => {
  const { count } = history
  const given = new Map<string, string>()
  /** Uploads of which no part has been sent: perhaps no checkpoint knows them yet. */
  const unused = new Set<string>()
  /** Uploads that somebody tried to abort. What refuses that need not be OSS. */
  const aborting = new Set<string>()

  /** An id whose response was lost, or that a process could not record any more, has no parts: it looks like anybody's fresh upload. */
  const neverUsed = ({ uploadId, parts }: EmulatedUpload) =>
    parts.length === 0 && unused.has(uploadId) ? excuses.neverUsed : undefined

  return {
    onPoint: (run, point) => {
      if ("path" in point) return
      const { call, moment, uploadId } = point
      if (call === "uploadPart" && moment === "before") unused.delete(run.uploadId)
      if (call === "abort" && moment === "sent" && uploadId !== undefined) aborting.add(uploadId)
    },
    onCarriedOut: (_, call, awaited) => {
      const made = call.call === "initiate" ? madeBy(history, call) : undefined
      if (made === undefined) return
      if (awaited) unused.add(made.uploadId)
      else given.set(made.uploadId, excuses.strayInitiate)
    },
    onDamage: (_, bytes) => {
      const checkpoint = Journals.recover(bytes)
      if (checkpoint) given.set(checkpoint.header.uploadId, excuses.damaged)
    },
    of: (upload) =>
      given.get(upload.uploadId) ??
      // Whether something was damaged doesn't matter for an id that was never used.
      neverUsed(upload) ??
      (count.damagedHeaders > 0 || (count.damages > 0 && upload.parts.length === 0)
        ? excuses.beganDamaged
        : (stray(history, upload) ??
          (aborting.has(upload.uploadId) ? excuses.abortFailed : undefined)))
  }
}

/** An Initiate for this key that began before and never ended may have made it. */
const stray = ({ server }: History, { key, initiated }: EmulatedUpload) =>
  Effect.runSync(server.emulator.log).some(
    (entry) =>
      entry.operation === "initiate" &&
      entry.key === key &&
      entry.ended === undefined &&
      entry.time <= initiated
  )
    ? excuses.strayInitiate
    : undefined
