/** All promises that a world keeps, as one observer. */
import type { UploadError, UploadRequest } from "@effect-oss/core/Upload"
import type { UploadEvent, UploadResult } from "@effect-oss/core/UploadEvent"
import type { Call, Point, Process } from "../../kernel/process.ts"
import * as DamageIsNotInvented from "./damageIsNotInvented.ts"
import * as EveryoneGetsThrough from "./everyoneGetsThrough.ts"
import * as HistoryOf from "./history.ts"
import type { History } from "./history.ts"
import type { Invariant, Party, Run } from "./invariant.ts"
import * as MetadataIsItsOwn from "./metadataIsItsOwn.ts"
import * as NothingIsHeld from "./nothingIsHeld.ts"
import * as ObjectIsOneFile from "./objectIsOneFile.ts"
import * as OnlyTheHolderRecords from "./onlyTheHolderRecords.ts"
import * as RecordedPartsAreKept from "./recordedPartsAreKept.ts"
import * as RequestsEnd from "./requestsEnd.ts"
import * as StoreIsClean from "./storeIsClean.ts"
import * as SuccessIsProven from "./successIsProven.ts"
import * as UploadsAreKnown from "./uploadsAreKnown.ts"

export const all: ReadonlyArray<(history: History) => Invariant> = [
  OnlyTheHolderRecords.make,
  RecordedPartsAreKept.make,
  SuccessIsProven.make,
  MetadataIsItsOwn.make,
  DamageIsNotInvented.make,
  NothingIsHeld.make,
  UploadsAreKnown.make,
  StoreIsClean.make,
  ObjectIsOneFile.make,
  RequestsEnd.make,
  EveryoneGetsThrough.make
]

/** Follows one run. */
export interface Watch {
  readonly point: (point: Point, process: Process) => void
  readonly event: (event: UploadEvent) => void
  readonly carriedOut: (call: Call, awaited: boolean) => void
  readonly succeeded: (party: Party, result: UploadResult | undefined) => UploadResult
}

export interface Invariants {
  /** The server has done something. */
  readonly look: () => void
  readonly watch: (
    name: string,
    key: string,
    request: UploadRequest<unknown, unknown> | undefined
  ) => Watch
  readonly suspended: () => void
  readonly clockJumped: () => void
  readonly damaged: (path: string, bytes: Uint8Array) => void
  readonly failed: (party: Party, error: UploadError) => void
  /** A process has just ended; the returned function looks at it once its last turn is over. */
  readonly exited: (process: Process) => () => void
  readonly atTheEnd: (parties: ReadonlyArray<Party>) => void
}

export const make = (world: Parameters<typeof HistoryOf.make>[0]): Invariants => {
  const history = HistoryOf.make(world)
  const { trace, now, count } = history
  const invariants = all.map((make) => make(history))
  const watch: Invariants["watch"] = (name, key, request) => {
    const run: Run = { name, key, from: now(), request, uploadId: "", made: undefined }
    return {
      point: (point, process) => {
        history.onPoint(run, point)
        for (const { onPoint } of invariants) onPoint?.(run, point, process)
      },
      event: (event) => {
        for (const { onEvent } of invariants) onEvent?.(run, event)
      },
      carriedOut: (call, awaited) => {
        history.onCarriedOut(run, call)
        for (const { onCarriedOut } of invariants) onCarriedOut?.(run, call, awaited)
      },
      succeeded: (party, result) => {
        if (result === undefined) return trace.violated(`${party.name} succeeds without a result`)
        for (const { onSuccess } of invariants) onSuccess?.(party, run, result)
        trace.stats.successes++
        trace.stats.bytes += result.size
        return result
      }
    }
  }
  return {
    look: history.look,
    watch,
    suspended: () => void count.suspensions++,
    clockJumped: () => void count.clockJumps++,
    damaged: (path, bytes) => {
      count.damages++
      if (path.endsWith(".journal.tmp")) count.damagedHeaders++
      for (const { onDamage } of invariants) onDamage?.(path, bytes)
    },
    failed: (party, error) => {
      for (const { onError } of invariants) onError?.(party, error)
    },
    exited: (process) => {
      const checks = invariants.flatMap(({ onExit }) => (onExit ? [onExit(process)] : []))
      return () => {
        for (const check of checks) check()
      }
    },
    atTheEnd: (parties) => {
      for (const { atTheEnd } of invariants) atTheEnd?.(parties)
    }
  }
}
