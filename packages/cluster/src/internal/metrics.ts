/** The metrics of a runner, for Effect's `Metric`. docs/observability.md lists them. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type * as Semaphore from "effect/Semaphore"

const executions = Metric.counter("oss.cluster.executions", {
  description: "Uploads and batches that ended on this runner",
  incremental: true
})

const activities = Metric.gauge("oss.cluster.activities", {
  description: "Small files, ranges of parts and slices of batches that this runner works on"
})

const forgotten = Metric.counter("oss.cluster.forgotten", {
  description: "Executions that were cleaned up",
  incremental: true
})

type Kind = "upload" | "batch"

const count = (kind: Kind, outcome: "completed" | "failed") =>
  Metric.update(Metric.withAttributes(executions, { kind, outcome }), 1)

/** Counts executions that end. A suspended execution, or one that moves to another runner, has not ended. */
export const ended =
  (kind: Kind) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    self.pipe(
      Effect.tap(() => count(kind, "completed")),
      Effect.tapCause((cause) => (Cause.hasInterrupts(cause) ? Effect.void : count(kind, "failed")))
    )

/** Limits the activities that run at once, and measures their number. */
export const measured = (permits: Semaphore.Semaphore): Pick<Semaphore.Semaphore, "withPermit"> => {
  let now = 0
  const change = (by: number) =>
    Effect.suspend(() => {
      now += by
      return Metric.update(activities, now)
    })
  return {
    withPermit: (self) =>
      permits.withPermit(
        Effect.acquireUseRelease(
          change(1),
          () => self,
          () => change(-1)
        )
      )
  }
}

/** Counts executions that were cleaned up. */
export const cleanedUp = (count: number): Effect.Effect<void> => Metric.update(forgotten, count)
