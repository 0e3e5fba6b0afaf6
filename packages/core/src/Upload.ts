/**
 * Uploads that survive: the source goes up in parts, each finished part is
 * recorded in a checkpoint, and the next run carries on from there.
 *
 * The way of the data, top-down, is `run` and `transfer`, at the end: open the
 * source and hold the checkpoint (`open`), see what an earlier run left
 * (`resume`), send what is missing and make it an object (`InParts`, `InOrder`),
 * remove the checkpoint last.
 *
 * Data could be lost where an answer is: each such place is settled by asking
 * OSS what it has, never by guessing.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import * as Option from "effect/Option"
import type { Path } from "effect/Path"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Sink from "effect/Sink"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type * as Checkpoint from "./Checkpoint.ts"
import type { CheckpointError, CheckpointLog } from "./CheckpointStore.ts"
import { CheckpointStore } from "./CheckpointStore.ts"
import * as Defaults from "./internal/defaults.ts"
import * as Directory from "./internal/directory.ts"
import { drain } from "./internal/drain.ts"
import * as Fair from "./internal/fair.ts"
import * as Foreign from "./internal/foreign.ts"
import * as Identical from "./internal/identical.ts"
import * as InOrder from "./internal/inOrder.ts"
import * as InParts from "./internal/inParts.ts"
import { open } from "./internal/open.ts"
import { damaged, logged, sample, seen } from "./internal/outside.ts"
import type { UploadSession } from "./internal/resume.ts"
import { resume } from "./internal/resume.ts"
import * as Slots from "./internal/slots.ts"
import * as Store from "./internal/store.ts"
import * as UploadId from "./internal/uploadId.ts"
import { wholeNumber } from "./internal/validate.ts"
import { OssClient } from "./OssClient.ts"
import type { OssError } from "./OssError.ts"
import * as RetryPolicy from "./RetryPolicy.ts"
import * as Source from "./Source.ts"
import * as UploadAll from "./UploadAll.ts"
import type { InvalidRequest } from "./UploadError.ts"
import type { Progress, UploadResult } from "./UploadEvent.ts"
import { UploadEvent } from "./UploadEvent.ts"
import type { SinkRequest, UploadError, UploadRequest } from "./UploadRequest.ts"

export type { SinkRequest, UploadError, UploadRequest }

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
      const defaults = yield* Defaults.Current
      const own = Fair.make(parts)
      const slots = defaults.slots === undefined ? own : Slots.both(own, defaults.slots)
      const retryBudget =
        defaults.retryBudget ?? (yield* RetryPolicy.budget(RetryPolicy.sharedBudget))
      const one = (request: UploadRequest<E, R>) =>
        run(
          {
            ...request,
            retryBudget: request.retryBudget ?? retryBudget,
            skipIdentical: request.skipIdentical ?? skipIdentical
          },
          { report: () => Effect.void, slots }
        ).pipe(
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
 * Where a stream of bytes goes to become an object. It needs no checkpoints,
 * and can't be resumed: for that, upload a `Source.stream`. If the stream fails
 * nothing is stored, in whole or in part.
 *
 * **Details**
 *
 * As with `Source.stream`, parts are held in memory while they are sent, and
 * grow with their number.
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
  const store = yield* CheckpointStore
  const log = yield* store.open(checkpointKey)
  yield* UploadId.giveUp(
    yield* Defaults.requestsFor({ key: header.key }, store),
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
  readonly slots?: Slots.Share
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

/** From what an earlier run left to an object that is proven whole. */
const transfer = Effect.fnUntraced(function* (session: UploadSession, skipIdentical: boolean) {
  const { source, log } = session
  const identical = skipIdentical ? yield* Identical.find(session) : Option.none()
  if (Option.isSome(identical)) {
    yield* log.remove
    return { ...(yield* Store.finished(session, identical.value)), skipped: true as const }
  }
  const earlier = yield* resume(session)
  const store =
    "read" in source
      ? InParts.send({ ...session, source }, earlier)
      : InOrder.send({ ...session, source }, earlier)
  // Where only the callback failed there is nothing left to resume.
  const stored = yield* Effect.tapError(store, callbackFailed(log))
  yield* log.remove
  return yield* Store.finished(session, stored)
})

const callbackFailed = (log: CheckpointLog) => (error: UploadError) =>
  error._tag === "OssError" && error.reason._tag === "CallbackFailed" ? log.remove : Effect.void
