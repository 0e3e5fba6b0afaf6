/**
 * Runs many uploads at once. `uploadAll` returns the outcome of each, and `events`
 * also returns what happens on the way.
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
import { unwatched } from "./internal/upload/observability.ts"
import { sampleEvery } from "./internal/upload/run.ts"
import { sampled, Tally } from "./internal/upload/totals.ts"
import type { OssClient } from "./OssClient.ts"
import type { OssError } from "./OssError.ts"
import type { SourceError } from "./Source.ts"
import type { InvalidRequest } from "./UploadError.ts"
import type { UploadEvent, UploadResult } from "./UploadEvent.ts"
import type { UploadError, UploadRequest } from "./UploadRequest.ts"

/**
 * The upload succeeded in this run.
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
 * The object was already stored, so nothing was sent: see `skipIdentical`.
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
 * The upload failed. Run the same request again to resume it.
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
 * The outcome of one request.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome<Request, E> = Completed<Request> | Skipped<Request> | Failed<Request, E>

/** An event of one request before its outcome. */
type Happened<Request> = Exclude<UploadEvent, { readonly _tag: "Completed" }> & {
  readonly request: Request
}

/**
 * The progress of all uploads together. Sampled five times a second. The last
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
  /** The total size of all sources opened so far, in bytes. */
  readonly total: number
  /** How many of these bytes OSS has acknowledged, earlier runs included. */
  readonly durable: number
  /** How many bytes this run has given to the network. */
  readonly sent: number
  /** Bytes a second, over the last seconds. */
  readonly rate: number
}

/**
 * An event of many uploads.
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
  /** How many uploads run at once, at least 1. Each has an open source and holds a checkpoint. Default: 20. */
  readonly concurrency?: number | undefined
  /** How many parts of all uploads together are sent at once, at least 1. Default: 10. */
  readonly parts?: number | undefined
  /** The `skipIdentical` of every request that doesn't set its own. True: send nothing if the stored object has the source's size and CRC64. Default: false. */
  readonly skipIdentical?: UploadRequest["skipIdentical"]
  /** What to do with a second request for the same key: `fail` it with `InvalidRequest`, because it would replace the first object, or `allow` it, for a stream that uploads changing content. `fail` remembers each key, which takes about 100 bytes of memory a request. Default: `fail`. */
  readonly repeatedKeys?: "fail" | "allow" | undefined
}

/**
 * The requests: a stream, an array or any other iterable.
 *
 * @category models
 * @since 0.1.0
 */
export type Requests<E = never, R = never, E2 = never, R2 = never> =
  | Iterable<UploadRequest<E, R>>
  | Stream.Stream<UploadRequest<E, R>, E2, R2>

/** Converts an iterable. A stream isn't one. */
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
 * Runs all requests and returns a stream of their outcomes, in the order in which
 * they end. By default a failure doesn't stop the other uploads. If `onFailure`
 * is `stop`, the first failure fails the stream and interrupts the other uploads.
 * You can resume them.
 *
 * **Details**
 *
 * All uploads share `parts`, the number of parts in flight. A free slot goes to
 * the next upload in turn, so a small upload waits for at most one part of each
 * other upload. A request's own `concurrency` limits it further. The uploads also
 * share one retry budget, except requests with their own.
 *
 * The stream takes requests as uploads end and as you read outcomes. A million
 * requests need no more memory than `repeatedKeys` does.
 *
 * If the stream of requests fails, the running uploads finish first. If you
 * interrupt the stream of outcomes, or don't read it to its end, the running
 * uploads are interrupted. Resume them by running the same requests again. With
 * `skipIdentical`, that run skips the uploads that had finished.
 *
 * An error that concerns every request fails the stream: OSS doesn't know the
 * access key or the bucket, the signature is wrong, no connection to the endpoint
 * can work, or ten uploads were denied and none has succeeded.
 *
 * **Gotchas**
 *
 * A second request for the same key fails with `InvalidRequest`. This includes a
 * key that is another Unicode form of the same name. See `repeatedKeys`.
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
          one(request, { report: unwatched }).pipe(
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
 * Runs all requests and returns a stream of events. For each request, you get the
 * events of `Upload.events` with the request, then its outcome. `Totals` come in
 * between, and once more at the end. Failures and repeated keys are as for
 * `uploadAll`.
 *
 * **Details**
 *
 * A slow consumer doesn't slow the running uploads: it misses samples of
 * `Progress` and `Totals`, and nothing else. The stream takes the next request
 * only after you have read an outcome.
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

/** The events of one request. The stream ends once the outcome has been read. */
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
        // The same request may be given twice.
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

/**
 * Which files of a directory to upload.
 *
 * @category models
 * @since 0.1.0
 */
export interface DirectoryOptions {
  /** Glob patterns of files, and of directories with everything in them. Default: every file. */
  readonly include?: ReadonlyArray<string> | undefined
  /** Glob patterns of files, and of directories with everything in them. `exclude` wins over `include`. Default: none. */
  readonly exclude?: ReadonlyArray<string> | undefined
  /** What to do with symbolic links to directories: `follow` them, `skip` them, or `fail` each. Default: `skip`. */
  readonly links?: "follow" | "skip" | "fail" | undefined
}

/**
 * Makes a request for each file below a directory. The key is `prefix`, a slash
 * and the file's path relative to the directory, with slashes. Use `Stream.map` to
 * add options to the requests. Files are sorted within each directory. Memory
 * holds one list of names for each level.
 *
 * **Details**
 *
 * Patterns work as in .gitignore. A pattern without a slash matches at any depth,
 * such as `*.pem`. A pattern with a slash matches relative to the directory, such
 * as `photos/*.jpg` or `/top.txt`. A pattern with a slash at its end matches only
 * directories. Effect's `Glob` defines the rest of the syntax.
 *
 * - Hidden files are included.
 * - A symbolic link to a file is uploaded as that file. A broken link becomes a
 *   request that fails with `SourceNotFound`.
 * - Links to directories, pipes, sockets and devices are skipped, with a warning
 *   in the log for each. See `links`.
 * - A directory that can't be listed, or a name that is not UTF-8, becomes a
 *   request that fails with `SourceUnreadable`. If `path` itself can't be listed,
 *   the stream fails.
 * - A name that can't be part of a key becomes a request that fails with
 *   `InvalidRequest`.
 *
 * So nothing is skipped silently: `uploadAll` returns an outcome for each failure.
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
