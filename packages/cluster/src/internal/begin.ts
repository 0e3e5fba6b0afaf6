/**
 * Gets the one upload id of an execution. Several runners may try at the same
 * time, for example one that was suspended and one that took over. They record
 * their upload ids in the signals of the execution. The first recorded id wins;
 * a runner that got another id aborts it.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Job } from "./uploadWorkflow.ts"
import { UploadWorkflow } from "./uploadWorkflow.ts"
import * as Ranges from "./ranges.ts"
import * as Signals from "./signals.ts"
import * as Steps from "./steps.ts"

type Begun = (typeof Signals.Begun)["successSchema"]["Type"]

/** Another runner has recorded an upload id already. */
class Overtaken extends Data.TaggedError("Overtaken")<{}> {}

/** The execution's upload id: the recorded one, the one that a failed attempt left, or a new one. */
export const begin = Effect.fnUntraced(function* (job: Job, executionId: string) {
  const known = yield* Signals.read(Signals.upload(executionId), Signals.Begun)
  if (Option.isSome(known)) return known.value
  const steps = yield* Steps.open(job)
  const carried = yield* left(job, steps.client)
  if (Option.isSome(carried)) return yield* record(job, executionId, carried.value)
  const enter = Effect.fnUntraced(function* (uploadId: string) {
    const begun = yield* record(job, executionId, uploadId)
    if (begun.uploadId !== uploadId) return yield* new Overtaken()
  })
  yield* Effect.catchTag(steps.initiate(enter), "Overtaken", () => Effect.void)
  return Option.getOrThrow(yield* Signals.read(Signals.upload(executionId), Signals.Begun))
}, Effect.scoped)

/** The upload that the previous attempt left on OSS, if it can be resumed. */
const left = Effect.fnUntraced(function* (
  job: Job,
  client: Effect.Success<ReturnType<typeof Steps.open>>["client"]
) {
  if (job.attempt === 0) return Option.none<string>()
  const before = yield* UploadWorkflow.executionId({ ...job, attempt: job.attempt - 1 })
  const begun = yield* Signals.read(Signals.upload(before), Signals.Begun)
  if (Option.isNone(begun)) return Option.none<string>()
  const upload = { key: job.key, uploadId: begun.value.uploadId }
  if (begun.value.job.partSize !== job.partSize) {
    yield* Effect.catch(client.abort(upload), (error) =>
      Effect.logWarning(`${job.key}: an upload could not be aborted and stays on the server`, error)
    )
    return Option.none<string>()
  }
  // An upload that can't be listed may be gone.
  return yield* Effect.option(client.listParts(upload)).pipe(Effect.map(Option.as(upload.uploadId)))
})

/** Records an upload id and returns the one that was recorded first. */
const record = Effect.fnUntraced(function* (job: Job, executionId: string, uploadId: string) {
  const partsPerRange = Ranges.partsPerRange(Math.ceil(job.size / job.partSize))
  const begun: Begun = { job, uploadId, partsPerRange }
  yield* Signals.give(Signals.upload(executionId), Signals.Begun, begun)
  return Option.getOrElse(
    yield* Signals.read(Signals.upload(executionId), Signals.Begun),
    () => begun
  )
})
