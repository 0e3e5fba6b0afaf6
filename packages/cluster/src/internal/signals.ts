/**
 * What an upload is told, and what it tells, while it runs. Each is a durable
 * deferred of its execution, so that it outlives every runner, and can be read
 * from any. Of two that complete the same one, the first wins, and both can
 * read which that was: that is what keeps a runner that was suspended, and
 * wakes when another has taken over, from going on with an upload id of its own.
 */
import * as Checkpoint from "@effect-oss/core/Checkpoint"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import { WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { Job, UploadWorkflow } from "../UploadWorkflow.ts"

/** OSS is being asked for an upload id. */
export const Initiating = DurableDeferred.make("Initiating", {
  success: Checkpoint.Phase.cases.Initiating
})

/** There is an upload id, and how the parts are shared out. */
export const Begun = DurableDeferred.make("Begun", {
  success: Schema.Struct({
    job: Job,
    uploadId: Schema.NonEmptyString,
    partsPerRange: Schema.Int
  })
})

/** No part is to be sent any more. */
export const Stopped = DurableDeferred.make("Stopped", {
  success: Schema.Literals(["Cancelled", "Failed"])
})

/** Pauses if its number is even, goes on if it is odd. */
export const turn = (number: number) => DurableDeferred.make(`Turn/${number}`)

/** What a signal says; none if it was not given. */
export const read = <Success extends Schema.Constraint>(
  executionId: string,
  signal: DurableDeferred.DurableDeferred<Success>
): Effect.Effect<
  Option.Option<Success["Type"]>,
  never,
  WorkflowEngine | Success["DecodingServices"]
> =>
  Effect.gen(function* () {
    const engine = yield* WorkflowEngine
    const instance = WorkflowInstance.initial(UploadWorkflow, executionId)
    const exit = yield* Effect.provideService(
      engine.deferredResult(signal),
      WorkflowInstance,
      instance
    )
    return Option.flatMap(exit, Exit.getSuccess)
  })

/** Gives a signal, unless it was given before. */
export const give = <Success extends Schema.Constraint>(
  executionId: string,
  signal: DurableDeferred.DurableDeferred<Success>,
  value: Success["Type"]
): Effect.Effect<void, never, WorkflowEngine | Success["EncodingServices"]> =>
  DurableDeferred.done(signal, {
    token: DurableDeferred.tokenFromExecutionId(signal, { workflow: UploadWorkflow, executionId }),
    exit: Exit.succeed(value)
  })

/** Whether parts are to be sent. */
export type State =
  | { readonly _tag: "Going"; readonly turn: number }
  | { readonly _tag: "Paused"; readonly turn: number }
  | { readonly _tag: "Stopped"; readonly why: "Cancelled" | "Failed" }

/** Whether parts are to be sent. `from` is a turn that is known to be the next one, or a later one. */
export const state = Effect.fnUntraced(function* (executionId: string, from = 0) {
  const stopped = yield* read(executionId, Stopped)
  if (Option.isSome(stopped)) return { _tag: "Stopped", why: stopped.value } satisfies State
  let next = from
  while (Option.isSome(yield* read(executionId, turn(next)))) next++
  return { _tag: next % 2 === 0 ? "Going" : "Paused", turn: next } satisfies State
})
