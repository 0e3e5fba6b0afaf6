/**
 * Uploads seen from outside: submit them, see how far they are, pause them, go
 * on, give them up. From any machine that reaches the cluster's database; none
 * of it depends on where an upload runs.
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
 * What is uploaded, where to, and how.
 *
 * @category models
 * @since 0.1.0
 */
export interface Request {
  readonly bucket: string
  /** The object's key: 1 to 1,023 bytes in UTF-8, not beginning with `/` or `\`. */
  readonly key: string
  readonly source: Locator.Locator
  /** 100 KiB to 5 GiB: a number of bytes, or a text such as `"8 MiB"`. Default: `Part.partSizeFor`. */
  readonly partSize?: Length | undefined
  /** How the object is to be stored. */
  readonly options?: ObjectOptions | undefined
  /** What becomes of the parts if the upload fails: they stay, for the next attempt, or are aborted. Default: `keep`. */
  readonly onFailure?: "keep" | "abort" | undefined
  /** True: upload, even if that was done before and the object is still there. Default: false. */
  readonly again?: boolean | undefined
}

/**
 * Submits an upload and yields its id, without waiting for it. The same source
 * to the same object, with the same options, submitted again, joins the upload
 * that is under way. If that has ended, a new one begins: where it stored the
 * object, the runner looks whether that is still there, by its size and CRC64,
 * and uploads only if it isn't; where it failed, the runner carries on with the
 * parts that are there.
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
 * Submits an upload and waits for its end. Interrupting it ends the waiting
 * only: see `cancel`.
 *
 * @category running
 * @since 0.1.0
 */
export const upload = (
  request: Request
): Effect.Effect<UploadResult, Failure, WorkflowEngine | Executions | FileSystem | HttpClient> =>
  Effect.flatMap(Submit.prepare(request), (job) => UploadWorkflow.execute(job))

/**
 * Many files of storage that all runners see.
 *
 * @category models
 * @since 0.1.0
 */
export interface ManyRequest extends Pick<
  Request,
  "bucket" | "partSize" | "options" | "onFailure" | "again"
> {
  /** What all keys begin with, such as `photos/2026/`; may be empty. */
  readonly prefix: string
  readonly files: ReadonlyArray<{
    /** Absolute, and the same file on every runner. */
    readonly path: string
    /** The rest of the key. */
    readonly key: string
  }>
}

/**
 * Submits many files, and yields the ids of what they became: those below one
 * part's size one batch, which costs the database a handful of rows for 128
 * files, and each other one an upload of its own. Two files with one key are
 * refused before anything is submitted.
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
 * How far an upload is.
 *
 * - `Waiting`: no runner has begun with it.
 * - `Sending`: `durable` and `total` are bytes; what runners have sent of ranges that they have not finished is not counted.
 * - `BatchEnded`: each file of a batch is stored, or has failed for good: see `result.failed`.
 * - `Defect`: it ended with none of `Failure`.
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
      /** Of a batch: files that have ended, and all of them. */
      readonly files?: { readonly done: number; readonly all: number } | undefined
    }
  | { readonly _tag: "Completed"; readonly result: UploadResult }
  | { readonly _tag: "BatchEnded"; readonly result: BatchResult }
  | { readonly _tag: "Failed"; readonly error: Failure }
  | { readonly _tag: "Defect"; readonly cause: Cause.Cause<never> }

/**
 * An upload that was submitted, and how far it is.
 *
 * @category models
 * @since 0.1.0
 */
export interface Submitted extends Execution {
  readonly status: Status
}

/**
 * How far an upload is, out of the cluster's database.
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
 * An upload with its object, when it was submitted, and how far it is.
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
 * The uploads that were submitted last, the newest first, with how far they are.
 *
 * @category running
 * @since 0.1.0
 */
export const list = Effect.fn("Uploads.list")(function* (
  options: {
    /** At most so many. Default: 100. */
    readonly limit?: number | undefined
    /** True: only those that have not ended. Default: false. */
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
 * Forgets uploads that ended so long ago, and yields how many. What is stored
 * stays. Submitted again, they are uploaded again.
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
 * Sends no further parts; those that are on their way are finished. It lasts,
 * whatever becomes of the runners, until `resume`.
 *
 * @category running
 * @since 0.1.0
 */
export const pause = Effect.fn("Uploads.pause")(function* (id: string) {
  yield* Steer.turn(yield* known(id), "Going")
})

/**
 * Goes on after `pause`.
 *
 * @category running
 * @since 0.1.0
 */
export const resume = Effect.fn("Uploads.resume")(function* (id: string) {
  yield* Steer.turn(yield* known(id), "Paused")
})

/**
 * Gives an upload up: parts that are on their way are interrupted, and when all
 * runners have stopped, the upload is aborted on the server and ends with
 * `Cancelled`. An object that is being made out of its parts by then, or a
 * small one that goes up with one request, is made nevertheless.
 *
 * @category running
 * @since 0.1.0
 */
export const cancel = Effect.fn("Uploads.cancel")(function* (id: string) {
  yield* Steer.stop(yield* known(id))
})
