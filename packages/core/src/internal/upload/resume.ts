/**
 * Beginning: with nothing, or with what an earlier run left. What can't be
 * carried on with is given up, and the user is told why.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Checkpoint from "../../Checkpoint.ts"
import type { CheckpointError } from "../../CheckpointStore.ts"
import type { ListedPart } from "../../OssModel.ts"
import type { OssError } from "../../OssError.ts"
import * as Part from "../../Part.ts"
import type { Opened, RandomAccess, SourceError } from "../../Source.ts"
import { changed } from "../../SourceError.ts"
import { InvalidRequest } from "../../UploadError.ts"
import type { ResumeReason } from "../../UploadEvent.ts"
import { UploadEvent } from "../../UploadEvent.ts"
import * as Discovery from "./discover.ts"
import { listParts } from "./listing.ts"
import * as Meter from "./progress.ts"
import type { Session } from "./session.ts"
import { restart } from "./session.ts"
import * as Store from "./complete.ts"
import * as UploadId from "./uploadId.ts"

export interface UploadSession<out S = Opened> extends Session<S> {
  /** As asked for. */
  readonly partSize: Option.Option<number>
  readonly onSourceChanged: "restart" | "fail"
  readonly discover: boolean
  readonly from: Option.Option<Checkpoint.AliOss>
}

/** An upload id with what is still to be done for it. */
export interface Upload {
  readonly uploadId: string
  readonly partSize: number
  /** For each part of the plan; of a sequential source, for each part that was recorded. */
  readonly tasks: ReadonlyArray<Checkpoint.Task>
  readonly recorded: ReadonlyArray<Part.UploadedPart>
  /** None if RAM forbids to list parts, so that the journal alone was believed. */
  readonly listed: Option.Option<ReadonlyArray<ListedPart>>
}

/** What an earlier run left. */
export type Earlier =
  | { readonly _tag: "Fresh" }
  | { readonly _tag: "Open"; readonly upload: Upload }
  | {
      /** The object itself, made of these parts. */
      readonly _tag: "Stored"
      readonly stored: Store.Stored
      readonly partSize: number
      readonly recorded: ReadonlyArray<Part.UploadedPart>
    }

const fresh: Earlier = { _tag: "Fresh" }

type Failure = OssError | SourceError | CheckpointError | InvalidRequest

/** Sees what an earlier run left, and gives up what can't be carried on with. */
export const resume = Effect.fnUntraced(function* (
  session: UploadSession
): Effect.fn.Return<Earlier, Failure> {
  const { source, from, log } = session
  if (log.discarded !== undefined) yield* restart(session, "CheckpointDamaged")
  if (Option.isNone(log.recovered)) {
    if (!session.discover && Option.isNone(from)) return fresh
    if (source._tag === "Sequential")
      return yield* onlyAtAnyPlace(session.discover ? "discover" : "from")
    return yield* withoutCheckpoint({ ...session, source })
  }
  const { header, parts: recorded } = log.recovered.value
  const obstacle = Checkpoint.incompatibility(header, {
    size: source.size,
    fingerprint: source.fingerprint,
    options: Checkpoint.digestOptions(session.options),
    partSize: session.partSize
  })
  if (Option.isSome(obstacle)) {
    return yield* giveUp(session, obstacle.value, UploadId.giveUp(session, header))
  }
  if (header.phase._tag === "Initiating") {
    yield* UploadId.giveUp(session, header)
    return fresh
  }
  const earlier = { uploadId: header.phase.uploadId, partSize: header.partSize, recorded }
  return yield* carryOn(session, earlier, "Recorded").pipe(
    Effect.map((upload): Earlier => ({ _tag: "Open", upload })),
    Effect.catchReason("OssError", "NoSuchUpload", () => afterTheEnd(session, earlier))
  )
})

const onlyAtAnyPlace = (field: string) =>
  new InvalidRequest({
    field,
    problem: "the parts of a stream can't be compared before it is read",
    remedy: "leave it out, or give a file, a blob or bytes as the source"
  })

/** Starts afresh, or fails, as asked for. */
const giveUp = Effect.fnUntraced(function* (
  session: UploadSession,
  reason: Checkpoint.RestartReason,
  release: Effect.Effect<void, OssError | CheckpointError>
): Effect.fn.Return<Earlier, Failure> {
  if (reason === "SourceChanged") yield* mayRestart(session)
  yield* release
  yield* restart(session, reason)
  return fresh
})

/** Fails if a source that changed since an earlier run is not to be uploaded afresh. */
export const mayRestart = (session: UploadSession): Effect.Effect<void, SourceError> =>
  session.onSourceChanged === "fail"
    ? changed(session.sourceName, "it is not what an earlier run uploaded")
    : Effect.void

/** Takes over an upload that no checkpoint stands for: ali-oss began it, or the checkpoint was lost. */
const withoutCheckpoint = Effect.fnUntraced(function* (
  session: UploadSession<RandomAccess>
): Effect.fn.Return<Earlier, Failure> {
  if (Option.isSome(session.from)) return yield* fromAliOss(session, session.from.value)
  const found = yield* Discovery.find(session, session.partSize)
  if (Option.isNone(found)) return fresh
  const { uploadId, plan, listed } = found.value
  return yield* takeOver(session, uploadId, plan, Option.some(listed))
})

const fromAliOss = Effect.fnUntraced(
  function* (
    session: UploadSession<RandomAccess>,
    { uploadId, fileSize, partSize }: Checkpoint.AliOss
  ) {
    const { size } = session.source
    const abort = UploadId.abort(session, uploadId)
    if (size !== fileSize) return yield* giveUp(session, "SourceChanged", abort)
    if (Option.getOrElse(session.partSize, () => partSize) !== partSize) {
      return yield* giveUp(session, "PartSizeChanged", abort)
    }
    const plan = yield* Effect.fromResult(Part.plan(size, partSize))
    return yield* takeOver(session, uploadId, plan, yield* listParts(session, uploadId))
  },
  (self, session) =>
    Effect.catchReason(self, "OssError", "NoSuchUpload", () =>
      giveUp(session, "UploadGone", Effect.void)
    )
)

/** What the upload was begun with may be something else than what is asked for now. */
const warnOfOptions = ({ options, key }: Session) =>
  Checkpoint.digestOptions(options) === Checkpoint.digestOptions({})
    ? Effect.void
    : Effect.logWarning(
        `${key}: goes on with an upload whose headers and metadata OSS does not tell: the object gets those that it was begun with`
      )

/** From here on there is a checkpoint again. */
const takeOver = Effect.fnUntraced(function* (
  session: Session,
  uploadId: string,
  plan: Part.Plan,
  listed: Option.Option<ReadonlyArray<ListedPart>>
): Effect.fn.Return<Earlier, CheckpointError> {
  const phase = Checkpoint.Phase.cases.Uploading.make({ uploadId })
  const { partSize } = plan
  yield* warnOfOptions(session)
  yield* session.log.begin({ ...(yield* headerOf(session, partSize)), phase })
  const tasks = Checkpoint.reconcile(plan, [], listed)
  return { _tag: "Open", upload: { uploadId, partSize, tasks, recorded: [], listed } }
})

/** The parts that are known beforehand: of a sequential source, what was recorded. */
const partsOf = (
  source: Opened,
  partSize: number,
  recorded: ReadonlyArray<Part.UploadedPart>
): Effect.Effect<ReadonlyArray<Part.Part>, InvalidRequest> =>
  source._tag === "RandomAccess"
    ? Effect.map(Effect.fromResult(Part.plan(source.size, partSize)), ({ parts }) => parts)
    : Effect.succeed(recorded.toSorted((a, b) => a.number - b.number))

/** Compares the journal with what OSS lists. */
export const carryOn = Effect.fnUntraced(function* (
  session: Session,
  earlier: Pick<Upload, "uploadId" | "partSize" | "recorded">,
  reason: ResumeReason
): Effect.fn.Return<Upload, OssError | InvalidRequest> {
  const { uploadId, partSize, recorded } = earlier
  const parts = yield* partsOf(session.source, partSize, recorded)
  const listed = yield* listParts(session, uploadId)
  const tasks = Checkpoint.reconcile({ parts }, recorded, listed)
  const done = tasks.flatMap((task) => (task._tag === "Done" ? [task.part] : []))
  for (const part of done) session.recorded.set(part.number, part)
  const bytes = Checkpoint.bytesOf(done)
  Meter.resumed(session.meter, bytes)
  yield* session.report(UploadEvent.cases.Resumed.make({ reason, bytes, parts: done.length }))
  return { ...earlier, tasks, listed }
})

/** OSS doesn't know the upload id: an earlier run completed it and died before it could say so, or it is gone. */
const afterTheEnd = Effect.fnUntraced(function* (
  session: UploadSession,
  { partSize, recorded }: Pick<Upload, "partSize" | "recorded">
): Effect.fn.Return<Earlier, Failure> {
  const parts = yield* partsOf(session.source, partSize, recorded)
  const size = Checkpoint.bytesOf(parts)
  const crc64 = Checkpoint.wholeCrc64({ parts }, recorded)
  const stored = Option.isSome(crc64)
    ? yield* Store.stored(session, { size, crc64: crc64.value })
    : Option.none()
  if (Option.isNone(stored)) return yield* giveUp(session, "UploadGone", Effect.void)
  Meter.resumed(session.meter, size)
  const resumed = { reason: "Completed", bytes: size, parts: parts.length } as const
  yield* session.report(UploadEvent.cases.Resumed.make(resumed))
  return { _tag: "Stored", stored: stored.value, partSize, recorded }
})

/** Gets an upload id; every part is still to be sent. */
export const begin = Effect.fnUntraced(function* (
  session: Session,
  partSize: number
): Effect.fn.Return<Upload, Failure> {
  const parts = yield* partsOf(session.source, partSize, [])
  const uploadId = yield* UploadId.obtain(session, yield* headerOf(session, partSize))
  const tasks = parts.map((part): Checkpoint.Task => ({ _tag: "Missing", part }))
  return { uploadId, partSize, tasks, recorded: [], listed: Option.some([]) }
})

const headerOf = ({ client, key, source, options }: Session, partSize: number) =>
  Effect.map(Clock.currentTimeMillis, (createdAt): Omit<Checkpoint.Header, "phase"> => ({
    endpoint: client.endpoint,
    bucket: client.bucket,
    key,
    sourceId: source.id,
    fingerprint: source.fingerprint,
    size: source.size,
    partSize,
    ...(source.size === null ? { growth: Part.growth } : {}),
    options: Checkpoint.digestOptions(options),
    createdAt
  }))
