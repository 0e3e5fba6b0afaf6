/**
 * Signals to and from a running upload. Each signal is a durable deferred of
 * its execution, so it survives every runner and can be read from any. If two
 * runners complete the same signal, the first one wins, and both can read the
 * winner's value. This stops a suspended runner that wakes after another has
 * taken over: it can't continue with an upload id of its own.
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

/** The execution that the signals belong to. */
export interface Of {
  readonly workflow: Workflow.Any
  readonly executionId: string
}
export const upload = (executionId: string): Of => ({ workflow: UploadWorkflow, executionId })
export const batch = (executionId: string): Of => ({ workflow: BatchWorkflow, executionId })
export const slice = (executionId: string): Of => ({ workflow: SliceWorkflow, executionId })

/** The upload id and the part ranges are known. */
export const Begun = DurableDeferred.make("Begun", {
  success: Schema.Struct({
    job: Job,
    uploadId: Schema.NonEmptyString,
    partsPerRange: Schema.Int
  })
})

/** The parts of a range that were sent: its first parts, or all. */
export const Sent = Schema.Struct({
  parts: Schema.Array(Checkpoint.PartRecord),
  /** The number of bytes given to the network. */
  bytes: Schema.Int,
  /** The source had another inode than at submission: its parts are compared before they become an object. */
  remounted: Schema.optionalKey(Schema.Boolean)
})

/** The result of a range. `round` is the number of times that the upload was resumed after a pause. */
export const done = (round: number, { first, last }: Range) =>
  DurableDeferred.make(`Done/${round}/${first}-${last}`, { success: Sent, error: Failure })

/** The result of the files of a slice. */
export const Sliced = BatchResult.mapFields(({ bucket: _, key: __, ...fields }) => fields)

/** The result of a slice of a batch. */
export const sliced = (index: number) =>
  DurableDeferred.make(`Sliced/${index}`, { success: Sliced, error: Failure })

/** No more parts may be sent. */
export const Stopped = DurableDeferred.make("Stopped", {
  success: Schema.Literals(["Cancelled", "Failed"])
})

/** An even number pauses the upload; an odd number resumes it. */
export const turn = (number: number) => DurableDeferred.make(`Turn/${number}`)

/** The value of a signal; none if it was not given, or is a failure. */
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

/** Whether parts may be sent. `turn` is the number of the next turn. */
export const State = Schema.TaggedUnion({
  Going: { turn: Schema.Int },
  Paused: { turn: Schema.Int },
  Stopped: { why: Stopped.successSchema }
})
export type State = typeof State.Type

/** Reads whether parts may be sent. `from` is a turn that is known to be the next one, or a later one. */
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
