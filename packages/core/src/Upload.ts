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
import * as Fiber from "effect/Fiber"
import type { FileSystem } from "effect/FileSystem"
import * as Option from "effect/Option"
import type { Path } from "effect/Path"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Sink from "effect/Sink"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Checkpoint from "./Checkpoint.ts"
import type { CheckpointError, CheckpointLog } from "./CheckpointStore.ts"
import { CheckpointStore, layerMemory } from "./CheckpointStore.ts"
import * as AdaptiveSlots from "./internal/adaptiveSlots.ts"
import * as Attempts from "./internal/attempts.ts"
import * as Cutter from "./internal/cutter.ts"
import * as Directory from "./internal/directory.ts"
import * as Fair from "./internal/fair.ts"
import * as Foreign from "./internal/foreign.ts"
import * as Identical from "./internal/identical.ts"
import * as Measure from "./internal/measure.ts"
import * as Meter from "./internal/meter.ts"
import type { Earlier, Upload, UploadSession } from "./internal/resume.ts"
import { begin, carryOn, mayRestart, resume, sizeOf } from "./internal/resume.ts"
import { sendPart } from "./internal/sendPart.ts"
import * as Sequential from "./internal/sequential.ts"
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
import * as UploadAll from "./UploadAll.ts"
import { IntegrityError, InvalidRequest } from "./UploadError.ts"
import type { Progress, UploadResult } from "./UploadEvent.ts"
import { UploadEvent } from "./UploadEvent.ts"

/**
 * What is uploaded, where to, and how.
 *
 * @category models
 * @since 0.1.0
 */
export interface UploadRequest<out E = never, out R = never> extends ObjectOptions {
  /** The object's key: 1 to 1,023 bytes in UTF-8, not beginning with `/` or `\`. */
  readonly key: string
  readonly source: Source.Source<E, R>
  /** In bytes, 100 KiB to 5 GiB. Default: the checkpoint's, else `Part.partSizeFor`: 8 MiB, more for very large sources. A source below it goes up with one request. */
  readonly partSize?: number | undefined
  /** How many parts are on their way at once. Default: 5 or, as long as that is faster, up to 64, and fewer when OSS asks for fewer requests; for streams and URLs 5. */
  readonly concurrency?: number | undefined
  /** How a failed request is sent again. Default: `RetryPolicy.standard`. */
  readonly retry?: RetryPolicy.RetryPolicy | undefined
  /** What retries are paid out of; share one among uploads to limit them together. Default: `RetryPolicy.sharedBudget` retries of this upload's own. */
  readonly retryBudget?: RetryPolicy.Budget | undefined
  /** True: if the object that is stored already has the source's size and CRC64, nothing is sent, whatever its headers and metadata. The source is read for it if the sizes agree. Default: false. */
  readonly skipIdentical?: boolean | undefined
  /** A transfer in which nothing moves for so long is given up, and sent again. Default: 30 seconds. */
  readonly stallTimeout?: Duration.Input | undefined
  /** If the source changed since an earlier run: `restart` afresh, or `fail` and keep that run's parts. Default: `restart`. A source that changes during a run always fails. */
  readonly onSourceChanged?: "restart" | "fail" | undefined
  /** If an earlier run's checkpoint was damaged, or written by a newer version of this library: `fail` with a message that names it, or `restart` afresh without it. What OSS has of that run stays there, to be found by `discover` or deleted by `sweep`. Default: `fail`. */
  readonly onDamagedCheckpoint?: "fail" | "restart" | undefined
  /** True: if there is no checkpoint, look for an upload of this key on the server whose parts are this source's, and carry on with it. For when a checkpoint was lost; must not be used while another process may be sending that upload. Default: false. */
  readonly discover?: boolean | undefined
  /** If there is no checkpoint, carry on with what ali-oss began: `Checkpoint.fromAliOss`. Not for streams. */
  readonly from?: Result.Result<Checkpoint.AliOss, InvalidRequest> | undefined
}

/**
 * All that an upload can fail with, besides what its source fails with.
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
export const upload = <E = never, R = never>(
  request: UploadRequest<E, R>
): Effect.Effect<
  UploadResult,
  UploadError | E,
  OssClient | CheckpointStore | Exclude<R, Scope.Scope>
> => run(request, { report: () => Effect.void })

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
 *   Stream.runForEach(({ durable, total }) =>
 *     Console.log(total === null ? durable : `${Math.floor((100 * durable) / total)} %`)
 *   )
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const events = <E = never, R = never>(
  request: UploadRequest<E, R>
): Stream.Stream<
  UploadEvent,
  UploadError | E,
  OssClient | CheckpointStore | Exclude<R, Scope.Scope>
> =>
  Stream.callback(
    (queue) => {
      const report = (event: UploadEvent) =>
        event._tag === "Progress" && event.durable !== event.total && Queue.sizeUnsafe(queue) > 0
          ? Effect.void
          : Effect.asVoid(Queue.offer(queue, event))
      return run(request, { report, sampling: sampleEvery }).pipe(Queue.into(queue))
    },
    { bufferSize: Number.POSITIVE_INFINITY }
  )

/**
 * An upload with its progress for a user interface to look at: `upload` runs
 * it, as often as it is run, and `progress` holds how far it has come.
 *
 * **Example** (a number on the screen)
 *
 * ```ts
 * import { Source, Upload } from "@effect-oss/core"
 * import { Console, Effect, Stream, SubscriptionRef } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const { upload, progress } = yield* Upload.progress({
 *     key: "backups/db.tar",
 *     source: Source.file("db.tar")
 *   })
 *   yield* SubscriptionRef.changes(progress).pipe(
 *     Stream.runForEach(({ durable }) => Console.log(`${durable} bytes`)),
 *     Effect.forkChild
 *   )
 *   return yield* upload
 * })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const progress = <E = never, R = never>(
  request: UploadRequest<E, R>
): Effect.Effect<{
  readonly upload: Effect.Effect<
    UploadResult,
    UploadError | E,
    OssClient | CheckpointStore | Exclude<R, Scope.Scope>
  >
  /** Sampled five times a second. `total` is null before the source is open. */
  readonly progress: SubscriptionRef.SubscriptionRef<Progress>
}> =>
  Effect.map(SubscriptionRef.make<Progress>(noProgress), (progress) => {
    const report = (event: UploadEvent) =>
      event._tag === "Progress" ? SubscriptionRef.set(progress, progressOf(event)) : Effect.void
    return { upload: run(request, { report, sampling: sampleEvery }), progress }
  })

const noProgress: Progress = { durable: 0, sent: 0, total: null, rate: 0, eta: null }

const progressOf = ({ _tag: _, ...progress }: Extract<UploadEvent, { _tag: "Progress" }>) =>
  progress

/**
 * Uploads many, and tells what becomes of each, in the order in which they end.
 * One failure doesn't stop the others, unless `onFailure` is `stop`: then it is
 * the stream's failure, and the others are interrupted, resumable.
 *
 * **Details**
 *
 * All uploads share one number of parts in flight. A slot that becomes free
 * goes to the next upload in turn, so that a small one waits for one part of
 * each other one at most; a request's own `concurrency` limits it further. They
 * also share one budget of retries, unless a request brings its own.
 *
 * Requests are taken as uploads end and outcomes are read, so that memory stays
 * the same however many there are. If the stream of requests fails, what is
 * under way is finished first. If the stream of outcomes is interrupted, or not
 * read to its end, so are the uploads under way, which can be resumed; with
 * `skipIdentical`, a second run passes over what the first one finished.
 *
 * **Gotchas**
 *
 * The same source to the same key twice at a time: the second fails with reason
 * `Busy`.
 *
 * **Example** (a directory)
 *
 * ```ts
 * import { Upload } from "@effect-oss/core"
 * import { Console, Stream } from "effect"
 *
 * const program = Upload.uploadAll(Upload.directory("public", "site"), {
 *   skipIdentical: true
 * }).pipe(Stream.runForEach(({ _tag, request }) => Console.log(_tag, request.key)))
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export function uploadAll<E, R, E2, R2>(
  requests: Stream.Stream<UploadRequest<E, R>, E2, R2>,
  options?: UploadAll.Options & { readonly onFailure?: "continue" | undefined }
): Stream.Stream<
  UploadAll.Outcome<UploadRequest<E, R>, UploadError | E>,
  InvalidRequest | E2,
  OssClient | CheckpointStore | Exclude<R, Scope.Scope> | R2
>
export function uploadAll<E, R, E2, R2>(
  requests: Stream.Stream<UploadRequest<E, R>, E2, R2>,
  options: UploadAll.Options & { readonly onFailure: "stop" }
): Stream.Stream<
  UploadAll.Uploaded<UploadRequest<E, R>> | UploadAll.Skipped<UploadRequest<E, R>>,
  UploadError | E | E2,
  OssClient | CheckpointStore | Exclude<R, Scope.Scope> | R2
>
export function uploadAll<E, R, E2, R2>(
  requests: Stream.Stream<UploadRequest<E, R>, E2, R2>,
  options: UploadAll.Options & { readonly onFailure?: "continue" | "stop" | undefined } = {}
): Stream.Stream<
  UploadAll.Outcome<UploadRequest<E, R>, UploadError | E>,
  UploadError | E | E2,
  OssClient | CheckpointStore | Exclude<R, Scope.Scope> | R2
> {
  const { concurrency = 20, parts = 10, onFailure = "continue", skipIdentical } = options
  return Stream.unwrap(
    Effect.gen(function* () {
      yield* Effect.fromResult(wholeNumber("concurrency", concurrency))
      yield* Effect.fromResult(wholeNumber("parts", parts))
      const slots = Fair.make(parts)
      const retryBudget = yield* RetryPolicy.budget(RetryPolicy.sharedBudget)
      const one = (request: UploadRequest<E, R>) =>
        run({ retryBudget, skipIdentical, ...request }, { report: () => Effect.void, slots }).pipe(
          Effect.map((result) => UploadAll.succeeded(request, result)),
          Effect.catch((error) =>
            onFailure === "stop"
              ? Effect.fail(error)
              : Effect.succeed(UploadAll.failed(request, error))
          )
        )
      return Stream.mapEffect(requests, one, { concurrency, unordered: true })
    })
  )
}

/**
 * A request for each file below a directory: its key is `prefix`, a slash, and
 * the file's path from the directory on, with slashes. Further options of a
 * request are added with `Stream.map`.
 *
 * **Details**
 *
 * Files come sorted within each directory, one list of names in memory a level.
 * Patterns are those of Effect's `Glob`, for the path from the directory on;
 * what `exclude` matches is left out, a directory with all that is in it.
 *
 * - Hidden files are files like others.
 * - A symbolic link to a file is uploaded as that file. One to a directory is
 *   not followed: it becomes a request that fails with `SourceNotAFile`.
 * - So do pipes, sockets and devices; broken links fail with `SourceNotFound`.
 * - A directory that can't be listed becomes a request that fails with
 *   `SourceUnreadable`. Only if this is so of `path` itself, the stream fails.
 * - A name that can't be part of a key becomes a request that fails with
 *   `InvalidRequest`.
 *
 * So nothing is left out silently, and what fails is told by `uploadAll`.
 *
 * **Example** (everything but caches)
 *
 * ```ts
 * import { Upload } from "@effect-oss/core"
 * import { Stream } from "effect"
 *
 * const requests = Upload.directory("photos", "backups/photos", {
 *   include: ["**\/*.{jpg,png}"],
 *   exclude: ["**\/.cache"]
 * }).pipe(Stream.map((request) => ({ ...request, storageClass: "IA" as const })))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const directory = (
  path: string,
  prefix: string,
  options: {
    /** Default: every file. */
    readonly include?: ReadonlyArray<string> | undefined
    /** Default: nothing. */
    readonly exclude?: ReadonlyArray<string> | undefined
  } = {}
): Stream.Stream<UploadRequest<never, FileSystem>, Source.SourceError, FileSystem | Path> => {
  const { include = ["**"], exclude = [] } = options
  const parent = prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`
  return Directory.walk(path, { include, exclude }).pipe(
    Stream.map(({ name, path, unlistable }) => ({
      key: `${parent}${name}`,
      source:
        unlistable === undefined ? Source.file(path) : { name: path, open: Effect.fail(unlistable) }
    }))
  )
}

/**
 * How bytes of unknown length become an object.
 *
 * @category models
 * @since 0.1.0
 */
export interface SinkRequest extends Omit<
  UploadRequest,
  "source" | "onSourceChanged" | "onDamagedCheckpoint" | "discover" | "from" | "skipIdentical"
> {
  /** What becomes of the parts if the stream fails, the upload fails, or it is interrupted: `abort` deletes them, `keep` leaves them to a later run or a lifecycle rule. Default: `abort`. */
  readonly onFailure?: "abort" | "keep" | undefined
}

/**
 * Where a stream of bytes goes to become an object. It needs no checkpoints,
 * and can't be resumed: for that, upload a `Source.stream`. If the stream fails
 * nothing is stored, in whole or in part.
 *
 * **Details**
 *
 * As with `Source.stream`, parts are held in memory while they are sent, at
 * most one more than `concurrency`, and grow with their number.
 *
 * **Example** (a table as lines of JSON)
 *
 * ```ts
 * import { Upload } from "@effect-oss/core"
 * import { Stream } from "effect"
 *
 * const rows = Stream.make({ id: 1 }, { id: 2 })
 * const result = rows.pipe(
 *   Stream.map((row) => `${JSON.stringify(row)}\n`),
 *   Stream.encodeText,
 *   Stream.run(Upload.sink({ key: "exports/rows.jsonl" }))
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const sink = (
  request: SinkRequest
): Sink.Sink<UploadResult, Uint8Array, never, UploadError, OssClient> =>
  Sink.make<Uint8Array>()((bytes) => drain(request, bytes))

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
    budget: RetryPolicy.budgetUnsafe(RetryPolicy.sharedBudget),
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

interface RunOptions {
  readonly report: (event: UploadEvent) => Effect.Effect<void>
  /** How often `Progress` is reported. Default: at the end only. */
  readonly sampling?: Duration.Duration
  /** Gives an upload the slots for so many parts at once. Default: they are its own. */
  readonly slots?: (most: number) => Slots.Slots
}

/** Opens what an upload holds until its end, and runs it. */
const run = <E, R>(request: UploadRequest<E, R>, { report: tell, sampling, slots }: RunOptions) => {
  const { key, skipIdentical = false } = request
  const report = (event: UploadEvent) => Effect.andThen(logged(event), tell(event))
  const foreign = Foreign.make<E>(request.source.name)
  return open(request, foreign, report, slots).pipe(
    Effect.tap((session) =>
      sampling === undefined ? Effect.void : Effect.forkScoped(sample(session, sampling))
    ),
    Effect.flatMap((session) => transfer(session, skipIdentical)),
    damaged(key),
    Effect.mapError(foreign.restore),
    Effect.scoped,
    Effect.tap((result) => report(UploadEvent.cases.Completed.make({ result }))),
    seen("Upload.upload", key)
  )
}

/** What happens to an upload, at level Debug, with where it goes as annotations. */
const logged = (event: UploadEvent): Effect.Effect<void> => {
  if (event._tag === "Progress") return Effect.void
  const { _tag, ...details } = event
  return Effect.logDebug(_tag, details)
}

/** How an upload shows from outside: as a span, in logs, and in the count of uploads. */
const seen =
  (name: string, key: string) =>
  <E, R>(self: Effect.Effect<UploadResult, E, R>) =>
    OssClient.use(({ bucket }) => {
      const attributes = { "oss.bucket": bucket, "oss.key": key }
      return self.pipe(
        Effect.tap(({ size, resumed, sent }) =>
          Effect.annotateCurrentSpan({
            "oss.size": size,
            "oss.resumed_bytes": resumed,
            "oss.sent_bytes": sent
          })
        ),
        Effect.onExit((exit) => Measure.ended(bucket, exit)),
        Effect.annotateLogs(attributes),
        Effect.withSpan(name, { attributes })
      )
    })

const damaged =
  (key: string) =>
  <A, E, R>(self: Effect.Effect<A, E | OssError, R>) =>
    Effect.catchReason(
      self,
      "OssError",
      "ChecksumMismatch",
      ({ expected, actual }, { partNumber }) =>
        Effect.fail(
          new IntegrityError({
            key,
            ...(partNumber === undefined ? {} : { partNumber }),
            expected,
            actual
          })
        )
    )

/** Makes an object of a stream that can be run only once. */
const drain = (request: SinkRequest, bytes: Stream.Stream<Uint8Array>) => {
  const { key, onFailure = "abort" } = request
  const name = `a stream to ${key}`
  // A sink is run by its stream's fiber: what the stream fails with comes by here.
  const foreign = Foreign.make<never>(name)
  const source = {
    id: name,
    size: Option.none<number>(),
    fingerprint: "",
    bytes: Stream.mapError(bytes, foreign.hide)
  }
  return Effect.gen(function* () {
    const opened = yield* open(
      { ...request, source: { name, open: Effect.succeed(source) } },
      foreign,
      () => Effect.void,
      Slots.fixed
    )
    const { session, leftBehind } = observed({ ...opened, source })
    const wanted = Option.getOrElse(session.partSize, () => Part.defaultPartSize)
    const stored = yield* readOnce(session, wanted, Option.none(), () => undefined).pipe(
      Effect.onError(() => (onFailure === "abort" ? leftBehind : Effect.void))
    )
    return yield* finished(session, stored)
  }).pipe(
    Effect.catchTag("Diverged", Effect.die),
    damaged(key),
    Effect.mapError(foreign.restore),
    Effect.scoped,
    Effect.provide(layerMemory, { local: true }),
    seen("Upload.sink", key)
  )
}

/** Keeps an eye on what there is to be given up in the end. */
const observed = <S>(session: UploadSession<S>) => {
  let header = Option.none<Checkpoint.Header>()
  const begin: CheckpointLog["begin"] = (next) =>
    Effect.tap(session.log.begin(next), () =>
      Effect.sync(() => {
        header = Option.some(next)
      })
    )
  const remove = Effect.tap(session.log.remove, () =>
    Effect.sync(() => {
      header = Option.none()
    })
  )
  const giveUp = Effect.suspend(() =>
    Option.match(header, {
      onNone: () => Effect.void,
      onSome: (header) => UploadId.giveUp(session, header)
    })
  ).pipe(
    Effect.timeout(session.stallTimeout),
    Effect.catch((error) => Effect.logWarning("a failed upload stays on the server", error))
  )
  return {
    session: { ...session, log: { ...session.log, begin, remove } },
    // On a fiber of its own: this one may be interrupted already, so that no time limit would hold.
    leftBehind: Effect.flatMap(Effect.forkDetach(giveUp), Fiber.await)
  }
}

/** Checks the request, opens the source and takes the checkpoint. */
const open = Effect.fnUntraced(function* <E, R>(
  request: UploadRequest<E, R>,
  foreign: Foreign.Foreign<E>,
  report: (event: UploadEvent) => Effect.Effect<void>,
  slots: ((most: number) => Slots.Slots) | undefined
) {
  const from = yield* Effect.fromResult(validate(request))
  const { key, onSourceChanged = "restart", onDamagedCheckpoint = "fail" } = request
  const client = yield* OssClient
  const store = yield* CheckpointStore
  const opened = yield* Effect.mapError(request.source.open, foreign.hide)
  const source = Foreign.within(opened, foreign)
  const size = sizeOf(source)
  if (size !== null) yield* Effect.fromResult(Part.validateSize(size))
  const { endpoint, bucket } = client
  const checkpointKey = Checkpoint.keyOf({ endpoint, bucket, key, sourceId: source.id })
  const isAbsent =
    goesAtOnce(request, source) && store.has !== undefined
      ? Effect.map(store.has(checkpointKey), (has) => !has)
      : Effect.succeed(false)
  const log = (yield* isAbsent)
    ? nothing
    : yield* store.open(checkpointKey, {
        onUnreadable: onDamagedCheckpoint === "restart" ? "discard" : "fail"
      })
  const { name } = request.source
  yield* report(UploadEvent.cases.Started.make({ bucket, key, source: name, size }))
  const meter = Meter.make(size)
  const partSlots = yield* slotsFor(request.concurrency, slots, source, meter)
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
    from,
    options: objectOptions(request),
    partSize: Option.fromUndefinedOr(request.partSize),
    slots: partSlots,
    stallTimeout: Duration.fromInputUnsafe(request.stallTimeout ?? defaultStallTimeout),
    retrying: Attempts.make({
      policy: request.retry ?? RetryPolicy.standard,
      budget: request.retryBudget ?? RetryPolicy.budgetUnsafe(RetryPolicy.sharedBudget),
      onRetry: (retry) => {
        if (retry.error.reason._tag === "Throttled") partSlots.throttled()
        return report(retryingEvent(retry))
      }
    }),
    meter,
    recorded: new Map()
  }
  return session
})

/** With one request, so that nothing is ever recorded. */
const goesAtOnce = (
  { partSize, discover, from }: Pick<UploadRequest, "partSize" | "discover" | "from">,
  source: Source.Opened | Source.Sequence
): boolean =>
  "read" in source &&
  source.size < (partSize ?? Part.partSizeFor(source.size)) &&
  discover !== true &&
  from === undefined

/** The log of what records nothing. */
const nothing: CheckpointLog = {
  recovered: Option.none(),
  begin: () => Effect.die(new Error("begin without a checkpoint")),
  append: () => Effect.die(new Error("append without a checkpoint")),
  remove: Effect.void
}

/** What nobody has fixed adapts. What is read in order, or in large blocks, takes the memory of one for each slot: few. */
const slotsFor = (
  concurrency: number | undefined,
  given: ((most: number) => Slots.Slots) | undefined,
  source: Source.Opened | Source.Sequence,
  meter: Meter.Meter
): Effect.Effect<Slots.Slots, never, Scope.Scope> => {
  if (concurrency !== undefined || !isCheap(source)) {
    return Effect.succeed((given ?? Slots.fixed)(concurrency ?? defaultConcurrency))
  }
  return given === undefined
    ? AdaptiveSlots.make(meter)
    : Effect.succeed(given(Number.POSITIVE_INFINITY))
}

const isCheap = (source: Source.Opened | Source.Sequence): boolean =>
  "read" in source && source.block === undefined

const defaultConcurrency = 5
const defaultStallTimeout = Duration.seconds(30)

/** From what an earlier run left to an object that is proven whole. */
const transfer = Effect.fnUntraced(function* (session: UploadSession, skipIdentical: boolean) {
  const { source, log } = session
  const identical = skipIdentical ? yield* Identical.find(session) : Option.none()
  if (Option.isSome(identical)) {
    yield* log.remove
    return { ...(yield* finished(session, identical.value)), skipped: true as const }
  }
  const earlier = yield* resume(session)
  const store =
    "read" in source
      ? storeAtAnyPlace({ ...session, source }, earlier)
      : storeInOrder({ ...session, source }, earlier)
  // Where only the callback failed there is nothing left to resume.
  const stored = yield* Effect.tapError(store, callbackFailed(log))
  yield* log.remove
  return yield* finished(session, stored)
})

const finished = Effect.fnUntraced(function* (session: Session, stored: Store.Stored) {
  const { client, key, meter } = session
  Meter.finished(meter, stored.size)
  yield* session.report(UploadEvent.cases.Progress.make(Meter.progress(meter, 0)))
  const result: UploadResult = {
    bucket: client.bucket,
    key,
    size: stored.size,
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

/** What can be read at any place goes up with one request if it is small, else in parts side by side. */
const storeAtAnyPlace = (
  session: UploadSession<Source.Opened>,
  earlier: Earlier
): Effect.Effect<Store.Stored, UploadError> => {
  const { size } = session.source
  const partSize = Option.getOrElse(session.partSize, () => Part.partSizeFor(size))
  switch (earlier._tag) {
    case "Stored":
      return Effect.succeed(earlier.stored)
    case "Open":
      return sendInParts(session, earlier.upload)
    case "Fresh":
      return size < partSize
        ? Store.put(session)
        : Effect.flatMap(begin(session, partSize), (upload) => sendInParts(session, upload))
  }
}

/**
 * Sends the parts and makes them an object. If OSS forgets the upload id or
 * parts of it on the way, that is mended once.
 */
const sendInParts = (
  session: UploadSession<Source.Opened>,
  first: Upload
): Effect.Effect<Store.Stored, UploadError> => {
  const afresh = (reason: Checkpoint.RestartReason) =>
    restart(session, reason).pipe(
      Effect.andThen(begin(session, first.partSize)),
      Effect.flatMap((upload) => finish(session, upload))
    )
  return mended(session, finish(session, first), {
    upload: () => Option.some(first),
    again: (upload) => finish(session, upload),
    afresh
  })
}

interface Mending<A> {
  /** The one that the transfer was for, as far as it came. */
  readonly upload: () => Option.Option<Upload>
  readonly again: (upload: Upload) => Effect.Effect<A, UploadError>
  readonly afresh: (reason: Checkpoint.RestartReason) => Effect.Effect<A, UploadError>
}

/** Runs a transfer; if OSS has forgotten the upload id or parts of it, that is mended once. */
const mended = <A>(
  session: UploadSession,
  transfer: Effect.Effect<A, UploadError>,
  { upload, again, afresh }: Mending<A>
): Effect.Effect<A, UploadError> => {
  const partsLost = (upload: Upload) =>
    Option.isNone(upload.listed)
      ? Effect.andThen(UploadId.abort(session, upload.uploadId), afresh("PartsLost"))
      : Effect.flatMap(lookAgain(session, upload), again)
  return Effect.catchReasons(transfer, "OssError", {
    NoSuchUpload: () => afresh("UploadGone"),
    InvalidPart: (_, error) =>
      Option.match(upload(), { onNone: () => Effect.fail(error), onSome: partsLost })
  })
}
/** What was acknowledged and is gone is to be sent again. */
const lookAgain = (session: Session, upload: Upload) =>
  Effect.suspend(() => {
    const recorded = Array.from(session.recorded.values())
    session.recorded.clear()
    Meter.restart(session.meter)
    return carryOn(session, { ...upload, recorded })
  })

/** Sends what is missing, makes sure that the source is still the same, and completes. */
const finish = Effect.fnUntraced(function* (
  session: Session<Source.Opened>,
  { uploadId, tasks }: Upload
): Effect.fn.Return<Store.Stored, UploadError> {
  const { slots, source } = session
  const missing = tasks.filter((task) => task._tag !== "Done")
  const send = (task: (typeof missing)[number]) =>
    sendPart(session, uploadId, task, Source.slice(source, task.part.offset, task.part.size))
  yield* Effect.forEach(missing, (task) => slots.withSlot(send(task)), {
    concurrency: slots.most,
    discard: true
  })
  yield* unchanged(session)
  return yield* complete(
    session,
    uploadId,
    tasks.map(({ part }) => part)
  )
}, identified)

/** Says in the span and in logs which upload it is. */
function identified<A, E, R>(
  self: Effect.Effect<A, E, R>,
  _session: Session,
  { uploadId }: Pick<Upload, "uploadId">
): Effect.Effect<A, E, R> {
  const attributes = { "oss.upload_id": uploadId }
  return Effect.andThen(
    Effect.annotateCurrentSpan(attributes),
    Effect.annotateLogs(self, attributes)
  )
}

/** Makes the object of these parts, all of which are durable. */
const complete = Effect.fnUntraced(function* (
  session: Session,
  uploadId: string,
  parts: ReadonlyArray<Part.Part>
) {
  const crc64 = Option.getOrThrow(Checkpoint.wholeCrc64({ parts }, session.recorded.values()))
  yield* session.report(UploadEvent.cases.Completing.make({}))
  return yield* Store.complete(session, uploadId, { size: Checkpoint.bytesOf(parts), crc64 })
})

/** A sequence is read once, from the start; only if it turns out to be another is it sent afresh. */
const storeInOrder = Effect.fnUntraced(function* (
  session: UploadSession<Source.Sequence>,
  earlier: Earlier
): Effect.fn.Return<Store.Stored, UploadError> {
  const { source } = session
  const wanted = Option.getOrElse(session.partSize, () =>
    Option.match(source.size, { onNone: () => Part.defaultPartSize, onSome: Part.partSizeFor })
  )
  let upload = earlier._tag === "Open" ? Option.some(earlier.upload) : Option.none()
  const obtained = (obtained: Upload) => {
    upload = Option.some(obtained)
  }
  const pass = Effect.suspend(() => readOnce(session, wanted, upload, obtained)).pipe(
    Effect.catchTag("Diverged", (diverged) => Effect.succeed(diverged))
  )
  const afresh = (reason: Checkpoint.RestartReason) =>
    Effect.suspend(() => {
      upload = Option.none()
      return Effect.andThen(restart(session, reason), pass)
    })
  const again = (upload: Upload) =>
    Effect.suspend(() => {
      obtained(upload)
      return pass
    })
  const first =
    earlier._tag === "Stored"
      ? comparison(session, earlier)
      : mended(session, pass, { upload: () => upload, again, afresh })
  const outcome = yield* first
  if (!(outcome instanceof Sequential.Diverged)) return outcome
  yield* mayRestart(session)
  if (Option.isSome(upload)) yield* UploadId.abort(session, upload.value.uploadId)
  const second = yield* afresh("SourceChanged")
  return second instanceof Sequential.Diverged
    ? yield* Source.changed(session.sourceName, second.description)
    : second
})

/** Reads a sequence from the start to the end, and sends what is missing of it. */
const readOnce = Effect.fnUntraced(function* (
  session: Session<Source.Sequence>,
  wanted: number,
  earlier: Option.Option<Upload>,
  obtained: (upload: Upload) => void
): Effect.fn.Return<Store.Stored, UploadError | Sequential.Diverged, Scope.Scope> {
  const partSize = Option.match(earlier, {
    onNone: () => wanted,
    onSome: ({ partSize }) => partSize
  })
  const cutter = yield* cutterOf(session, partSize)
  const first = yield* cutter.next
  const bytes = Option.match(first, {
    onNone: () => new Uint8Array(0),
    onSome: ({ bytes }) => bytes
  })
  if (Option.isNone(earlier) && bytes.length < partSize) {
    return yield* Store.put({ ...session, source: Sequential.held(session.source.id, bytes) })
  }
  const upload = Option.isSome(earlier) ? earlier.value : yield* begin(session, partSize)
  obtained(upload)
  return yield* sendInOrder(session, upload, cutter, first)
}, Effect.scoped)

const sendInOrder = Effect.fnUntraced(function* (
  session: Session<Source.Sequence>,
  upload: Upload,
  cutter: Cutter.Cutter,
  first: Option.Option<Cutter.Cut>
): Effect.fn.Return<Store.Stored, UploadError | Sequential.Diverged> {
  const parts = yield* Sequential.send(session, upload, cutter, first)
  if (parts.length === 0) return yield* new Sequential.Diverged({ description: "it is empty" })
  return yield* complete(session, upload.uploadId, parts)
}, identified)

/** The object is there, if it was made of this very sequence. */
const comparison = Effect.fnUntraced(
  function* (
    session: Session<Source.Sequence>,
    { partSize, recorded, stored }: Extract<Earlier, { readonly _tag: "Stored" }>
  ) {
    yield* Sequential.compareAll(yield* cutterOf(session, partSize), recorded)
    return stored
  },
  Effect.catchTag("Diverged", (diverged) => Effect.succeed(diverged)),
  Effect.scoped
)

const cutterOf = ({ source, sourceName, slots }: Session<Source.Sequence>, partSize: number) =>
  Cutter.make({ source, sourceName, partSize, buffers: slots.most + 1 })

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
const validate = (
  request: UploadRequest<unknown, unknown>
): Result.Result<Option.Option<Checkpoint.AliOss>, InvalidRequest> => {
  const { key, partSize, concurrency = defaultConcurrency } = request
  const stallTimeout = Duration.fromInput(request.stallTimeout ?? defaultStallTimeout)
  return Result.gen(function* () {
    yield* ObjectKey.validate(key)
    if (partSize !== undefined) yield* Part.validatePartSize(partSize)
    yield* wholeNumber("concurrency", concurrency)
    if (Option.isNone(stallTimeout) || !Duration.isPositive(stallTimeout.value)) {
      yield* Result.fail(
        new InvalidRequest({
          field: "stallTimeout",
          problem: "it is not a time to wait",
          remedy: 'give a positive duration, such as "30 seconds"'
        })
      )
    }
    const from = yield* Result.transposeOption(Option.fromUndefinedOr(request.from))
    if (Option.isSome(from) && from.value.name !== key) {
      yield* Result.fail(
        new InvalidRequest({
          field: "from",
          problem: `it is of an upload to ${from.value.name}`,
          remedy: "give that key, or leave it out"
        })
      )
    }
    return from
  })
}

const wholeNumber = (field: string, value: number): Result.Result<void, InvalidRequest> =>
  Number.isSafeInteger(value) && value >= 1
    ? Result.void
    : Result.fail(
        new InvalidRequest({
          field,
          problem: `${value} at once is not possible`,
          remedy: "give a whole number from 1"
        })
      )

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
