/**
 * A range of parts. It is a workflow of its own, so that it can run on another
 * runner than its upload, and move to a third one if that runner dies.
 */
import type { UploadedPart } from "@effect-oss/core/Part"
import * as Part from "@effect-oss/core/Part"
import * as Cause from "effect/Cause"
import * as EntityId from "effect/cluster/EntityId"
import { Sharding } from "effect/cluster/Sharding"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import type * as Semaphore from "effect/Semaphore"
import * as Activity from "effect/workflow/Activity"
import * as Workflow from "effect/workflow/Workflow"
import { Failure } from "../ClusterError.ts"
import { Job } from "./uploadWorkflow.ts"
import * as Look from "./look.ts"
import { patiently } from "./patiently.ts"
import * as Signals from "./signals.ts"
import * as Steps from "./steps.ts"

const nothing: typeof Signals.Sent.Type = { parts: [], bytes: 0 }

/**
 * Sends the parts from `first` to `last`, or fewer if the upload is paused or
 * stopped meanwhile, and reports to the upload with a signal. The upload
 * doesn't wait in memory: a workflow that waits in memory can't move to another
 * runner, and two runners that wait for each other would deadlock.
 */
export const RangeWorkflow = Workflow.make("@effect-oss/cluster/Range", {
  payload: {
    job: Job,
    /** The execution that it belongs to. */
    upload: Schema.String,
    uploadId: Schema.String,
    round: Schema.Int,
    first: Schema.Int,
    last: Schema.Int
  },
  idempotencyKey: ({ upload, uploadId, round, first, last }) =>
    JSON.stringify([upload, uploadId, round, first, last])
})

/** The capacity of a runner. */
export interface Capacity {
  /** Has one permit for each concurrent activity. */
  readonly activities: Pick<Semaphore.Semaphore, "withPermit">
  /** The number of parts of a range in flight at once. */
  readonly parts: number
  /** How often an activity checks for signals. */
  readonly signalsEvery: Duration.Input
}

/** The upload and the numbers of its parts. */
export type Range = Workflow.PayloadSchema<typeof RangeWorkflow>["Type"]

/** The workflow's body. */
export const run = (capacity: Capacity) => (range: Range, executionId: string) => {
  const tell = (exit: Exit.Exit<typeof Signals.Sent.Type, Failure>) =>
    Signals.end(Signals.upload(range.upload), Signals.done(range.round, range), exit)
  const sending = patiently(
    Activity.make({
      name: "send",
      success: Signals.Sent,
      error: Failure,
      execute: capacity.activities.withPermit(send(range, executionId, capacity))
    })
  )
  return Effect.andThen(Look.later(RangeWorkflow, executionId), sending).pipe(
    Effect.matchCauseEffect({
      onSuccess: (sent) => tell(Exit.succeed(sent)),
      onFailure: (cause) =>
        Cause.hasInterruptsOnly(cause) ? Effect.failCause(cause) : tell(Exit.failCause(cause))
    }),
    Effect.catchCause((cause) => Effect.failCause(cause as Cause.Cause<never>))
  )
}

const send = Effect.fnUntraced(function* (range: Range, executionId: string, capacity: Capacity) {
  const state = yield* Signals.state(Signals.upload(range.upload))
  if (state._tag !== "Going") return nothing
  const steps = yield* Steps.open(range.job)
  const { parts } = yield* Effect.fromResult(Part.plan(range.job.size, range.job.partSize))
  const tasks = yield* steps.tasks(range.uploadId, parts.slice(range.first - 1, range.last))
  const going = yield* Ref.make(true)
  const sent: Array<UploadedPart> = []
  let bytes = 0
  const one = Effect.fnUntraced(function* (task: (typeof tasks)[number]) {
    if (!(yield* Ref.get(going))) return
    const durable = yield* steps.part(range.uploadId, task)
    sent.push(durable.part)
    bytes += durable.sent
  })
  // A pause lets parts in flight finish; a stop interrupts them.
  yield* Effect.raceAllFirst([
    Effect.forEach(tasks, one, { concurrency: capacity.parts, discard: true }),
    untilStopped(range.upload, state.turn, capacity, going),
    untilLost(executionId, capacity)
  ])
  yield* steps.unchanged
  sent.sort((a, b) => a.number - b.number)
  return { parts: sent, bytes, ...(steps.isRemounted ? { remounted: true } : {}) }
}, Effect.scoped)

/** Polls signals until the upload is stopped. */
const untilStopped = Effect.fnUntraced(function* (
  upload: string,
  from: number,
  { signalsEvery }: Capacity,
  going: Ref.Ref<boolean>
) {
  for (let turn = from; ;) {
    yield* Effect.sleep(signalsEvery)
    const state = yield* Signals.state(Signals.upload(upload), turn)
    if (state._tag === "Stopped") return
    if (state.turn !== from) yield* Ref.set(going, false)
    turn = state.turn
  }
})

/**
 * Polls until this runner has lost the lock of the range's shard. A runner that
 * has lost a lock gets no other before all its work has ended.
 */
export const untilLost = Effect.fnUntraced(function* (
  executionId: string,
  { signalsEvery }: Capacity
) {
  const sharding = yield* Effect.serviceOption(Sharding)
  if (Option.isNone(sharding)) return yield* Effect.never
  const { getShardId, hasShardId } = sharding.value
  const shard = getShardId(EntityId.make(executionId), "default")
  while (hasShardId(shard)) yield* Effect.sleep(signalsEvery)
})
