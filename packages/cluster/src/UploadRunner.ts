/**
 * Runs uploads: what a process has to offer to be one of the machines that they
 * are shared out among. How it is found by the others, and where messages are
 * kept, is the workflow engine's business.
 *
 * @since 0.1.0
 */
import * as MultipartUpload from "@effect-oss/core/MultipartUpload"
import { OssClient } from "@effect-oss/core/OssClient"
import type { UploadedPart } from "@effect-oss/core/Part"
import * as Part from "@effect-oss/core/Part"
import { UploadResult } from "@effect-oss/core/UploadEvent"
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import type { HttpClient } from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import * as Activity from "effect/workflow/Activity"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { Buckets } from "./Buckets.ts"
import * as Begin from "./internal/begin.ts"
import * as Look from "./internal/look.ts"
import { patiently } from "./internal/patiently.ts"
import type { Capacity, Range } from "./internal/range.ts"
import { RangeWorkflow, run as runRange } from "./internal/range.ts"
import * as Ranges from "./internal/ranges.ts"
import * as Roots from "./internal/roots.ts"
import * as Signals from "./internal/signals.ts"
import * as Steps from "./internal/steps.ts"
import type { Job } from "./UploadWorkflow.ts"
import { Cancelled, Failure, UploadWorkflow } from "./UploadWorkflow.ts"

/**
 * How much one process takes on.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * What the runner reads: directories, and URLs with what they begin with, such
   * as `https://mirror.example/pub/`. A source elsewhere is refused, and so is a
   * link that leads elsewhere. `/`, `http://` and `https://` stand for all.
   */
  readonly roots: ReadonlyArray<string>
  /** Small files and ranges of parts that are worked on at once. Default: 4. */
  readonly activities?: number | undefined
  /** Parts of each range that are on their way at once. Default: 5. */
  readonly parts?: number | undefined
  /** How often work that is under way looks whether it is to pause or to stop. Default: 2 seconds. */
  readonly signalsEvery?: Duration.Input | undefined
}

/**
 * Takes on uploads and ranges of their parts, for as long as it is there.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options
): Layer.Layer<never, never, WorkflowEngine | Buckets | FileSystem | HttpClient> =>
  Layer.unwrap(
    Effect.sync(() => {
      const capacity: Capacity = {
        activities: Semaphore.makeUnsafe(options.activities ?? 4),
        parts: options.parts ?? 5,
        signalsEvery: options.signalsEvery ?? "2 seconds"
      }
      return Layer.merge(
        UploadWorkflow.toLayer(upload(capacity)),
        RangeWorkflow.toLayer(runRange(capacity))
      ).pipe(Layer.provide(Roots.layer(options.roots)))
    })
  )

/** An upload from its upload id, if it needs one, to its object. */
const upload = (capacity: Capacity) =>
  Effect.fnUntraced(function* (job: Job, executionId: string) {
    yield* Look.later(UploadWorkflow, executionId)
    if (job.size < job.partSize) return yield* put(capacity, job)
    const begun = yield* UploadWorkflow.withCompensation(
      begin(capacity, job, executionId),
      ({ uploadId }, cause) => giveUp(job, executionId, uploadId, cause)
    )
    const sent = yield* send(job, executionId, begun)
    yield* goingOn(job, executionId, "complete")
    const result = yield* complete(capacity, job, begun.uploadId, sent.parts)
    return { ...result, sent: sent.bytes, resumed: Math.max(0, job.size - sent.bytes) }
  })

const put = (capacity: Capacity, job: Job) =>
  patiently(
    Activity.make({
      name: "put",
      success: UploadResult,
      error: Failure,
      execute: Effect.flatMap(Steps.open(job), (steps) => steps.put).pipe(
        Effect.scoped,
        capacity.activities.withPermit
      )
    })
  )

const begin = (capacity: Capacity, job: Job, executionId: string) =>
  patiently(
    Activity.make({
      name: "begin",
      success: Signals.Begun.successSchema,
      error: Failure,
      execute: capacity.activities.withPermit(Begin.begin(job, executionId))
    })
  )

const complete = (
  capacity: Capacity,
  job: Job,
  uploadId: string,
  parts: ReadonlyArray<UploadedPart>
) =>
  patiently(
    Activity.make({
      name: "complete",
      success: UploadResult,
      error: Failure,
      execute: Effect.flatMap(Steps.open(job), (steps) => steps.complete(uploadId, parts)).pipe(
        Effect.scoped,
        capacity.activities.withPermit
      )
    })
  )

/** Shares the parts out until all are durable; goes round again after each pause. */
const send = Effect.fnUntraced(function* (
  job: Job,
  executionId: string,
  { uploadId, partsPerRange }: Effect.Success<ReturnType<typeof Begin.begin>>
) {
  const { parts } = yield* Effect.fromResult(Part.plan(job.size, job.partSize))
  const done = new Map<number, UploadedPart>()
  let bytes = 0
  for (let round = 0; done.size < parts.length; round++) {
    if (round > 0) yield* goingOn(job, executionId, round)
    const ranges = Ranges.missing(parts, done, partsPerRange)
    yield* shareOut(
      round,
      ranges.map((range) => ({ job, ...range, upload: executionId, uploadId, round }))
    )
    const results = yield* Effect.forEach(ranges, (range) =>
      Effect.result(DurableDeferred.await(Signals.done(round, range))).pipe(
        // The others need not go on; nothing is aborted before they have stopped.
        Effect.tap((result) =>
          Result.isFailure(result)
            ? Signals.give(executionId, Signals.Stopped, "Failed")
            : Effect.void
        )
      )
    )
    for (const result of results) {
      if (Result.isFailure(result)) return yield* result.failure
      for (const part of result.success.parts) done.set(part.number, part)
      bytes += result.success.bytes
    }
  }
  return { parts: parts.flatMap(({ number }) => done.get(number) ?? []), bytes }
})

/** Submits ranges, once: when the upload goes on after each of their ends, they are there. */
const shareOut = (round: number, ranges: ReadonlyArray<Range>) =>
  Activity.make({
    name: `shareOut/${round}`,
    execute: Effect.forEach(
      ranges,
      (range) => RangeWorkflow.execute(range, { discard: true, detached: true }),
      { concurrency: 8, discard: true }
    )
  })

/**
 * Waits while the upload is paused; fails once it is cancelled. What it found
 * is recorded: when the workflow is run again to where it was, while ranges are
 * under way, it must not turn off before them.
 */
const goingOn = Effect.fnUntraced(function* (
  { key }: Job,
  executionId: string,
  before: "complete" | number
) {
  for (let look = 0; ; look++) {
    const state = yield* Activity.make({
      name: `goingOn/${before}/${look}`,
      success: Signals.State,
      execute: Signals.state(executionId)
    })
    if (state._tag === "Stopped") return yield* new Cancelled({ key })
    if (state._tag === "Going") return
    yield* DurableDeferred.await(Signals.turn(state.turn))
  }
})

/** Aborts what is on the server, if nobody can or shall carry on with it. */
const giveUp = Effect.fnUntraced(
  function* (job: Job, executionId: string, uploadId: string, cause: Cause.Cause<Failure>) {
    const { bucket, key, onFailure } = job
    yield* Signals.give(executionId, Signals.Stopped, "Failed")
    const error = Cause.findErrorOption(cause)
    if (onFailure === "keep" && Option.exists(error, isOfUse)) return
    const client = yield* (yield* Buckets).client(bucket)
    yield* Effect.provideService(MultipartUpload.abort({ key }, uploadId), OssClient, client)
  },
  Effect.scoped,
  (self, { key }) =>
    Effect.catch(self, (error) =>
      Effect.logWarning(`${key}: the upload could not be aborted and stays on the server`, error)
    )
)

/** True if what was sent may serve another attempt. */
const isOfUse = (error: Failure): boolean =>
  error._tag !== "Cancelled" &&
  !(error._tag === "SourceError" && error.reason._tag === "SourceChanged")
