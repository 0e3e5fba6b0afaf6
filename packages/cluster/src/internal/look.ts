/**
 * Wakes a suspended execution that missed its wake-up. A wake-up can get lost
 * when a runner hangs or dies. The engine relies on callers that wait for a
 * result, but nothing waits for a submitted upload or for its ranges.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as DurableClock from "effect/workflow/DurableClock"
import type * as Workflow from "effect/workflow/Workflow"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"

/** In milliseconds. */
const period = 20_000

/**
 * Schedules a check of the execution in one or two periods, on the runner that
 * owns it then. If the execution is suspended, it runs again. That costs a few
 * queries, and changes nothing if the execution still has a reason to be
 * suspended.
 */
export const later = (
  workflow: Workflow.Any,
  executionId: string
): Effect.Effect<void, never, WorkflowEngine> =>
  Effect.gen(function* () {
    const engine = yield* WorkflowEngine
    const now = yield* Clock.currentTimeMillis
    // All calls within the same period share one check.
    const at = Math.floor(now / period) + 2
    const clock = DurableClock.make({
      name: `Look/${at}`,
      duration: Duration.millis(at * period - now)
    })
    yield* engine.scheduleClock(workflow, { executionId, clock })
  }).pipe(
    // An unreachable database must not fail the upload.
    Effect.catchCauseIf(
      (cause) => !Cause.hasInterrupts(cause),
      () => Effect.void
    )
  )
