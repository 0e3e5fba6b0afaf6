/**
 * Wakes what is suspended and has missed its wake-up. The engine leaves that to
 * those who wait for a result, since a wake-up can get lost where a runner hangs
 * or dies; but nobody waits for an upload that was submitted, or for its ranges.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Workflow from "effect/workflow/Workflow"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"

/** What can be looked at, and woken. */
interface Sleeper {
  readonly poll: (
    executionId: string
  ) => Effect.Effect<Option.Option<Workflow.Result<unknown, unknown>>, never, WorkflowEngine>
  readonly resume: (executionId: string) => Effect.Effect<void, never, WorkflowEngine>
}

export interface Watch {
  /** Watches over an execution until it has ended. */
  readonly over: (workflow: Sleeper, executionId: string) => void
  /** Looks at all of them, again and again. */
  readonly run: Effect.Effect<never, never, WorkflowEngine>
}

/** To run what is suspended for a reason costs a few queries, and changes nothing. */
const every = Duration.seconds(30)

/** A database that is away is not waited for: there is a next time. */
const patience = Duration.seconds(30)

const atOnce = 4

export const make = (): Watch => {
  const watched = new Map<string, Sleeper>()
  const look = Effect.fnUntraced(
    function* ([executionId, workflow]: readonly [string, Sleeper]) {
      const result = yield* workflow.poll(executionId)
      if (result._tag === "None") return
      if (result.value._tag === "Complete") watched.delete(executionId)
      else yield* workflow.resume(executionId)
    },
    Effect.timeout(patience),
    Effect.catchCause((cause) => Effect.logDebug("Could not look at an execution", cause))
  )
  return {
    over: (workflow, executionId) => void watched.set(executionId, workflow),
    run: Effect.suspend(() =>
      Effect.forEach(Array.from(watched), look, { concurrency: atOnce, discard: true })
    ).pipe(Effect.delay(every), Effect.forever)
  }
}
