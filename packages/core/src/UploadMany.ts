/**
 * Many uploads at once: what happens to each, or only what becomes of it, in
 * the order in which it happens.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import type { Path } from "effect/Path"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { CheckpointStore } from "./CheckpointStore.ts"
import * as Directory from "./internal/upload/directory.ts"
import * as Many from "./internal/upload/many.ts"
import * as Monotonic from "./internal/monotonic.ts"
import * as Meter from "./internal/upload/progress.ts"
import { sampleEvery } from "./internal/upload/run.ts"
import { Tally } from "./internal/upload/totals.ts"
import type { OssClient } from "./OssClient.ts"
import type { OssError } from "./OssError.ts"
import type { SourceError } from "./Source.ts"
import type { InvalidRequest } from "./UploadError.ts"
import type { UploadEvent, UploadResult } from "./UploadEvent.ts"
import type { UploadError, UploadRequest } from "./UploadRequest.ts"

/**
 * The object is there: sent, or resumed, in this run.
 *
 * @category models
 * @since 0.1.0
 */
export interface Completed<out Request> {
  readonly _tag: "Completed"
  readonly request: Request
  readonly result: UploadResult
}

/**
 * The object was there already, so that nothing was sent: see `skipIdentical`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Skipped<out Request> {
  readonly _tag: "Skipped"
  readonly request: Request
  readonly result: UploadResult
}

/**
 * The upload failed. Asked for again, it resumes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failed<out Request, out E> {
  readonly _tag: "Failed"
  readonly request: Request
  readonly error: E
}

/**
 * What became of one request.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome<Request, E> = Completed<Request> | Skipped<Request> | Failed<Request, E>

/**
 * What happens to one request before its outcome: the events of `Upload.events`,
 * each with its request.
 */
type Happened<Request> = Exclude<UploadEvent, { readonly _tag: "Completed" }> & {
  readonly request: Request
}

/**
 * How far all uploads together have come. Sampled five times a second; the last
 * sample is the last event.
 *
 * @category models
 * @since 0.1.0
 */
export interface Totals {
  readonly _tag: "Totals"
  /** How many requests have ended with `Completed`. */
  readonly completed: number
  /** How many requests have ended with `Skipped`. */
  readonly skipped: number
  /** How many requests have ended with `Failed`. */
  readonly failed: number
  /** How many requests have begun and not ended. */
  readonly underWay: number
  /** The sizes of all sources that have been opened so far, in bytes. */
  readonly total: number
  /** What OSS has of them, in bytes, earlier runs included. */
  readonly durable: number
  /** Given to the network in this run, in bytes. */
  readonly sent: number
  /** In bytes a second, over the last seconds. */
  readonly rate: number
}

/**
 * What happens to many uploads.
 *
 * @category models
 * @since 0.1.0
 */
export type Event<Request, E> = Happened<Request> | Outcome<Request, E> | Totals

/**
 * How many uploads run together.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** How many uploads are under way at once, at least 1: open sources, and checkpoints that are held. Default: 20. */
  readonly concurrency?: number | undefined
  /** How many parts of all uploads are on their way at once, at least 1. Default: 10. */
  readonly parts?: number | undefined
  /** True: what is stored already, with the same size and CRC64, is not sent again; sources are read for it. Each request may say otherwise. Default: false. */
  readonly skipIdentical?: UploadRequest["skipIdentical"]
  /** A second request for a key of the same run: `fail` it with `InvalidRequest`, since it would replace the first one's object, or `allow` it, for a stream that uploads what changes again and again. `fail` remembers each key, some 100 bytes of memory a request. Default: `fail`. */
  readonly repeatedKeys?: "fail" | "allow" | undefined
}

/**
 * Requests: a stream of them, or an array or whatever else can be iterated.
 *
 * @category models
 * @since 0.1.0
 */
export type Requests<E = never, R = never, E2 = never, R2 = never> =
  | Iterable<UploadRequest<E, R>>
  | Stream.Stream<UploadRequest<E, R>, E2, R2>

/** A stream is no iterable. */
const streamOf = <E, R, E2, R2>(
  requests: Requests<E, R, E2, R2>
): Stream.Stream<UploadRequest<E, R>, E2, R2> =>
  Stream.isStream(requests) ? requests : Stream.fromIterable(requests)

const outcomeOf = <Request>(
  request: Request,
  result: UploadResult
): Completed<Request> | Skipped<Request> => ({
  _tag: result.skipped === true ? "Skipped" : "Completed",
  request,
  result
})

const failed = <Request, E>(request: Request, error: E): Failed<Request, E> => ({
  _tag: "Failed",
  request,
  error
})

type Services<R, R2> = OssClient | CheckpointStore | Exclude<R, Scope.Scope> | R2

/**
 * Uploads many, and tells what becomes of each, in the order in which they end.
 * One failure doesn't stop the others, unless `onFailure` is `stop`: then it is
 * the stream's failure, and the others are interrupted, resumable.
 *
 * **Details**
 *
 * All uploads share one number of parts in flight. A slot that becomes free
 * goes to the next upload in turn, so that a small upload waits for at most one
 * part of each other one; a request's own `concurrency` limits it further. They
 * also share one budget of retries, unless a request brings its own.
 *
 * Requests are taken as uploads end and outcomes are read, so that a million of
 * them need no more memory than `repeatedKeys` does. If the stream of requests
 * fails, the uploads under way are finished first. If the stream of outcomes is
 * interrupted, or not read to its end, so are the uploads under way, which can
 * be resumed; with `skipIdentical`, a second run passes over what the first one
 * finished.
 *
 * A refusal that concerns all requests is the stream's failure, since asking
 * again for each would be in vain: OSS doesn't know the access key or the
 * bucket, the signature is wrong, the endpoint can't be reached whatever is
 * tried, or ten uploads were denied and none has succeeded.
 *
 * **Gotchas**
 *
 * Two requests for one key: the second fails with `InvalidRequest`, also if its
 * key is another Unicode form of the same name. See `repeatedKeys`.
 *
 * **Example** (a directory)
 *
 * ```ts
 * import { UploadMany } from "@effect-oss/core"
 * import { Console, Stream } from "effect"
 *
 * const program = UploadMany.uploadAll(UploadMany.directory("public", "site"), {
 *   skipIdentical: true
 * }).pipe(Stream.runForEach(({ _tag, request }) => Console.log(_tag, request.key)))
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export function uploadAll<E = never, R = never, E2 = never, R2 = never>(
  requests: Requests<E, R, E2, R2>,
  options?: Options & { readonly onFailure?: "continue" | undefined }
): Stream.Stream<
  Outcome<UploadRequest<E, R>, UploadError | E>,
  InvalidRequest | OssError | E2,
  Services<R, R2>
>
export function uploadAll<E = never, R = never, E2 = never, R2 = never>(
  requests: Requests<E, R, E2, R2>,
  options: Options & { readonly onFailure: "stop" }
): Stream.Stream<
  Completed<UploadRequest<E, R>> | Skipped<UploadRequest<E, R>>,
  UploadError | E | E2,
  Services<R, R2>
>
export function uploadAll<E = never, R = never, E2 = never, R2 = never>(
  requests: Requests<E, R, E2, R2>,
  options: Options & { readonly onFailure?: "continue" | "stop" | undefined } = {}
): Stream.Stream<
  Outcome<UploadRequest<E, R>, UploadError | E>,
  UploadError | E | E2,
  Services<R, R2>
> {
  return Stream.unwrap(
    Effect.map(Many.make(options), ({ concurrency, one, concernsAll }) =>
      Stream.mapEffect(
        streamOf(requests),
        (request) =>
          one(request, { report: () => Effect.void }).pipe(
            Effect.map((result) => outcomeOf(request, result)),
            Effect.catchIf(
              (error) => !concernsAll(error) && options.onFailure !== "stop",
              (error) => Effect.succeed(failed(request, error))
            )
          ),
        { concurrency, unordered: true }
      )
    )
  )
}

/**
 * Uploads many, and tells what happens to each: the events of `Upload.events`
 * with their request, then its outcome; between them, and last, the totals.
 * Failures, refusals and repeated keys are as with `uploadAll`.
 *
 * **Details**
 *
 * A slow consumer doesn't slow the uploads that are under way: it misses samples
 * of `Progress` and `Totals`, and nothing else. No further request is taken
 * before an outcome is read.
 *
 * **Example** (one line for each change)
 *
 * ```ts
 * import { UploadMany } from "@effect-oss/core"
 * import { Console, Stream } from "effect"
 *
 * const program = UploadMany.events(UploadMany.directory("public", "site")).pipe(
 *   Stream.runForEach((event) =>
 *     event._tag === "Totals"
 *       ? Console.log(`${event.durable} bytes of ${event.total}`)
 *       : Console.log(event._tag, event.request.key)
 *   )
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const events = <E = never, R = never, E2 = never, R2 = never>(
  requests: Requests<E, R, E2, R2>,
  options: Options = {}
): Stream.Stream<
  Event<UploadRequest<E, R>, UploadError | E>,
  InvalidRequest | OssError | E2,
  Services<R, R2>
> =>
  Stream.unwrap(
    Effect.map(Many.make(options), (many) => {
      const tally = new Tally()
      const each = Stream.flatMap(streamOf(requests), eventsOf(many, tally), {
        concurrency: many.concurrency
      })
      const totals = sampled(tally)
      return Stream.merge(each, totals.ticks, { haltStrategy: "left" }).pipe(
        Stream.concat(Stream.fromEffect(totals.now))
      )
    })
  )

type Running = Effect.Success<ReturnType<typeof Many.make>>

/** All that happens to one request. It ends once its outcome has been read. */
const eventsOf =
  ({ one, concernsAll }: Running, tally: Tally) =>
  <E, R>(
    request: UploadRequest<E, R>
  ): Stream.Stream<
    Happened<UploadRequest<E, R>> | Outcome<UploadRequest<E, R>, UploadError | E>,
    OssError,
    OssClient | CheckpointStore | Exclude<R, Scope.Scope>
  > =>
    Stream.callback(
      (queue) => {
        // One request may be given twice.
        const id = {}
        tally.begin(id)
        const report = (event: UploadEvent) =>
          Effect.suspend(() => {
            tally.saw(id, event)
            if (event._tag === "Completed") return Effect.void
            const missed = event._tag === "Progress" && Queue.sizeUnsafe(queue) > 0
            return missed ? Effect.void : Effect.asVoid(Queue.offer(queue, { ...event, request }))
          })
        return one(request, { report, sampling: sampleEvery }).pipe(
          Effect.map((result) => {
            tally.succeeded(id, result)
            return outcomeOf(request, result)
          }),
          Effect.catch((error) => {
            tally.failed(id)
            return concernsAll(error) ? Effect.fail(error) : Effect.succeed(failed(request, error))
          }),
          Effect.flatMap((outcome) => Queue.offer(queue, outcome)),
          Queue.into(queue)
        )
      },
      { bufferSize: Number.POSITIVE_INFINITY }
    )

/** Samples of the totals: five times a second, and whenever one is asked for. */
const sampled = (tally: Tally) => {
  let last: Meter.Sample | undefined
  const now = Effect.map(Monotonic.now, (at): Totals => {
    const counts = tally.now()
    last = Meter.sample(last ?? { at: at - 1, sent: counts.sent, rate: 0 }, at, counts.sent)
    return { _tag: "Totals", ...counts, rate: Math.round(last.rate) }
  })
  return { now, ticks: Stream.fromEffectRepeat(Effect.delay(now, sampleEvery)) }
}

/**
 * What of a directory is meant.
 *
 * @category models
 * @since 0.1.0
 */
export interface DirectoryOptions {
  /** Patterns of files, and of directories with all that is in them. Default: every file. */
  readonly include?: ReadonlyArray<string> | undefined
  /** Patterns of files, and of directories with all that is in them. Wins over `include`. Default: nothing. */
  readonly exclude?: ReadonlyArray<string> | undefined
  /** Symbolic links to directories: `follow` them, `skip` them, or have each `fail`. Default: `skip`. */
  readonly links?: "follow" | "skip" | "fail" | undefined
}

/**
 * A request for each file below a directory: its key is `prefix`, a slash, and
 * the file's path from the directory on, with slashes. Further options of a
 * request are added with `Stream.map`. Files come sorted within
 * each directory. One list of names for each level is in memory.
 *
 * **Details**
 *
 * A pattern without a slash matches at any depth, one with a slash from the
 * directory on, as in .gitignore: `*.pem`, `photos/*.jpg`, `/top.txt`. A slash
 * at the end stands for a directory. The rest is that of Effect's `Glob`.
 *
 * - Hidden files are files like others.
 * - A symbolic link to a file is uploaded as that file; a broken one becomes a
 *   request that fails with `SourceNotFound`.
 * - Links to directories, pipes, sockets and devices are left out, with a
 *   warning in the log for each; see `links`.
 * - A directory that can't be listed and a name that is not UTF-8 become
 *   requests that fail with `SourceUnreadable`. Only if `path` itself can't be
 *   listed, the stream fails.
 * - A name that can't be part of a key becomes a request that fails with
 *   `InvalidRequest`.
 *
 * So nothing is left out silently, and each failure is told by `uploadAll`.
 *
 * **Example** (everything but caches)
 *
 * ```ts
 * import { UploadMany } from "@effect-oss/core"
 * import { Stream } from "effect"
 *
 * const requests = UploadMany.directory("photos", "backups/photos", {
 *   include: ["*.{jpg,png}"],
 *   exclude: [".cache"]
 * }).pipe(Stream.map((request) => ({ ...request, storageClass: "IA" as const })))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const directory = (
  path: string,
  prefix: string,
  options?: DirectoryOptions
): Stream.Stream<UploadRequest<never, FileSystem>, SourceError, FileSystem | Path> =>
  Directory.requests(path, prefix, options)
