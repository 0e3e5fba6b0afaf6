/**
 * Many uploads at once: for each request one outcome, in the order in which
 * they end.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import type { Path } from "effect/Path"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { CheckpointStore } from "./CheckpointStore.ts"
import * as SharedSlots from "./internal/slots/shared.ts"
import * as Slots from "./internal/slots/slots.ts"
import * as Directory from "./internal/source/directory.ts"
import * as Defaults from "./internal/upload/defaults.ts"
import { run } from "./internal/upload/run.ts"
import { wholeNumber } from "./internal/upload/validate.ts"
import type { OssClient } from "./OssClient.ts"
import * as RetryPolicy from "./RetryPolicy.ts"
import * as Source from "./Source.ts"
import type { InvalidRequest } from "./UploadError.ts"
import type { UploadResult } from "./UploadEvent.ts"
import type { UploadError, UploadRequest } from "./UploadRequest.ts"

/**
 * The object is there: sent, or resumed, in this run.
 *
 * @category models
 * @since 0.1.0
 */
export interface Uploaded<out Request> {
  readonly _tag: "Uploaded"
  readonly request: Request
  readonly result: UploadResult
}

/**
 * The object was there already, identical.
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
export type Outcome<Request, E> = Uploaded<Request> | Skipped<Request> | Failed<Request, E>

/**
 * How many uploads run together.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** How many uploads are under way at once, at least 1: open sources, and checkpoints that are held. Default: 20. */
  readonly concurrency?: number | undefined
  /** How many parts of all of them are on their way at once, at least 1. Default: 10. */
  readonly parts?: number | undefined
  /** True: what is stored already, with the same size and CRC64, is not sent again; sources are read for it. Each request may say otherwise. Default: false. */
  readonly skipIdentical?: boolean | undefined
}

/**
 * The outcome of an upload that succeeded.
 *
 * @category constructors
 * @since 0.1.0
 */
export const succeeded = <Request>(
  request: Request,
  result: UploadResult
): Uploaded<Request> | Skipped<Request> => ({
  _tag: result.skipped === true ? "Skipped" : "Uploaded",
  request,
  result
})

/**
 * The outcome of an upload that failed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const failed = <Request, E>(request: Request, error: E): Failed<Request, E> => ({
  _tag: "Failed",
  request,
  error
})

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
export function uploadAll<E, R, E2, R2>(
  requests: Stream.Stream<UploadRequest<E, R>, E2, R2>,
  options?: Options & { readonly onFailure?: "continue" | undefined }
): Stream.Stream<
  Outcome<UploadRequest<E, R>, UploadError | E>,
  InvalidRequest | E2,
  OssClient | CheckpointStore | Exclude<R, Scope.Scope> | R2
>
export function uploadAll<E, R, E2, R2>(
  requests: Stream.Stream<UploadRequest<E, R>, E2, R2>,
  options: Options & { readonly onFailure: "stop" }
): Stream.Stream<
  Uploaded<UploadRequest<E, R>> | Skipped<UploadRequest<E, R>>,
  UploadError | E | E2,
  OssClient | CheckpointStore | Exclude<R, Scope.Scope> | R2
>
export function uploadAll<E, R, E2, R2>(
  requests: Stream.Stream<UploadRequest<E, R>, E2, R2>,
  options: Options & { readonly onFailure?: "continue" | "stop" | undefined } = {}
): Stream.Stream<
  Outcome<UploadRequest<E, R>, UploadError | E>,
  UploadError | E | E2,
  OssClient | CheckpointStore | Exclude<R, Scope.Scope> | R2
> {
  const { concurrency = 20, parts = 10, onFailure = "continue", skipIdentical } = options
  return Stream.unwrap(
    Effect.gen(function* () {
      yield* Effect.fromResult(wholeNumber("concurrency", concurrency))
      yield* Effect.fromResult(wholeNumber("parts", parts))
      const defaults = yield* Defaults.Current
      const own = SharedSlots.make(parts)
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
          Effect.map((result) => succeeded(request, result)),
          Effect.catch((error) =>
            onFailure === "stop" ? Effect.fail(error) : Effect.succeed(failed(request, error))
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
 * import { UploadMany } from "@effect-oss/core"
 * import { Stream } from "effect"
 *
 * const requests = UploadMany.directory("photos", "backups/photos", {
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
