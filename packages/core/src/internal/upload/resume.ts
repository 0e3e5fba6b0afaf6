/**
 * Begins an upload, or resumes the one that an earlier run left. If this run can't
 * resume it, it is given up, and an event reports why.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Checkpoint from "../../Checkpoint.ts"
import type { CheckpointError, CheckpointLog } from "../../CheckpointStore.ts"
import type { OssError } from "../../OssError.ts"
import type { ListedPart } from "../../OssModel.ts"
import * as Part from "../../Part.ts"
import type { Opened, SourceError } from "../../Source.ts"
import { changed } from "../source/errors.ts"
import type { InvalidRequest } from "../../UploadError.ts"
import { UploadEvent } from "../../UploadEvent.ts"
import * as Fingerprint from "../source/fingerprint.ts"
import * as Slice from "../source/slice.ts"
import * as Initiate from "./initiate.ts"
import { listParts } from "./listing.ts"
import * as Progress from "./progress.ts"
import type { Failure, Session } from "./session.ts"
import { objectOptions, recordUploadId, restart } from "./session.ts"
import type { Stored } from "./settle.ts"
import { headOf, stored as storedNow, storedSoon } from "./settle.ts"
import { takeOver } from "./takeOver.ts"
import * as Decisions from "./decisions.ts"
import * as Parts from "../parts.ts"
import { digestOptions } from "../checkpoint.ts"

/** An upload id, and its known parts. */
export interface Upload {
  readonly uploadId: string
  /** Size of each part but the last, or of the first parts if the source's size isn't known. */
  readonly partSize: number
  /** The parts in the journal. */
  readonly recorded: ReadonlyArray<Part.UploadedPart>
  /** The parts that OSS lists. None if RAM forbids it: then the journal alone decides. */
  readonly listed: Option.Option<ReadonlyArray<ListedPart>>
}

/** What an earlier run left. */
export type Earlier =
  | { readonly _tag: "Nothing" }
  | { readonly _tag: "Open"; readonly upload: Upload }
  | {
      /** The object is already stored. */
      readonly _tag: "Stored"
      readonly stored: Stored
    }

const nothing: Earlier = { _tag: "Nothing" }

/** Finds what an earlier run left, and gives up what this run can't resume. */
export const resume = (session: Session): Effect.Effect<Earlier, Failure> =>
  Option.isNone(session.log) ? Effect.succeed(nothing) : fromLog(session, session.log.value)

const fromLog = Effect.fnUntraced(function* (
  session: Session,
  { recovered, finished, discarded }: CheckpointLog
): Effect.fn.Return<Earlier, Failure> {
  if (discarded !== undefined) yield* restart(session, "CheckpointDamaged")
  if (Option.isSome(finished)) return yield* fromReceipt(session, finished.value)
  return Option.isSome(recovered)
    ? yield* fromCheckpoint(session, recovered.value)
    : yield* withoutCheckpoint(session)
})

/**
 * An earlier run completed the object, and ended before it could report that. Another
 * object may be stored by now.
 */
const fromReceipt = Effect.fnUntraced(function* (
  session: Session,
  { header, receipt }: Checkpoint.Finished
): Effect.fn.Return<Earlier, Failure> {
  if (Option.isSome(obstacleIn(session, header))) return nothing
  const head = yield* headOf(session)
  const isThere = Option.exists(
    head,
    ({ size, etag }) => size === receipt.size && etag === receipt.etag
  )
  if (!isThere) return nothing
  const { completedAt: _, versionId, ...whole } = receipt
  const stored = { ...whole, versionId: Option.fromUndefinedOr(versionId) }
  return yield* alreadyStored(session, stored, 0)
})

const fromCheckpoint = Effect.fnUntraced(function* (
  session: Session,
  { header, parts }: Checkpoint.Checkpoint
): Effect.fn.Return<Earlier, Failure> {
  const { uploadId, partSize } = header
  const comparison = Fingerprint.compare(header.fingerprint, session.source.fingerprint)
  const isInDoubt = comparison === "compare"
  const obstacle = obstacleIn(session, header, isInDoubt ? header.fingerprint : undefined)
  if (Option.isSome(obstacle)) {
    if (obstacle.value === "SourceChanged") yield* mayRestart(session)
    yield* Initiate.abort(session, uploadId)
    yield* restart(session, obstacle.value)
    return nothing
  }
  const recorded = isInDoubt ? yield* stillIn(session.source, parts) : parts
  if (recorded.length < parts.length) yield* mayRestart(session)
  return yield* carryOn(session, { uploadId, partSize, recorded }, "Recorded").pipe(
    Effect.map((upload): Earlier => ({ _tag: "Open", upload })),
    Effect.catchReason("OssError", "NoSuchUpload", () => settleGone(session, partSize, recorded))
  )
})

/** The parts whose CRC64 the source still has. Reading them costs less than sending them. */
const stillIn = (
  source: Opened,
  parts: ReadonlyArray<Part.UploadedPart>
): Effect.Effect<ReadonlyArray<Part.UploadedPart>, SourceError> =>
  source._tag === "Sequential"
    ? Effect.succeed(parts)
    : Effect.filter(parts, ({ offset, size, crc64 }) =>
        offset + size <= source.size
          ? Effect.map(Slice.crc64(source, offset, size), (now) => now === crc64)
          : Effect.succeed(false)
      )

const obstacleIn = (
  { source, options, partSize }: Session,
  header: Checkpoint.Header,
  fingerprint: string = source.fingerprint
) =>
  Decisions.incompatibility(header, {
    size: source.size,
    fingerprint,
    options: digestOptions(options),
    partSize
  })

/** Run when the source has changed since an earlier run. Fails if `onSourceChanged` is `fail`. */
export const mayRestart = (session: Session): Effect.Effect<void, SourceError> =>
  session.onSourceChanged === "fail"
    ? changed(session.sourceName, "it is not what an earlier run uploaded")
    : Effect.void

/** Takes over an upload without a checkpoint, if the request asks for that. */
const withoutCheckpoint = Effect.fnUntraced(function* (
  session: Session
): Effect.fn.Return<Earlier, Failure> {
  const found = yield* takeOver(session)
  switch (found._tag) {
    case "Nothing":
      return nothing
    case "Obsolete":
      if (found.reason === "SourceChanged") yield* mayRestart(session)
      yield* found.abort
      yield* restart(session, found.reason)
      return nothing
    case "Found":
      yield* recordUploadId(session, found.upload.uploadId, found.upload.partSize)
      return { _tag: "Open", upload: found.upload }
  }
})

/** The parts that are known before reading. For a sequential source, the recorded ones. */
const partsOf = (
  source: Opened,
  partSize: number,
  recorded: ReadonlyArray<Part.UploadedPart>
): Effect.Effect<ReadonlyArray<Part.Part>, InvalidRequest> =>
  source._tag === "RandomAccess"
    ? Effect.map(Effect.fromResult(Part.plan(source.size, partSize)), ({ parts }) => parts)
    : Effect.succeed(recorded.toSorted((a, b) => a.number - b.number))

/** Compares the journal with the parts that OSS lists, and reports `Resumed`. */
export const carryOn = Effect.fnUntraced(function* (
  session: Session,
  earlier: Pick<Upload, "uploadId" | "partSize" | "recorded">,
  reason: Extract<UploadEvent, { readonly _tag: "Resumed" }>["reason"]
): Effect.fn.Return<Upload, OssError | InvalidRequest> {
  const { uploadId, partSize, recorded } = earlier
  const parts = yield* partsOf(session.source, partSize, recorded)
  const listed = yield* listParts(session, uploadId)
  const tasks = Decisions.reconcile({ parts }, recorded, listed)
  const done = tasks.flatMap((task) => (task._tag === "Done" ? [task.part] : []))
  const bytes = Parts.bytesOf(done)
  Progress.resumed(session.counter, bytes)
  yield* session.report(UploadEvent.cases.Resumed.make({ reason, bytes, parts: done.length }))
  return { ...earlier, listed }
})

/**
 * OSS doesn't know the upload id: an earlier run completed the upload and died
 * before it could record that, or the upload is gone.
 */
const settleGone = Effect.fnUntraced(function* (
  session: Session,
  partSize: number,
  recorded: ReadonlyArray<Part.UploadedPart>
): Effect.fn.Return<Earlier, Failure> {
  const parts = yield* partsOf(session.source, partSize, recorded)
  const size = Parts.bytesOf(parts)
  const crc64 = Decisions.wholeCrc64({ parts }, recorded)
  // If the size isn't known, the recorded parts may not be all: don't wait for their object.
  const look = session.source.size === null ? storedNow : storedSoon
  const isAll = (session.source.size ?? size) === size
  // A Complete follows at least one recorded part, so an empty object is another upload's.
  const stored =
    Option.isSome(crc64) && isAll && recorded.length > 0
      ? yield* look(session, { size, crc64: crc64.value })
      : Option.none()
  if (Option.isNone(stored)) {
    yield* restart(session, "UploadGone")
    return nothing
  }
  return yield* alreadyStored(session, stored.value, parts.length)
})

const alreadyStored = Effect.fnUntraced(function* (
  session: Session,
  stored: Stored,
  parts: number
): Effect.fn.Return<Earlier> {
  const { size: bytes } = stored
  Progress.resumed(session.counter, bytes)
  yield* session.report(UploadEvent.cases.Resumed.make({ reason: "Completed", bytes, parts }))
  return { _tag: "Stored", stored }
})

/** Gets an upload id and records it. All parts still have to be sent. */
export const begin = (
  session: Session,
  partSize: number
): Effect.Effect<Upload, OssError | CheckpointError> =>
  Effect.map(
    Initiate.initiate(session, objectOptions(session), (uploadId) =>
      recordUploadId(session, uploadId, partSize)
    ),
    (uploadId) => ({ uploadId, partSize, recorded: [], listed: Option.some([]) })
  )
