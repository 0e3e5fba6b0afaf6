/**
 * The way of the data, top-down: open the source and hold the checkpoint
 * (`open`), see what an earlier run left (`resume`), send what is missing and
 * make it an object (`randomAccess`, `sequential`), remove the checkpoint last.
 *
 * Data could be lost where an answer is: each such place is settled by asking
 * OSS what it has, never by guessing.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { CheckpointLog } from "../../CheckpointStore.ts"
import { UploadEvent } from "../../UploadEvent.ts"
import type { UploadError, UploadRequest } from "../../UploadRequest.ts"
import type * as Slots from "../slots/slots.ts"
import * as OwnErrors from "../source/ownErrors.ts"
import * as Store from "./complete.ts"
import * as Identical from "./identical.ts"
import { logged, sample, seen } from "./observability.ts"
import { open } from "./open.ts"
import * as RandomAccess from "./randomAccess.ts"
import type { UploadSession } from "./resume.ts"
import { resume } from "./resume.ts"
import * as Sequential from "./sequential.ts"

/** How often `Progress` is sampled. */
export const sampleEvery = Duration.millis(200)

export interface RunOptions {
  readonly report: (event: UploadEvent) => Effect.Effect<void>
  /** How often `Progress` is reported. Default: at the end only. */
  readonly sampling?: Duration.Duration
  /** Gives an upload the slots for so many parts at once. Default: they are its own. */
  readonly slots?: Slots.Share
}

/** Opens what an upload holds until its end, and runs it. */
export const run = <E, R>(
  request: UploadRequest<E, R>,
  { report: tell, sampling, slots }: RunOptions
) => {
  const { key, skipIdentical = false } = request
  const report = (event: UploadEvent) => Effect.andThen(logged(event), tell(event))
  const ownErrors = OwnErrors.make<E>(request.source.name)
  return open(request, ownErrors, report, slots).pipe(
    Effect.tap((session) =>
      sampling === undefined ? Effect.void : Effect.forkScoped(sample(session, sampling))
    ),
    Effect.flatMap((session) => transfer(session, skipIdentical)),
    Effect.mapError(ownErrors.restore),
    Effect.scoped,
    Effect.tap((result) => report(UploadEvent.cases.Completed.make({ result }))),
    seen("Upload.upload", key)
  )
}

/** From what an earlier run left to an object that is proven whole. */
const transfer = Effect.fnUntraced(function* (
  session: UploadSession,
  skipIdentical: NonNullable<UploadRequest["skipIdentical"]>
) {
  const { source, log } = session
  const identical =
    skipIdentical === false ? Option.none() : yield* Identical.find(session, skipIdentical)
  if (Option.isSome(identical)) {
    yield* log.remove
    return { ...(yield* Store.finished(session, identical.value)), skipped: true as const }
  }
  const earlier = yield* resume(session)
  const store =
    source._tag === "RandomAccess"
      ? RandomAccess.send({ ...session, source }, earlier)
      : Sequential.send({ ...session, source }, earlier)
  // Where only the callback failed there is nothing left to resume.
  const stored = yield* Effect.tapError(store, callbackFailed(log))
  yield* log.remove
  return yield* Store.finished(session, stored)
})

const callbackFailed = (log: CheckpointLog) => (error: UploadError) =>
  error._tag === "OssError" && error.reason._tag === "CallbackFailed" ? log.remove : Effect.void
