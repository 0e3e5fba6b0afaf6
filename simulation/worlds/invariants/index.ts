/** All promises that a world keeps, as one observer. */
import type { UploadError, UploadRequest } from "@effect-oss/core/Upload"
import type { UploadEvent, UploadResult } from "@effect-oss/core/UploadEvent"
import type { Call, Point, Process } from "../../kernel/process.ts"
import * as AnswersAreBounded from "./answersAreBounded.ts"
import * as DamageIsNotInvented from "./damageIsNotInvented.ts"
import * as EveryoneGetsThrough from "./everyoneGetsThrough.ts"
import * as HeadsAreBelieved from "./headsAreBelieved.ts"
import * as HistoryOf from "./history.ts"
import type { History } from "./history.ts"
import type { Invariant, Party, Run } from "./invariant.ts"
import * as ListsEnd from "./listsEnd.ts"
import * as MetadataIsItsOwn from "./metadataIsItsOwn.ts"
import * as NothingIsHeld from "./nothingIsHeld.ts"
import * as ObjectIsOneFile from "./objectIsOneFile.ts"
import * as OnlyTheHolderRecords from "./onlyTheHolderRecords.ts"
import * as OthersAreLeftAlone from "./othersAreLeftAlone.ts"
import * as QuietPartsAreSentOnce from "./quietPartsAreSentOnce.ts"
import * as QuietRunsSucceed from "./quietRunsSucceed.ts"
import * as RecordedPartsAreKept from "./recordedPartsAreKept.ts"
import * as RequestsEnd from "./requestsEnd.ts"
import * as StoreIsClean from "./storeIsClean.ts"
import * as StrangersAreNotRead from "./strangersAreNotRead.ts"
import * as SuccessIsProven from "./successIsProven.ts"
import * as UploadsAreKnown from "./uploadsAreKnown.ts"
import * as VerifiedIsTrue from "./verifiedIsTrue.ts"

export const all: ReadonlyArray<(history: History) => Invariant> = [
  OnlyTheHolderRecords.make,
  RecordedPartsAreKept.make,
  SuccessIsProven.make,
  VerifiedIsTrue.make,
  HeadsAreBelieved.make,
  OthersAreLeftAlone.make,
  ListsEnd.make,
  AnswersAreBounded.make,
  StrangersAreNotRead.make,
  MetadataIsItsOwn.make,
  DamageIsNotInvented.make,
  NothingIsHeld.make,
  UploadsAreKnown.make,
  StoreIsClean.make,
  ObjectIsOneFile.make,
  RequestsEnd.make,
  QuietRunsSucceed.make,
  QuietPartsAreSentOnce.make,
  EveryoneGetsThrough.make
]

/** Follows one run. */
export interface Watch {
  readonly point: (point: Point, process: Process) => void
  readonly event: (event: UploadEvent) => void
  readonly carriedOut: (call: Call, awaited: boolean) => void
  readonly taken: (call: Call, status: number, bytes: number) => void
  readonly succeeded: (party: Party, result: UploadResult | undefined) => UploadResult
}

/** Follows a Complete of another program. */
export interface OtherWatch {
  readonly sent: () => void
  readonly carriedOut: () => void
}

export interface Invariants extends Pick<HistoryOf.History, "isOthers"> {
  readonly watchOther: (name: string, key: string) => OtherWatch
  /** The server has done something. */
  readonly look: () => void
  readonly watch: (
    name: string,
    key: string,
    store: string,
    request: UploadRequest<unknown, unknown> | undefined
  ) => Watch
  readonly suspended: () => void
  readonly threadDied: () => void
  readonly clockJumped: () => void
  /** A journal stands in for those of its checkpoint, now and later. */
  readonly forged: () => void
  readonly damaged: (path: string, bytes: Uint8Array) => void
  /** The disk refused what was to be done with this path. */
  readonly refused: (path: string) => void
  readonly failed: (party: Party, error: UploadError) => void
  /** A process has just ended; the returned function looks at it once its last turn is over. */
  readonly exited: (process: Process) => () => void
  readonly atTheEnd: (parties: ReadonlyArray<Party>) => void
}

export const make = (world: HistoryOf.World): Invariants => {
  const history = HistoryOf.make(world)
  const { trace, now, count } = history
  const invariants = all.map((make) => make(history))
  const runOf = (...[name, key, store, request]: Parameters<Invariants["watch"]>): Run => {
    return { name, key, store, from: now(), request, uploadId: "", made: undefined }
  }
  const watch: Invariants["watch"] = (name, key, store, request) => {
    const run = runOf(name, key, store, request)
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
      taken: (call, status, bytes) => {
        for (const { onTaken } of invariants) onTaken?.(run, call, status, bytes)
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
    isOthers: history.isOthers,
    watchOther: (name, key) => {
      const run = runOf(name, key, "", undefined)
      return {
        sent: () => history.onPoint(run, { call: "complete", moment: "sent" }),
        carriedOut: () => history.onCarriedOut(run, { call: "complete", moment: "carriedOut" })
      }
    },
    watch,
    threadDied: () => void count.threadDeaths++,
    suspended: () => void count.suspensions++,
    clockJumped: () => void count.clockJumps++,
    forged: () => {
      count.damages++
      count.damagedHeaders++
    },
    damaged: (path, bytes) => {
      count.damages++
      if (path.endsWith(".journal.tmp")) count.damagedHeaders++
      for (const { onDamage } of invariants) onDamage?.(path, bytes)
    },
    refused: (path) => {
      for (const { onRefused } of invariants) onRefused?.(path)
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
