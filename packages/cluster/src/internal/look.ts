/**
 * Wakes an execution that is suspended and has missed its wake-up. The engine
 * leaves that to those who wait for a result, since a wake-up can get lost where
 * a runner hangs or dies; but nobody waits for an upload that was submitted, or
 * for its ranges.
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
 * Has the execution looked at in one or two periods, by whatever runner it then
 * belongs to: if it is suspended it is run again, which costs a few queries and,
 * where it is suspended for a reason, changes nothing.
 */
export const later = (
  workflow: Workflow.Any,
  executionId: string
): Effect.Effect<void, never, WorkflowEngine> =>
  Effect.gen(function* () {
    const engine = yield* WorkflowEngine
    const now = yield* Clock.currentTimeMillis
    // One for all who ask within the same period.
    const at = Math.floor(now / period) + 2
    const clock = DurableClock.make({
      name: `Look/${at}`,
      duration: Duration.millis(at * period - now)
    })
    yield* engine.scheduleClock(workflow, { executionId, clock })
  }).pipe(
    // A database that is away is no reason to fail.
    Effect.catchCauseIf(
      (cause) => !Cause.hasInterrupts(cause),
      () => Effect.void
    )
  )
