/**
 * Submit uploads, watch their progress, and pause, resume or cancel them. You
 * can do this from any machine that reaches the cluster's database, wherever an
 * upload runs.
 *
 * @since 0.1.0
 */
import type { Length } from "@effect-oss/core/Part"
import type { SourceError } from "@effect-oss/core/Source"
import type { InvalidRequest } from "@effect-oss/core/UploadError"
import type { UploadResult } from "@effect-oss/core/UploadEvent"
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import type { HttpClient } from "effect/http/HttpClient"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import type { Failure } from "./ClusterError.ts"
import { UnknownUpload } from "./ClusterError.ts"
import { Executions } from "./Executions.ts"
import type { BatchResult } from "./internal/batchWorkflow.ts"
import type { Execution } from "./internal/execution.ts"
import * as Metrics from "./internal/metrics.ts"
import { statusOf } from "./internal/status.ts"
import * as Steer from "./internal/steer.ts"
import * as Submit from "./internal/submit.ts"
import type { ObjectOptions } from "./internal/uploadWorkflow.ts"
import { UploadWorkflow } from "./internal/uploadWorkflow.ts"
import type * as Locator from "./Locator.ts"

/**
 * An upload to submit: its source, its object, and how to store it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Request {
  readonly bucket: string
  /** The object's key: 1 to 1,023 bytes in UTF-8. It must not begin with `/` or `\`. */
  readonly key: string
  readonly source: Locator.Locator
  /** 100 KiB to 5 GiB: a number of bytes, or a string such as `"8 MiB"`. Default: `Part.partSizeFor`. */
  readonly partSize?: Length | undefined
  /** How OSS stores the object. */
  readonly options?: ObjectOptions | undefined
  /** What happens to the parts if the upload fails. `keep`: they stay for the next attempt. `abort`: they are deleted. Default: `keep`. */
  readonly onFailure?: "keep" | "abort" | undefined
  /** True: upload even if an earlier upload stored the object and it still exists. Default: false. */
  readonly again?: boolean | undefined
}

/**
 * Submits an upload and returns its id without waiting for its end. If you
 * submit the same source to the same object with the same options again, you
 * join the upload that is in progress. If that upload has ended, a new one
 * begins. After a success, the runner compares the size and CRC64 of the
 * object, and uploads only if it is missing or differs. After a failure, the
 * runner reuses the parts that OSS still has.
 *
 * @category running
 * @since 0.1.0
 */
export const submit = (
  request: Request
): Effect.Effect<
  string,
  SourceError | InvalidRequest,
  WorkflowEngine | Executions | FileSystem | HttpClient
> =>
  Effect.flatMap(Submit.prepare(request), (job) => UploadWorkflow.execute(job, { discard: true }))

/**
 * Submits an upload and waits for its end. Interruption ends only the waiting:
 * use `cancel` to stop the upload.
 *
 * @category running
 * @since 0.1.0
 */
export const upload = (
  request: Request
): Effect.Effect<UploadResult, Failure, WorkflowEngine | Executions | FileSystem | HttpClient> =>
  Effect.flatMap(Submit.prepare(request), (job) => UploadWorkflow.execute(job))

/**
 * Many files on storage that all runners share.
 *
 * @category models
 * @since 0.1.0
 */
export interface ManyRequest extends Pick<
  Request,
  "bucket" | "partSize" | "options" | "onFailure" | "again"
> {
  /** The prefix of all keys, such as `photos/2026/`; may be empty. */
  readonly prefix: string
  readonly files: ReadonlyArray<{
    /** An absolute path that is the same file on every runner. */
    readonly path: string
    /** The rest of the key. */
    readonly key: string
  }>
}

/**
 * Submits many files and returns the ids of their uploads. Files smaller than
 * one part go into one batch, which costs the database a handful of rows for
 * 128 files. Each larger file becomes an upload of its own. If two files have
 * the same key, `submitMany` refuses the request before it submits anything.
 *
 * @category running
 * @since 0.1.0
 */
export const submitMany: (
  request: ManyRequest
) => Effect.Effect<
  ReadonlyArray<string>,
  SourceError | InvalidRequest,
  WorkflowEngine | Executions | FileSystem | HttpClient
> = Submit.many

/**
 * The state of an upload.
 *
 * - `Waiting`: no runner has started it.
 * - `Sending`: `durable` and `total` are in bytes. `durable` does not count
 *   ranges that are still in progress.
 * - `BatchEnded`: each file of the batch is stored, or has failed for good: see
 *   `result.failed`.
 * - `Defect`: it ended with an error that is not a `Failure`.
 *
 * @category models
 * @since 0.1.0
 */
export type Status =
  | { readonly _tag: "Waiting"; readonly paused: boolean }
  | {
      readonly _tag: "Sending"
      readonly durable: number
      readonly total: number
      readonly paused: boolean
      /** For a batch: the number of files that have ended, and of all files. */
      readonly files?: { readonly done: number; readonly all: number } | undefined
    }
  | { readonly _tag: "Completed"; readonly result: UploadResult }
  | { readonly _tag: "BatchEnded"; readonly result: BatchResult }
  | { readonly _tag: "Failed"; readonly error: Failure }
  | { readonly _tag: "Defect"; readonly cause: Cause.Cause<never> }

/**
 * A submitted upload and its state.
 *
 * @category models
 * @since 0.1.0
 */
export interface Submitted extends Execution {
  readonly status: Status
}

/**
 * Reads the state of an upload from the cluster's database.
 *
 * @category running
 * @since 0.1.0
 */
export const status = Effect.fn("Uploads.status")(function* (
  id: string
): Effect.fn.Return<Status, UnknownUpload, WorkflowEngine | Executions> {
  return (yield* find(id)).status
})

/**
 * Reads an upload: its object, the time of its submission, and its state.
 *
 * @category running
 * @since 0.1.0
 */
export const find = Effect.fn("Uploads.find")(function* (
  id: string
): Effect.fn.Return<Submitted, UnknownUpload, WorkflowEngine | Executions> {
  const execution = yield* known(id)
  return { ...execution, status: yield* statusOf(execution) }
})

const known = Effect.fnUntraced(function* (id: string) {
  const execution = yield* Executions.use((executions) => executions.find(id))
  return yield* Effect.mapError(Effect.fromOption(execution), () => new UnknownUpload({ id }))
})

/**
 * Lists the uploads that were submitted last, newest first, with their states.
 *
 * @category running
 * @since 0.1.0
 */
export const list = Effect.fn("Uploads.list")(function* (
  options: {
    /** The maximum number of uploads. Default: 100. */
    readonly limit?: number | undefined
    /** True: only uploads that have not ended. Default: false. */
    readonly open?: boolean | undefined
  } = {}
): Effect.fn.Return<ReadonlyArray<Submitted>, never, WorkflowEngine | Executions> {
  const { limit = 100, open = false } = options
  const found = yield* Executions.use((executions) => executions.list({ limit, open }))
  return yield* Effect.forEach(
    found,
    (execution) => Effect.map(statusOf(execution), (status) => ({ ...execution, status })),
    { concurrency: 8 }
  )
})

/**
 * Removes uploads from the database that ended at least this long ago, and
 * returns how many. Stored objects stay. If you submit such an upload again, it
 * runs again.
 *
 * @category running
 * @since 0.1.0
 */
export const cleanUp = Effect.fn("Uploads.cleanUp")(function* (options: {
  readonly olderThan: Duration.Input
}) {
  const now = yield* Clock.currentTimeMillis
  const age = Duration.toMillis(Duration.fromInputUnsafe(options.olderThan))
  const removed = yield* Executions.use((executions) => executions.remove(now - age))
  yield* Metrics.cleanedUp(removed)
  return removed
})

/**
 * Pauses an upload: it finishes the parts that are in flight and sends no more.
 * The pause survives restarts of runners and lasts until `resume`.
 *
 * @category running
 * @since 0.1.0
 */
export const pause = Effect.fn("Uploads.pause")(function* (id: string) {
  yield* Steer.turn(yield* known(id), "Going")
})

/**
 * Continues an upload after `pause`.
 *
 * @category running
 * @since 0.1.0
 */
export const resume = Effect.fn("Uploads.resume")(function* (id: string) {
  yield* Steer.turn(yield* known(id), "Paused")
})

/**
 * Cancels an upload. Parts in flight are interrupted. When all runners have
 * stopped, the upload is aborted on OSS and ends with `Cancelled`. If OSS is
 * already completing the object, or if a small object is being sent in one
 * request, the object is still created.
 *
 * @category running
 * @since 0.1.0
 */
export const cancel = Effect.fn("Uploads.cancel")(function* (id: string) {
  yield* Steer.stop(yield* known(id))
})
