/**
 * Runs uploads: what a process has to offer to be one of the machines that they
 * are shared out among. How it is found by the others, and where messages are
 * kept, is the workflow engine's business.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import type { HttpClient } from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { BatchWorkflow } from "./internal/batchWorkflow.ts"
import type { Buckets } from "./Buckets.ts"
import { run as runBatch } from "./internal/batch.ts"
import { run as runSlice } from "./internal/slice.ts"
import { SliceWorkflow } from "./internal/sliceWorkflow.ts"
import type { Capacity } from "./internal/range.ts"
import { RangeWorkflow, run as runRange } from "./internal/range.ts"
import * as Roots from "./internal/roots.ts"
import { UploadWorkflow } from "./internal/uploadWorkflow.ts"
import * as Metrics from "./internal/metrics.ts"
import * as Preflight from "./internal/preflight.ts"
import { run as runUpload } from "./internal/upload.ts"
import * as Targets from "./internal/targets.ts"
import type { Target } from "./internal/targets.ts"
import * as Uploads from "./Uploads.ts"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { OssError } from "@effect-oss/core/OssError"
import { InvalidRequest } from "@effect-oss/core/UploadError"
import type { Executions } from "./Executions.ts"

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
  /** Buckets, and what keys begin with, that the runner stores objects in. Uploads to others are refused. Default: whatever its keys allow. */
  readonly targets?: ReadonlyArray<Target> | undefined
  /** Uploads that ended so long ago are forgotten, see `Uploads.cleanUp`. Default: never. */
  readonly retention?: Duration.Input | undefined
  /** Small files and ranges of parts that are worked on at once. Default: 4. */
  readonly activities?: number | undefined
  /** Parts of each range that are on their way at once. Default: 5. */
  readonly parts?: number | undefined
  /** How often work that is under way looks whether it is to pause or to stop. Default: 2 seconds. */
  readonly signalsEvery?: Duration.Input | undefined
}

/**
 * The runner lacks something that every upload needs.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotReady extends Schema.TaggedError<NotReady>("@effect-oss/cluster/NotReady")(
  "NotReady",
  {
    /** Everything that is missing, one error each. */
    problems: Schema.NonEmptyArray(Schema.Union([OssError, InvalidRequest]))
  }
) {
  override get message(): string {
    return this.problems.map(({ message }) => message).join("; ")
  }
}

/**
 * Checks what a runner needs, before it takes work: that there are keys, that
 * its roots can be read, and that objects can be stored in its targets, by
 * beginning an upload in each and giving it up. Fails with all that is missing.
 *
 * @category running
 * @since 0.1.0
 */
export const preflight = Effect.fn("UploadRunner.preflight")(function* (
  options: Options
): Effect.fn.Return<void, NotReady, Buckets | FileSystem> {
  const problems = yield* Preflight.problems(options)
  if (Arr.isReadonlyArrayNonEmpty(problems)) return yield* new NotReady({ problems })
})

/**
 * Takes on uploads and ranges of their parts, for as long as it is there.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options
): Layer.Layer<never, never, WorkflowEngine | Executions | Buckets | FileSystem | HttpClient> =>
  Layer.unwrap(
    Effect.sync(() => {
      const capacity: Capacity = {
        activities: Metrics.measured(Semaphore.makeUnsafe(options.activities ?? 4)),
        parts: options.parts ?? 5,
        signalsEvery: options.signalsEvery ?? "2 seconds"
      }
      return Layer.mergeAll(
        UploadWorkflow.toLayer((job, id) => Metrics.ended("upload")(runUpload(capacity)(job, id))),
        RangeWorkflow.toLayer(runRange(capacity)),
        BatchWorkflow.toLayer((batch, id) => Metrics.ended("batch")(runBatch(batch, id))),
        SliceWorkflow.toLayer(runSlice(capacity)),
        forgetting(options.retention)
      ).pipe(Layer.provide([Roots.layer(options.roots), Targets.layer(options.targets)]))
    })
  )

/** Each runner does it; two at once do no harm. */
const forgetting = (retention: Duration.Input | undefined) =>
  Layer.effectDiscard(
    retention === undefined
      ? Effect.void
      : Uploads.cleanUp({ olderThan: retention }).pipe(
          Effect.repeat(Schedule.jittered(Schedule.spaced("1 hour"))),
          Effect.forkScoped
        )
  )
