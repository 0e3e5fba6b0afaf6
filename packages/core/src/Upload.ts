/**
 * Uploads that survive: the source goes up in parts, each finished part is
 * recorded in a checkpoint, and the next run carries on from there.
 *
 * The way of the data, top-down: open the source, hold the checkpoint, see what
 * an earlier run left (`resume`), get an upload id (`begin`), send what is
 * missing and make it an object (`finish`), remove the checkpoint last.
 *
 * Data could be lost where an answer is: each such place is settled by asking
 * OSS what it has, never by guessing.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Checkpoint from "./Checkpoint.ts"
import type { CheckpointError, CheckpointLog } from "./CheckpointStore.ts"
import { CheckpointStore } from "./CheckpointStore.ts"
import * as Attempts from "./internal/attempts.ts"
import * as Discovery from "./internal/discovery.ts"
import { listParts } from "./internal/listing.ts"
import * as Meter from "./internal/meter.ts"
import { sendPart } from "./internal/sendPart.ts"
import type { Session } from "./internal/session.ts"
import { restart, unchanged } from "./internal/session.ts"
import * as Slots from "./internal/slots.ts"
import * as Store from "./internal/store.ts"
import * as UploadId from "./internal/uploadId.ts"
import type { ObjectOptions } from "./OssClient.ts"
import { OssClient } from "./OssClient.ts"
import type { OssError } from "./OssError.ts"
import * as ObjectKey from "./ObjectKey.ts"
import * as Part from "./Part.ts"
import * as RetryPolicy from "./RetryPolicy.ts"
import * as Source from "./Source.ts"
import { IntegrityError, InvalidRequest } from "./UploadError.ts"
import type { UploadResult } from "./UploadEvent.ts"
import { UploadEvent } from "./UploadEvent.ts"

/**
 * What is uploaded, where to, and how.
 *
 * @category models
 * @since 0.1.0
 */
export interface UploadRequest<out R = never> extends ObjectOptions {
  /** The object's key: 1 to 1,023 bytes in UTF-8, not beginning with `/` or `\`. */
  readonly key: string
  readonly source: Source.Source<R>
  /** In bytes, 100 KiB to 5 GiB. Default: the checkpoint's, else `Part.partSizeFor`: 8 MiB, more for very large sources. A source below it goes up with one request. */
  readonly partSize?: number | undefined
  /** How many parts are on their way at once. Default: 5. */
  readonly concurrency?: number | undefined
  /** How a failed request is sent again. Default: `RetryPolicy.standard`. */
  readonly retry?: RetryPolicy.RetryPolicy | undefined
  /** A transfer in which nothing moves for so long is given up, and sent again. Default: 30 seconds. */
  readonly stallTimeout?: Duration.Input | undefined
  /** If the source changed since an earlier run: `restart` afresh, or `fail` and keep that run's parts. Default: `restart`. A source that changes during a run always fails. */
  readonly onSourceChanged?: "restart" | "fail" | undefined
  /** True: if there is no checkpoint, look for an upload of this key on the server whose parts are this source's, and carry on with it. For when a checkpoint was lost; must not be used while another process may be sending that upload. Default: false. */
  readonly discover?: boolean | undefined
}

/**
 * All that an upload can fail with.
 *
 * @category errors
 * @since 0.1.0
 */
export type UploadError =
  | OssError
  | Source.SourceError
  | CheckpointError
  | InvalidRequest
  | IntegrityError

/**
 * Uploads, or carries on with what an earlier run left. Running it again after
 * an error, an interruption or a crash resumes; when its interruption returns,
 * no request of it is under way and the checkpoint holds what was acknowledged.
 *
 * **Example** (a program)
 *
 * ```ts
 * import { CheckpointStore, OssClient, Source, Upload } from "@effect-oss/core"
 * import { NodeHttpClient, NodeServices } from "@effect/platform-node"
 * import { Effect } from "effect"
 *
 * const program = Upload.upload({ key: "backups/db.tar", source: Source.file("db.tar") }).pipe(
 *   Effect.provide([OssClient.layerConfig(), CheckpointStore.layerMemory]),
 *   Effect.provide([NodeHttpClient.layerNodeHttp, NodeServices.layer])
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const upload = <R>(
  request: UploadRequest<R>
): Effect.Effect<
  UploadResult,
  UploadError,
  OssClient | CheckpointStore | Exclude<R, Scope.Scope>
> => run(request, () => Effect.void)

/**
 * The same upload as a stream of what happens, which ends with `Completed`, or
 * fails as the upload does. Ending or interrupting the stream interrupts the
 * upload. A slow consumer doesn't slow it: it misses samples of `Progress`, and
 * nothing else.
 *
 * **Example** (a percentage)
 *
 * ```ts
 * import { Source, Upload } from "@effect-oss/core"
 * import { Console, Stream } from "effect"
 *
 * const shown = Upload.events({ key: "backups/db.tar", source: Source.file("db.tar") }).pipe(
 *   Stream.filter((event) => event._tag === "Progress"),
 *   Stream.runForEach(({ durable, total }) => Console.log(`${Math.floor((100 * durable) / total)} %`))
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const events = <R>(
  request: UploadRequest<R>
): Stream.Stream<UploadEvent, UploadError, OssClient | CheckpointStore | Exclude<R, Scope.Scope>> =>
  Stream.callback(
    (queue) => {
      const report = (event: UploadEvent) =>
        event._tag === "Progress" && event.durable < event.total && Queue.sizeUnsafe(queue) > 0
          ? Effect.void
          : Effect.asVoid(Queue.offer(queue, event))
      return run(request, report, sampleEvery).pipe(Queue.into(queue))
    },
    { bufferSize: Number.POSITIVE_INFINITY }
  )

/**
 * Every upload that can be resumed, in the store at hand.
 *
 * @category running
 * @since 0.1.0
 */
export const pending: Stream.Stream<Checkpoint.Summary, CheckpointError, CheckpointStore> =
  Stream.unwrap(Effect.map(CheckpointStore, (store) => store.list))

/** How often `Progress` is sampled. */
const sampleEvery = Duration.millis(200)

/**
 * Gives up what earlier runs left for one key: aborts it on the server, then
 * removes the checkpoint. Fails with reason `Busy` if such an upload is
 * running: interrupt that first. An upload that OSS no longer knows is success.
 * Yields what was given up.
 *
 * @category running
 * @since 0.1.0
 */
export const abort: (place: {
  readonly key: string
  /** Only the uploads of this source, by `Opened.id`. Default: of all sources. */
  readonly sourceId?: string | undefined
}) => Effect.Effect<
  ReadonlyArray<Checkpoint.Summary>,
  OssError | CheckpointError,
  OssClient | CheckpointStore
> = Effect.fn("Upload.abort")(function* ({ key, sourceId }) {
  const summaries = yield* own(
    ({ header }) => header.key === key && (sourceId === undefined || header.sourceId === sourceId)
  )
  yield* Effect.forEach(summaries, giveUp, { discard: true })
  return summaries
})

/**
 * Gives up this store's uploads to the client's bucket that began `olderThan`
 * ago or earlier. Uploads that are running are left alone, and so is everything
 * on the server that no checkpoint of this store stands for. Yields what was
 * given up, or with `dryRun` what would be.
 *
 * @category running
 * @since 0.1.0
 */
export const sweep: (options: {
  readonly olderThan: Duration.Input
  /** True: give up nothing, only say what is old enough. Default: true. */
  readonly dryRun?: boolean | undefined
}) => Effect.Effect<
  ReadonlyArray<Checkpoint.Summary>,
  OssError | CheckpointError,
  OssClient | CheckpointStore
> = Effect.fn("Upload.sweep")(function* ({ olderThan, dryRun = true }) {
  const latest =
    (yield* Clock.currentTimeMillis) - Duration.toMillis(Duration.fromInputUnsafe(olderThan))
  const old = yield* own(({ header }) => header.createdAt <= latest)
  if (dryRun) return old
  const given = yield* Effect.forEach(old, (summary) =>
    giveUp(summary).pipe(
      Effect.as([summary]),
      Effect.catchReason("CheckpointError", "Busy", () => Effect.succeed([]))
    )
  )
  return given.flat()
})

/** The checkpoints for the client's bucket. */
const own = Effect.fnUntraced(function* (belongs: (summary: Checkpoint.Summary) => boolean) {
  const { endpoint, bucket } = yield* OssClient
  return yield* pending.pipe(
    Stream.filter(({ header }) => header.endpoint === endpoint && header.bucket === bucket),
    Stream.filter(belongs),
    Stream.runCollect
  )
})

const giveUp = Effect.fnUntraced(function* ({ checkpointKey, header }: Checkpoint.Summary) {
  const client = yield* OssClient
  const store = yield* CheckpointStore
  const log = yield* store.open(checkpointKey)
  const retrying = Attempts.make({
    policy: RetryPolicy.standard,
    budget: RetryPolicy.sharedBudget,
    onRetry: () => Effect.void
  })
  const { key } = header
  yield* UploadId.giveUp(
    { client, store, key, retrying, stallTimeout: defaultStallTimeout },
    // What was listed may have gone on since, or be over.
    Option.match(log.recovered, { onNone: () => header, onSome: (checkpoint) => checkpoint.header })
  )
  yield* log.remove
}, Effect.scoped)

/** Opens what an upload holds until its end, and runs it. */
const run = <R>(
  request: UploadRequest<R>,
  report: (event: UploadEvent) => Effect.Effect<void>,
  sampling?: Duration.Duration
) =>
  open(request, report).pipe(
    Effect.tap((session) =>
      sampling === undefined ? Effect.void : Effect.forkScoped(sample(session, sampling))
    ),
    Effect.flatMap(transfer),
    Effect.catchReason("OssError", "ChecksumMismatch", ({ expected, actual }, { partNumber }) =>
      Effect.fail(
        new IntegrityError({
          key: request.key,
          ...(partNumber === undefined ? {} : { partNumber }),
          expected,
          actual
        })
      )
    ),
    Effect.scoped,
    Effect.tap((result) => report(UploadEvent.cases.Completed.make({ result }))),
    Effect.withSpan("Upload.upload", { attributes: { "oss.key": request.key } })
  )

/** Checks the request, opens the source and takes the checkpoint. */
const open = Effect.fnUntraced(function* <R>(
  request: UploadRequest<R>,
  report: (event: UploadEvent) => Effect.Effect<void>
) {
  yield* Effect.fromResult(validate(request))
  const { key, onSourceChanged = "restart" } = request
  const client = yield* OssClient
  const store = yield* CheckpointStore
  const source = yield* request.source.open
  const { endpoint, bucket } = client
  const log = yield* store.open(Checkpoint.keyOf({ endpoint, bucket, key, sourceId: source.id }))
  const { name } = request.source
  yield* report(UploadEvent.cases.Started.make({ bucket, key, source: name, size: source.size }))
  const session: UploadSession = {
    client,
    store,
    log,
    key,
    source,
    sourceName: name,
    report,
    onSourceChanged,
    discover: request.discover ?? false,
    options: objectOptions(request),
    partSize: Option.fromUndefinedOr(request.partSize),
    slots: Slots.fixed(request.concurrency ?? defaultConcurrency),
    stallTimeout: Duration.fromInputUnsafe(request.stallTimeout ?? defaultStallTimeout),
    retrying: Attempts.make({
      policy: request.retry ?? RetryPolicy.standard,
      budget: RetryPolicy.sharedBudget,
      onRetry: (retry) => report(retryingEvent(retry))
    }),
    meter: Meter.make(source.size),
    recorded: new Map()
  }
  return session
})

interface UploadSession extends Session {
  /** As asked for. */
  readonly partSize: Option.Option<number>
  readonly onSourceChanged: "restart" | "fail"
  readonly discover: boolean
}

const defaultConcurrency = 5
const defaultStallTimeout = Duration.seconds(30)

/** An upload id with what is still to be done for it. */
interface Upload {
  readonly uploadId: string
  readonly plan: Part.Plan
  readonly tasks: ReadonlyArray<Checkpoint.Task>
  /** False if RAM forbids to list parts, so that the journal alone was believed. */
  readonly listed: boolean
}

/** From what an earlier run left to an object that is proven whole. */
const transfer = Effect.fnUntraced(function* (session: UploadSession) {
  const { source, log, client, key, meter } = session
  const partSize = Option.getOrElse(session.partSize, () => Part.partSizeFor(source.size))
  const earlier = yield* resume(session)
  const store =
    earlier._tag === "Stored"
      ? Effect.succeed(earlier.stored)
      : earlier._tag === "Fresh" && source.size < partSize
        ? Store.put(session)
        : sendInParts(session, partSize, earlier)
  // Where only the callback failed there is nothing left to resume.
  const stored = yield* Effect.tapError(store, callbackFailed(log))
  yield* log.remove
  Meter.finished(meter)
  yield* session.report(UploadEvent.cases.Progress.make(Meter.progress(meter, 0)))
  const result: UploadResult = {
    bucket: client.bucket,
    key,
    size: source.size,
    etag: stored.etag,
    crc64: stored.crc64,
    verified: stored.verified,
    ...Option.match(stored.versionId, {
      onNone: () => ({}),
      onSome: (versionId) => ({ versionId })
    }),
    resumed: meter.resumed,
    sent: meter.onWire
  }
  return result
})

const callbackFailed = (log: CheckpointLog) => (error: UploadError) =>
  error._tag === "OssError" && error.reason._tag === "CallbackFailed" ? log.remove : Effect.void

type Earlier =
  | { readonly _tag: "Fresh" }
  | { readonly _tag: "Stored"; readonly stored: Store.Stored }
  | { readonly _tag: "Open"; readonly upload: Upload }

const fresh: Earlier = { _tag: "Fresh" }

/** Sees what an earlier run left, and gives up what can't be carried on with. */
const resume = Effect.fnUntraced(function* (
  session: UploadSession
): Effect.fn.Return<Earlier, UploadError> {
  if (Option.isNone(session.log.recovered)) {
    return session.discover ? yield* discover(session) : fresh
  }
  const { header, parts } = session.log.recovered.value
  const { size, fingerprint } = session.source
  const options = Checkpoint.digestOptions(session.options)
  const obstacle = Checkpoint.incompatibility(header, {
    size,
    fingerprint,
    options,
    partSize: session.partSize
  })
  if (Option.isSome(obstacle)) {
    if (obstacle.value === "SourceChanged" && session.onSourceChanged === "fail") {
      return yield* Source.changed(session.sourceName, "it is not what an earlier run uploaded")
    }
    yield* UploadId.giveUp(session, header)
    yield* restart(session, obstacle.value)
    return fresh
  }
  if (header.phase._tag === "Initiating") {
    yield* UploadId.giveUp(session, header)
    return fresh
  }
  const plan = yield* Effect.fromResult(Part.plan(size, header.partSize))
  return yield* carryOn(session, header.phase.uploadId, plan, parts).pipe(
    Effect.map((upload): Earlier => ({ _tag: "Open", upload })),
    Effect.catchReason("OssError", "NoSuchUpload", () => afterTheEnd(session, plan, parts))
  )
})

/** Takes over an upload whose checkpoint was lost: from here on there is one again. */
const discover = Effect.fnUntraced(function* (
  session: UploadSession
): Effect.fn.Return<Earlier, UploadError> {
  const found = yield* Discovery.find(session, session.partSize)
  if (Option.isNone(found)) return fresh
  const { uploadId, plan, listed } = found.value
  const phase = Checkpoint.Phase.cases.Uploading.make({ uploadId })
  yield* session.log.begin({ ...(yield* headerOf(session, plan.partSize)), phase })
  const tasks = Checkpoint.reconcile(plan, [], Option.some(listed))
  return { _tag: "Open", upload: { uploadId, plan, tasks, listed: true } }
})

/** Compares the journal with what OSS lists. */
const carryOn = Effect.fnUntraced(function* (
  session: Session,
  uploadId: string,
  plan: Part.Plan,
  recorded: Iterable<Part.UploadedPart>
): Effect.fn.Return<Upload, OssError> {
  const listed = yield* listParts(session, uploadId)
  const tasks = Checkpoint.reconcile(plan, recorded, listed)
  const done = tasks.flatMap((task) => (task._tag === "Done" ? [task.part] : []))
  for (const part of done) session.recorded.set(part.number, part)
  const bytes = Checkpoint.bytesOf(done)
  Meter.resumed(session.meter, bytes)
  yield* session.report(UploadEvent.cases.Resumed.make({ bytes, parts: done.length }))
  return { uploadId, plan, tasks, listed: Option.isSome(listed) }
})

/** OSS doesn't know the upload id: an earlier run completed it and died before it could say so, or it is gone. */
const afterTheEnd = Effect.fnUntraced(function* (
  session: Session,
  plan: Part.Plan,
  recorded: Iterable<Part.UploadedPart>
) {
  const whole = Checkpoint.wholeCrc64(plan, recorded)
  const stored = Option.isSome(whole) ? yield* Store.stored(session, whole.value) : Option.none()
  if (Option.isNone(stored)) {
    yield* restart(session, "UploadGone")
    return fresh
  }
  Meter.resumed(session.meter, plan.size)
  yield* session.report(
    UploadEvent.cases.Resumed.make({ bytes: plan.size, parts: plan.parts.length })
  )
  return { _tag: "Stored", stored: stored.value } satisfies Earlier
})

/**
 * Sends the parts and makes them an object. If OSS forgets the upload id or
 * parts of it on the way, that is mended once.
 */
const sendInParts = Effect.fnUntraced(function* (
  session: UploadSession,
  partSize: number,
  earlier: Exclude<Earlier, { readonly _tag: "Stored" }>
) {
  const first = earlier._tag === "Open" ? earlier.upload : yield* begin(session, partSize)
  const afresh = (reason: Checkpoint.RestartReason) =>
    restart(session, reason).pipe(
      Effect.andThen(begin(session, first.plan.partSize)),
      Effect.flatMap((upload) => finish(session, upload))
    )
  const again = Effect.suspend(() => {
    const recorded = Array.from(session.recorded.values())
    session.recorded.clear()
    Meter.restart(session.meter)
    return carryOn(session, first.uploadId, first.plan, recorded)
  }).pipe(Effect.flatMap((upload) => finish(session, upload)))
  return yield* Effect.catchReasons(finish(session, first), "OssError", {
    NoSuchUpload: () => afresh("UploadGone"),
    InvalidPart: () =>
      first.listed
        ? again
        : Effect.andThen(UploadId.abort(session, first.uploadId), afresh("PartsLost"))
  })
})

/** Gets an upload id; every part is still to be sent. */
const begin = Effect.fnUntraced(function* (
  session: Session,
  partSize: number
): Effect.fn.Return<Upload, UploadError> {
  const plan = yield* Effect.fromResult(Part.plan(session.source.size, partSize))
  const uploadId = yield* UploadId.obtain(session, yield* headerOf(session, partSize))
  const tasks = plan.parts.map((part): Checkpoint.Task => ({ _tag: "Missing", part }))
  return { uploadId, plan, tasks, listed: true }
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
    options: Checkpoint.digestOptions(options),
    createdAt
  }))

/** Sends what is missing, makes sure that the source is still the same, and completes. */
const finish = Effect.fnUntraced(function* (
  session: Session,
  { uploadId, plan, tasks }: Upload
): Effect.fn.Return<Store.Stored, UploadError> {
  const missing = tasks.filter((task) => task._tag !== "Done")
  const { slots } = session
  yield* Effect.forEach(missing, (task) => slots.withSlot(sendPart(session, uploadId, task)), {
    concurrency: slots.most,
    discard: true
  })
  yield* unchanged(session)
  const whole = Checkpoint.wholeCrc64(plan, session.recorded.values())
  yield* session.report(UploadEvent.cases.Completing.make({}))
  return yield* Store.complete(session, uploadId, Option.getOrThrow(whole))
})

/** Reports how far the upload has come, again and again. */
const sample = Effect.fnUntraced(function* (session: Session, every: Duration.Duration) {
  const { meter, report } = session
  let last: Meter.Sample = { at: yield* Clock.currentTimeMillis, sent: 0, rate: 0 }
  while (true) {
    yield* Effect.sleep(every)
    last = Meter.sample(last, yield* Clock.currentTimeMillis, meter.sent - meter.resumed)
    yield* report(UploadEvent.cases.Progress.make(Meter.progress(meter, last.rate)))
  }
})

/** Everything that can be known to be wrong before OSS is asked. */
const validate = <R>(request: UploadRequest<R>): Result.Result<void, InvalidRequest> => {
  const { key, partSize, concurrency = defaultConcurrency } = request
  const stallTimeout = Duration.fromInput(request.stallTimeout ?? defaultStallTimeout)
  return Result.gen(function* () {
    yield* ObjectKey.validate(key)
    if (partSize !== undefined) yield* Part.validatePartSize(partSize)
    if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
      yield* Result.fail(
        new InvalidRequest({
          field: "concurrency",
          problem: `${concurrency} parts at once is not possible`,
          remedy: "give a whole number from 1"
        })
      )
    }
    if (Option.isNone(stallTimeout) || !Duration.isPositive(stallTimeout.value)) {
      yield* Result.fail(
        new InvalidRequest({
          field: "stallTimeout",
          problem: "it is not a time to wait",
          remedy: 'give a positive duration, such as "30 seconds"'
        })
      )
    }
  })
}

const objectOptions = (request: ObjectOptions): ObjectOptions => ({
  mime: request.mime,
  headers: request.headers,
  meta: request.meta,
  storageClass: request.storageClass,
  acl: request.acl,
  tagging: request.tagging,
  serverSideEncryption: request.serverSideEncryption,
  forbidOverwrite: request.forbidOverwrite,
  callback: request.callback
})

const retryingEvent = ({ error, attempt, delay }: Attempts.Retry): UploadEvent => {
  const { operation, partNumber, reason } = error
  const part = partNumber === undefined ? {} : { partNumber }
  return UploadEvent.cases.Retrying.make({ operation, ...part, attempt, delay, reason })
}
