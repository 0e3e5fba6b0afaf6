/** Reads the state of executions from the cluster's database. */
import type { UploadedPart } from "@effect-oss/core/Part"
import * as Part from "@effect-oss/core/Part"
import type { UploadResult } from "@effect-oss/core/UploadEvent"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Iterable from "effect/Iterable"
import * as Option from "effect/Option"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import type { BatchResult } from "./batchWorkflow.ts"
import { BatchWorkflow } from "./batchWorkflow.ts"
import type { Execution } from "./execution.ts"
import type { Status } from "../Uploads.ts"
import type { Failure } from "../ClusterError.ts"
import { UploadWorkflow } from "./uploadWorkflow.ts"
import * as Ranges from "./ranges.ts"
import * as Signals from "./signals.ts"
import { sumOf } from "./slice.ts"

/** The state of an execution. */
export const statusOf = (execution: Execution): Effect.Effect<Status, never, WorkflowEngine> =>
  execution.kind === "Batch" ? ofBatch(execution) : ofUpload(execution.id)

const ofBatch = Effect.fnUntraced(function* ({
  id,
  size,
  files,
  slices
}: Execution): Effect.fn.Return<Status, never, WorkflowEngine> {
  const ended = yield* BatchWorkflow.poll(id)
  if (Option.isSome(ended) && ended.value._tag === "Complete") {
    return endOf(ended.value.exit, (result) => ({ _tag: "BatchEnded", result }))
  }
  const paused = (yield* Signals.state(Signals.batch(id)))._tag === "Paused"
  if (Option.isNone(ended)) return { _tag: "Waiting", paused }
  const found = yield* Effect.forEach(
    Array.from({ length: slices }, (_, index) => index),
    (index) => Signals.read(Signals.batch(id), Signals.sliced(index)),
    { concurrency: 8 }
  )
  const sent = sumOf(found.flatMap(Option.toArray))
  const done = sent.files + sent.failed
  return { _tag: "Sending", durable: sent.size, total: size, paused, files: { done, all: files } }
})

const ofUpload = Effect.fnUntraced(function* (
  id: string
): Effect.fn.Return<Status, never, WorkflowEngine> {
  const ended = yield* UploadWorkflow.poll(id)
  if (Option.isSome(ended) && ended.value._tag === "Complete")
    return endOf(ended.value.exit, (result) => ({ _tag: "Completed", result }))
  const state = yield* Signals.state(Signals.upload(id))
  const paused = state._tag === "Paused"
  const begun = yield* Signals.read(Signals.upload(id), Signals.Begun)
  if (Option.isNone(begun)) return { _tag: "Waiting", paused }
  const { job, partsPerRange } = begun.value
  const { parts } = yield* Effect.orDie(Effect.fromResult(Part.plan(job.size, job.partSize)))
  const done = new Map<number, UploadedPart>()
  for (let round = 0, further = true; further && done.size < parts.length; round++) {
    const ranges = yield* Effect.forEach(
      Ranges.missing(parts, done, partsPerRange),
      (range) => Signals.read(Signals.upload(id), Signals.done(round, range)),
      { concurrency: 8 }
    )
    further = ranges.every(Option.isSome)
    for (const sent of ranges.flatMap(Option.toArray)) {
      for (const part of sent.parts) done.set(part.number, part)
    }
  }
  return {
    _tag: "Sending",
    durable: Iterable.reduce(done.values(), 0, (bytes, { size }) => bytes + size),
    total: job.size,
    paused
  }
})

const endOf = <A extends UploadResult | BatchResult>(
  exit: Exit.Exit<A, Failure>,
  onSuccess: (result: A) => Status
): Status => {
  if (Exit.isSuccess(exit)) return onSuccess(exit.value)
  return Option.match(Cause.findErrorOption(exit.cause), {
    onSome: (error): Status => ({ _tag: "Failed", error }),
    onNone: () => ({ _tag: "Defect", cause: exit.cause as Cause.Cause<never> })
  })
}
