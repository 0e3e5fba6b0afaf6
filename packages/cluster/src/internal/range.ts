/**
 * A range of parts: a workflow of its own, so that it may run on another runner
 * than the upload it belongs to, and on another one again if that dies.
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
 * Sends the parts from `first` to `last`, fewer if the upload is paused or
 * stopped meanwhile, and tells the upload by a signal. The upload doesn't wait
 * for it in memory: who waits so can't be moved to another runner, and where
 * two wait for each other's, neither gets any further.
 */
export const RangeWorkflow = Workflow.make("@effect-oss/cluster/Range", {
  payload: {
    job: Job,
    /** The execution that it is a range of. */
    upload: Schema.String,
    uploadId: Schema.String,
    round: Schema.Int,
    first: Schema.Int,
    last: Schema.Int
  },
  idempotencyKey: ({ upload, uploadId, round, first, last }) =>
    JSON.stringify([upload, uploadId, round, first, last])
})

/** What a runner has to give. */
export interface Capacity {
  /** One permit for each activity at a time. */
  readonly activities: Pick<Semaphore.Semaphore, "withPermit">
  /** How many parts of a range are on their way at once. */
  readonly parts: number
  /** How often an activity looks for signals. */
  readonly signalsEvery: Duration.Input
}

/** Which parts, of which upload. */
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
  // Parts that are on their way when the upload is paused are finished; when it is stopped they are not.
  yield* Effect.raceAllFirst([
    Effect.forEach(tasks, one, { concurrency: capacity.parts, discard: true }),
    untilStopped(range.upload, state.turn, capacity, going),
    untilLost(executionId, capacity)
  ])
  yield* steps.unchanged
  sent.sort((a, b) => a.number - b.number)
  return { parts: sent, bytes, ...(steps.isRemounted ? { remounted: true } : {}) }
}, Effect.scoped)

/** Looks for signals until there is one to stop. */
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
 * Looks whether this runner still has the lock of the range's shard. One that
 * has lost it gets no other before all that it does has ended.
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
