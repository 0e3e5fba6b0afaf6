/** The workflow of an upload. Each of its steps takes effect once, whatever happens to runners. */
import * as MultipartUpload from "@effect-oss/core/internal/upload/multipart"
import * as RetryPolicy from "@effect-oss/core/RetryPolicy"
import { OssClient } from "@effect-oss/core/OssClient"
import type { UploadedPart } from "@effect-oss/core/Part"
import * as Part from "@effect-oss/core/Part"
import { UploadResult } from "@effect-oss/core/UploadEvent"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Activity from "effect/workflow/Activity"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import { Targets } from "./targets.ts"
import * as Begin from "./begin.ts"
import * as Look from "./look.ts"
import { patiently } from "./patiently.ts"
import type { Capacity, Range } from "./range.ts"
import { RangeWorkflow } from "./range.ts"
import * as Ranges from "./ranges.ts"
import * as Signals from "./signals.ts"
import * as Steps from "./steps.ts"
import type { Job } from "./uploadWorkflow.ts"
import { Cancelled, Failure } from "../ClusterError.ts"
import { UploadWorkflow } from "./uploadWorkflow.ts"
import * as Schema from "effect/Schema"
import * as Past from "./past.ts"

/** Runs an upload, from its upload id (if it needs one) to its object. */
export const run = (capacity: Capacity) =>
  Effect.fnUntraced(function* (job: Job, executionId: string) {
    yield* Look.later(UploadWorkflow, executionId)
    if (job.attempt > 0 && job.again !== true) {
      const there = yield* look(capacity, job)
      if (Option.isSome(there)) return there.value
    }
    if (job.size < job.partSize) return yield* put(capacity, job)
    const begun = yield* UploadWorkflow.withCompensation(
      begin(capacity, job, executionId),
      ({ uploadId }, cause) => giveUp(job, executionId, uploadId, cause)
    )
    const sent = yield* send(job, executionId, begun)
    yield* goingOn(job, executionId, "complete")
    const { result, bytes } = yield* complete(capacity, job, begun.uploadId, sent)
    const all = sent.bytes + bytes
    return { ...result, sent: all, resumed: Math.max(0, job.size - all) }
  })

/** Checks the object of the previous execution. */
const look = (capacity: Capacity, job: Job) =>
  patiently(
    Activity.make({
      name: "look",
      success: Schema.Option(UploadResult),
      error: Failure,
      execute: capacity.activities.withPermit(Past.stillThere(job))
    })
  )

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

/** The results of all ranges. */
interface Sent {
  readonly parts: ReadonlyArray<UploadedPart>
  readonly bytes: number
  readonly remounted: boolean
}

const complete = (capacity: Capacity, job: Job, uploadId: string, sent: Sent) =>
  patiently(
    Activity.make({
      name: "complete",
      success: Schema.Struct({ result: UploadResult, bytes: Schema.Int }),
      error: Failure,
      execute: Effect.gen(function* () {
        const steps = yield* Steps.open(job)
        const { parts, bytes } =
          sent.remounted || steps.isRemounted
            ? yield* compared(steps, capacity, uploadId, sent.parts)
            : { parts: sent.parts, bytes: 0 }
        return { result: yield* steps.complete(uploadId, parts), bytes }
      }).pipe(Effect.scoped, capacity.activities.withPermit)
    })
  )

/**
 * Compares the bytes if runners saw the source with different inodes: it is the
 * same file at different mounts, or another file has replaced it.
 */
const compared = Effect.fnUntraced(function* (
  steps: Effect.Success<ReturnType<typeof Steps.open>>,
  { parts: concurrency }: Capacity,
  uploadId: string,
  sent: ReadonlyArray<UploadedPart>
) {
  const results = yield* Effect.forEach(
    sent,
    (part) => steps.part(uploadId, { _tag: "Adoptable", part }),
    { concurrency }
  )
  return {
    parts: results.map(({ part }) => part),
    bytes: results.reduce((sum, { sent }) => sum + sent, 0)
  }
})

/** Distributes the parts until all are durable, and starts a new round after each pause. */
const send = Effect.fnUntraced(function* (
  job: Job,
  executionId: string,
  { uploadId, partsPerRange }: Effect.Success<ReturnType<typeof Begin.begin>>
) {
  const { parts } = yield* Effect.fromResult(Part.plan(job.size, job.partSize))
  const done = new Map<number, UploadedPart>()
  let bytes = 0
  let remounted = false
  for (let round = 0; done.size < parts.length; round++) {
    if (round > 0) yield* goingOn(job, executionId, round)
    const ranges = Ranges.missing(parts, done, partsPerRange)
    yield* shareOut(
      round,
      ranges.map((range) => ({ job, ...range, upload: executionId, uploadId, round }))
    )
    const results = yield* Effect.forEach(ranges, (range) =>
      Effect.result(DurableDeferred.await(Signals.done(round, range))).pipe(
        // The other ranges can stop. Nothing is aborted before they have.
        Effect.tap((result) =>
          Result.isFailure(result)
            ? Signals.give(Signals.upload(executionId), Signals.Stopped, "Failed")
            : Effect.void
        )
      )
    )
    for (const result of results) {
      if (Result.isFailure(result)) return yield* result.failure
      for (const part of result.success.parts) done.set(part.number, part)
      bytes += result.success.bytes
      remounted ||= result.success.remounted === true
    }
  }
  return { parts: parts.flatMap(({ number }) => done.get(number) ?? []), bytes, remounted }
})

/** Submits ranges, once: when the upload runs again after each of their ends, they already exist. */
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
 * Waits while the upload is paused; fails once it is cancelled. It records the
 * state that it found: the workflow runs again while ranges are in progress,
 * and must then take the same path.
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
      execute: Signals.state(Signals.upload(executionId))
    })
    if (state._tag === "Stopped") return yield* new Cancelled({ key })
    if (state._tag === "Going") return
    yield* DurableDeferred.await(Signals.turn(state.turn))
  }
})

/** Aborts the upload on OSS, unless another attempt can and should resume it. */
const giveUp = Effect.fnUntraced(
  function* (job: Job, executionId: string, uploadId: string, cause: Cause.Cause<Failure>) {
    const { bucket, key, onFailure } = job
    yield* Signals.give(Signals.upload(executionId), Signals.Stopped, "Failed")
    const error = Cause.findErrorOption(cause)
    if (onFailure === "keep" && Option.exists(error, isOfUse)) return
    const client = yield* (yield* Targets).client({ bucket, key })
    const abort = MultipartUpload.abort({ key, retry: RetryPolicy.backoff() }, uploadId)
    yield* Effect.provideService(abort, OssClient, client)
  },
  Effect.scoped,
  (self, { key }) =>
    Effect.catch(self, (error) =>
      Effect.logWarning(`${key}: the upload could not be aborted and stays on the server`, error)
    )
)

/** True if another attempt can use the sent parts. */
const isOfUse = (error: Failure): boolean =>
  error._tag !== "Cancelled" &&
  !(error._tag === "SourceError" && error.reason._tag === "SourceChanged")
