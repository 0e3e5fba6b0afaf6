/**
 * Runs uploads. A process with this layer is one of the machines that share the
 * cluster's work. The workflow engine decides how runners find each other and
 * where messages are kept.
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
 * The limits of one runner.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * The sources that the runner may read: directories, and the beginnings of
   * URLs, such as `https://mirror.example/pub/`. It refuses any other source,
   * and any link that leads out of a directory. `/`, `http://` and `https://`
   * allow everything.
   */
  readonly roots: ReadonlyArray<string>
  /** The buckets and key prefixes that the runner may store objects in. It refuses other uploads. Default: everything that its keys allow. */
  readonly targets?: ReadonlyArray<Target> | undefined
  /** Removes uploads from the database this long after their end, see `Uploads.cleanUp`. Default: never. */
  readonly retention?: Duration.Input | undefined
  /** The number of small files and ranges of parts in progress at once. Default: 4. */
  readonly activities?: number | undefined
  /** The number of parts of each range in flight at once. Default: 5. */
  readonly parts?: number | undefined
  /** How often running work checks whether it must pause or stop. Default: 2 seconds. */
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
    /** One error for each thing that is missing. */
    problems: Schema.NonEmptyArray(Schema.Union([OssError, InvalidRequest]))
  }
) {
  override get message(): string {
    return this.problems.map(({ message }) => message).join("; ")
  }
}

/**
 * Checks, before the runner takes work, that it has keys, that it can read its
 * roots, and that it can store objects in its targets. For each target it
 * begins an upload and aborts it. Fails with everything that is missing.
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
 * Runs uploads and ranges of their parts until the layer is released.
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

/** Every runner does this; two at once do no harm. */
const forgetting = (retention: Duration.Input | undefined) =>
  Layer.effectDiscard(
    retention === undefined
      ? Effect.void
      : Uploads.cleanUp({ olderThan: retention }).pipe(
          Effect.repeat(Schedule.jittered(Schedule.spaced("1 hour"))),
          Effect.forkScoped
        )
  )
