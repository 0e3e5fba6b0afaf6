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
import type * as Workflow from "effect/workflow/Workflow"
import { BatchResult, BatchWorkflow } from "./batchWorkflow.ts"
import { Failure } from "../ClusterError.ts"
import { Job, UploadWorkflow } from "./uploadWorkflow.ts"
import type { Range } from "./ranges.ts"
import { SliceWorkflow } from "./sliceWorkflow.ts"

/** Whose signals they are. */
export interface Of {
  readonly workflow: Workflow.Any
  readonly executionId: string
}
export const upload = (executionId: string): Of => ({ workflow: UploadWorkflow, executionId })
export const batch = (executionId: string): Of => ({ workflow: BatchWorkflow, executionId })
export const slice = (executionId: string): Of => ({ workflow: SliceWorkflow, executionId })

/** There is an upload id, and how the parts are shared out. */
export const Begun = DurableDeferred.make("Begun", {
  success: Schema.Struct({
    job: Job,
    uploadId: Schema.NonEmptyString,
    partsPerRange: Schema.Int
  })
})

/** What was sent of a range: the first parts of it, or all. */
export const Sent = Schema.Struct({
  parts: Schema.Array(Checkpoint.PartRecord),
  /** Given to the network, in bytes. */
  bytes: Schema.Int,
  /** The source had another inode than when it was submitted: its parts are compared before they become an object. */
  remounted: Schema.optionalKey(Schema.Boolean)
})

/** What became of a range. `round` tells how often the upload went on after a pause. */
export const done = (round: number, { first, last }: Range) =>
  DurableDeferred.make(`Done/${round}/${first}-${last}`, { success: Sent, error: Failure })

/** What became of the files of a slice. */
export const Sliced = BatchResult.mapFields(({ bucket: _, key: __, ...fields }) => fields)

/** What became of a slice of a batch. */
export const sliced = (index: number) =>
  DurableDeferred.make(`Sliced/${index}`, { success: Sliced, error: Failure })

/** No part is to be sent any more. */
export const Stopped = DurableDeferred.make("Stopped", {
  success: Schema.Literals(["Cancelled", "Failed"])
})

/** Pauses if its number is even, goes on if it is odd. */
export const turn = (number: number) => DurableDeferred.make(`Turn/${number}`)

/** What a signal says; none if it was not given, or is a failure. */
export const read = <Success extends Schema.Constraint, Error extends Schema.Constraint>(
  { workflow, executionId }: Of,
  signal: DurableDeferred.DurableDeferred<Success, Error>
): Effect.Effect<
  Option.Option<Success["Type"]>,
  never,
  WorkflowEngine | Success["DecodingServices"] | Error["DecodingServices"]
> =>
  Effect.gen(function* () {
    const engine = yield* WorkflowEngine
    const instance = WorkflowInstance.initial(workflow, executionId)
    const exit = yield* Effect.provideService(
      engine.deferredResult(signal),
      WorkflowInstance,
      instance
    )
    return Option.flatMap(exit, Exit.getSuccess)
  })

/** Gives a signal, unless it was given before. */
export const give = <Success extends Schema.Constraint>(
  of: Of,
  signal: DurableDeferred.DurableDeferred<Success>,
  value: Success["Type"]
): Effect.Effect<void, never, WorkflowEngine | Success["EncodingServices"]> =>
  end(of, signal, Exit.succeed(value))

/** Gives a signal that may also be a failure, unless it was given before. */
export const end = <Success extends Schema.Constraint, Error extends Schema.Constraint>(
  { workflow, executionId }: Of,
  signal: DurableDeferred.DurableDeferred<Success, Error>,
  exit: Exit.Exit<Success["Type"], Error["Type"]>
): Effect.Effect<
  void,
  never,
  WorkflowEngine | Success["EncodingServices"] | Error["EncodingServices"]
> =>
  DurableDeferred.done(signal, {
    token: DurableDeferred.tokenFromExecutionId(signal, { workflow, executionId }),
    exit
  })

/** Whether parts are to be sent; `turn` is the number of the next one. */
export const State = Schema.TaggedUnion({
  Going: { turn: Schema.Int },
  Paused: { turn: Schema.Int },
  Stopped: { why: Stopped.successSchema }
})
export type State = typeof State.Type

/** Whether parts are to be sent. `from` is a turn that is known to be the next one, or a later one. */
export const state = Effect.fnUntraced(function* (
  of: Of,
  from = 0
): Effect.fn.Return<State, never, WorkflowEngine> {
  const stopped = yield* read(of, Stopped)
  if (Option.isSome(stopped)) return { _tag: "Stopped", why: stopped.value }
  let next = from
  while (Option.isSome(yield* read(of, turn(next)))) next++
  return { _tag: next % 2 === 0 ? "Going" : "Paused", turn: next }
})
