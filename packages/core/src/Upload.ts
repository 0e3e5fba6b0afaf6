/**
 * Resumable uploads. The source is sent in parts. Each finished part is recorded
 * in a checkpoint, and the next run resumes from there.
 *
 * `internal/upload/run.ts` shows the steps of an upload.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Sink from "effect/Sink"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type * as Checkpoint from "./Checkpoint.ts"
import { keyOf } from "./Checkpoint.ts"
import type { CheckpointError } from "./CheckpointStore.ts"
import { CheckpointStore } from "./CheckpointStore.ts"
import * as Defaults from "./internal/upload/defaults.ts"
import * as Initiate from "./internal/upload/initiate.ts"
import { uploadsIn } from "./internal/upload/listing.ts"
import { unwatched } from "./internal/upload/observability.ts"
import { run, sampleEvery } from "./internal/upload/run.ts"
import * as UploadSink from "./internal/upload/sink.ts"
import { OssClient } from "./OssClient.ts"
import type { OssError } from "./OssError.ts"
import type { ListedUpload } from "./OssModel.ts"
import type { Progress, UploadResult } from "./UploadEvent.ts"
import { UploadEvent } from "./UploadEvent.ts"
import type { SinkRequest, UploadError, UploadRequest } from "./UploadRequest.ts"

export type * from "./UploadRequest.ts"

/**
 * Uploads a source, or resumes the upload that an earlier run left. Run it again
 * after an error, an interruption or a crash to resume. When an interruption
 * returns, no request is under way, and the checkpoint holds every part that OSS
 * acknowledged.
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
> => run(request, { report: unwatched })

/**
 * The same upload as a stream of its events. The stream ends with `Completed`,
 * or fails as `upload` does. If you end or interrupt the stream, the upload is
 * interrupted. A slow consumer doesn't slow the upload: it misses samples of
 * `Progress`, and nothing else.
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
 * Runs a stream of `events` to its end and returns the result in `Completed`.
 * Use it to watch the events and then get the result of `upload`.
 *
 * **Gotchas**
 *
 * Keep `Completed` in the stream. If a filter drops it, there is no result, and
 * the effect dies with a defect.
 *
 * **Example** (each sample of the progress, then the result)
 *
 * ```ts
 * import { Source, Upload } from "@effect-oss/core"
 * import { Console, Stream } from "effect"
 *
 * const program = Upload.events({ key: "backups/db.tar", source: Source.file("db.tar") }).pipe(
 *   Stream.tap((event) => (event._tag === "Progress" ? Console.log(event.durable) : Console.log())),
 *   Upload.result
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const result = <E, R>(
  events: Stream.Stream<UploadEvent, E, R>
): Effect.Effect<UploadResult, E, R> =>
  Effect.flatMap(Stream.runLast(events), (last) =>
    Option.isSome(last) && last.value._tag === "Completed"
      ? Effect.succeed(last.value.result)
      : Effect.die(new Error("Upload.result: the events end without Completed; leave it in"))
  )

/**
 * An upload and its progress, for a user interface. Each run of `upload` runs
 * the upload. `progress` holds the current progress.
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
 * A sink that stores a stream of bytes as an object. It needs no checkpoint
 * store, and it can't be resumed: to resume, upload a `Source.stream`. If the
 * stream fails, nothing is stored.
 *
 * **Details**
 *
 * As with `Source.stream`, parts are held in memory while they are sent, and
 * grow with their number.
 *
 * **Gotchas**
 *
 * The object is complete when the stream ends. So the stream has to fail if its
 * producer fails. The standard output of a child process doesn't: it also ends
 * normally when the process fails half-way. Upload it with `Source.command`,
 * which checks the exit code.
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
  Sink.make<Uint8Array>()((bytes) => UploadSink.sink(request, bytes))

/**
 * Lists every upload in the checkpoint store that can be resumed.
 *
 * @category running
 * @since 0.1.0
 */
export const pending: Stream.Stream<Checkpoint.Summary, CheckpointError, CheckpointStore> =
  Stream.unwrap(Effect.map(CheckpointStore, (store) => store.list))

/**
 * Gives up the unfinished uploads of one key: aborts each of them on the server,
 * then removes its checkpoint. Fails with reason `Busy` if one of them is
 * running: interrupt it first. Succeeds if OSS no longer knows the upload.
 * Returns the uploads that were given up.
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
  const { endpoint, bucket } = yield* OssClient
  const store = yield* CheckpointStore
  const summaries = yield* store.listObject({ endpoint, bucket, key }).pipe(
    Stream.filter(({ header }) => sourceId === undefined || header.sourceId === sourceId),
    Stream.runCollect
  )
  yield* Effect.forEach(summaries, giveUp, { discard: true })
  return summaries
})

/**
 * Gives up unfinished uploads to the client's bucket that began `olderThan` ago
 * or earlier. It skips uploads that are running. It doesn't touch uploads on the
 * server that have no checkpoint in this store: see `sweepOrphans`. Returns the
 * uploads that were given up, or with `dryRun` those that would be.
 *
 * It also removes receipts that are as old. A receipt is left when a run
 * completes its object and ends before it can report that. The objects stay.
 *
 * @category running
 * @since 0.1.0
 */
export const sweep: (options: {
  readonly olderThan: Duration.Input
  /** True: gives up nothing, and returns the uploads that are old enough. Default: false. */
  readonly dryRun?: boolean | undefined
}) => Effect.Effect<
  ReadonlyArray<Checkpoint.Summary>,
  OssError | CheckpointError,
  OssClient | CheckpointStore
> = Effect.fn("Upload.sweep")(function* ({ olderThan, dryRun = false }) {
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
  yield* forgetReceipts(latest)
  return given.flat()
})

/** Removes receipts of uploads to the client's bucket that completed by `latest`. */
const forgetReceipts = Effect.fnUntraced(function* (latest: number) {
  const { endpoint, bucket } = yield* OssClient
  const store = yield* CheckpointStore
  const old = yield* store.listFinished.pipe(
    Stream.filter(({ header }) => header.endpoint === endpoint && header.bucket === bucket),
    Stream.filter(({ receipt }) => receipt.completedAt <= latest),
    Stream.runCollect
  )
  const forget = Effect.fnUntraced(function* ({ header }: Checkpoint.Finished) {
    const log = yield* store.open(keyOf(header))
    // Another upload may have begun since.
    const isThere = Option.exists(log.finished, ({ receipt }) => receipt.completedAt <= latest)
    if (isThere) yield* log.remove
  }, Effect.scoped)
  yield* Effect.forEach(
    old,
    (finished) =>
      Effect.catchReason(forget(finished), "CheckpointError", "Busy", () => Effect.void),
    { discard: true }
  )
})

/**
 * Aborts uploads on the server that have no checkpoint in this store and began
 * `olderThan` ago or earlier by the server's clock. Such an upload is left when
 * the response to Initiate is lost, or when a checkpoint is lost.
 *
 * **Gotchas**
 *
 * Uploads of other programs, machines and stores look the same. Make `olderThan`
 * longer than any of them takes, and give a `prefix` if you share the bucket.
 * Returns the uploads that were aborted, or with `dryRun` those that would be.
 *
 * @category running
 * @since 0.1.0
 */
export const sweepOrphans: (options: {
  readonly olderThan: Duration.Input
  /** What the keys begin with. Default: every key of the bucket. */
  readonly prefix?: string | undefined
  /** True: aborts nothing, and returns the uploads that are old enough. Default: false. */
  readonly dryRun?: boolean | undefined
}) => Effect.Effect<
  ReadonlyArray<ListedUpload>,
  OssError | CheckpointError,
  OssClient | CheckpointStore
> = Effect.fn("Upload.sweepOrphans")(function* ({ olderThan, prefix, dryRun = false }) {
  const age = Duration.toMillis(Duration.fromInputUnsafe(olderThan))
  const held = new Set((yield* own(() => true)).map(({ header }) => header.uploadId))
  const requests = yield* Defaults.requestsFor({ key: prefix ?? "" })
  const old = yield* uploadsIn(requests, prefix).pipe(
    Stream.filter(({ initiated, serverTime }) => serverTime - initiated >= age),
    Stream.filter(({ uploadId }) => !held.has(uploadId)),
    Stream.map(({ serverTime: _, ...upload }): ListedUpload => upload),
    Stream.runCollect
  )
  if (!dryRun) {
    for (const { key, uploadId } of old) yield* Initiate.abort({ ...requests, key }, uploadId)
  }
  return old
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
  // The listed upload may have restarted or ended since then.
  const { uploadId } = Option.match(log.recovered, {
    onNone: () => header,
    onSome: (checkpoint) => checkpoint.header
  })
  yield* Initiate.abort(yield* Defaults.requestsFor({ key: header.key }), uploadId)
  yield* log.remove
}, Effect.scoped)
