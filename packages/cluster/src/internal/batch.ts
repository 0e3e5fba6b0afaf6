/** The workflow of a batch. It waits for the slices, which were submitted before it, and adds up their results. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import type { Batch, BatchResult } from "./batchWorkflow.ts"
import { BatchWorkflow } from "./batchWorkflow.ts"
import type { Failure } from "../ClusterError.ts"
import * as Look from "./look.ts"
import * as Signals from "./signals.ts"
import { sumOf } from "./slice.ts"
import { idOf } from "./sliceWorkflow.ts"

export const run = Effect.fnUntraced(function* (batch: Batch, executionId: string) {
  yield* Look.later(BatchWorkflow, executionId)
  const results: Array<typeof Signals.Sliced.Type> = []
  let failure: Failure | undefined
  for (let index = 0; index < batch.slices; index++) {
    const result = yield* Effect.result(DurableDeferred.await(Signals.sliced(index)))
    if (Result.isSuccess(result)) {
      results.push(result.success)
      continue
    }
    // A failure of one slice applies to all slices, so the others can stop.
    if (failure === undefined) yield* stop(executionId, batch)
    failure ??= result.failure
  }
  if (failure !== undefined) return yield* failure
  const { bucket, key } = batch
  return { bucket, key, ...sumOf(results) } satisfies BatchResult
})

/** Runs an effect for each slice of a batch. */
export const each = <A, E, R>(
  executionId: string,
  { slices }: Pick<Batch, "slices">,
  tell: (slice: Signals.Of) => Effect.Effect<A, E, R>
) =>
  Effect.forEach(
    Array.from({ length: slices }, (_, index) => index),
    (index) => Effect.flatMap(idOf(executionId, index), (id) => tell(Signals.slice(id))),
    { concurrency: 8, discard: true }
  )

const stop = (executionId: string, batch: Batch) =>
  each(executionId, batch, (slice) => Signals.give(slice, Signals.Stopped, "Failed"))
