/**
 * Getting an upload id, and giving one up. An id whose answer is lost would
 * stay on the server for ever, so the checkpoint says beforehand that one is
 * being asked for, and which ones the key had already; whoever finds that
 * record aborts what has appeared since.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Checkpoint from "../../Checkpoint.ts"
import type { CheckpointError } from "../../CheckpointStore.ts"
import type { OssError } from "../../OssError.ts"
import { uploadsOfKey } from "./listing.ts"
import type { Requests, Session } from "./session.ts"
import { once, request } from "./session.ts"

/** Asks OSS for an upload id and records it. */
export const obtain = Effect.fnUntraced(function* (
  session: Session,
  header: Omit<Checkpoint.Header, "phase">
): Effect.fn.Return<string, OssError | CheckpointError> {
  const before = yield* uploadsOfKey(session)
  const phase = Checkpoint.Phase.cases.Initiating.make({
    known: Option.match(before, {
      onNone: () => null,
      onSome: ({ uploads }) => uploads.map(({ uploadId }) => uploadId)
    }),
    serverTime: Option.match(before, { onNone: () => 0, onSome: ({ serverTime }) => serverTime })
  })
  yield* session.log.begin({ ...header, phase })
  let answerLost = false
  const sent = once(session, "initiate", session.client.initiate(session.key, session.options))
  const initiate = Effect.tapError(sent, (error) =>
    Effect.sync(() => (answerLost ||= error.isAmbiguous))
  )
  // Where OSS surely made none there is nothing to find later.
  const forget = Effect.suspend(() => (answerLost ? Effect.void : session.log.remove))
  return yield* Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const asked = restore(session.retrying(initiate))
      const { uploadId } = yield* Effect.tapError(asked, () => forget)
      if (answerLost) yield* restore(abortLeftovers(session, phase, uploadId))
      const uploading = Checkpoint.Phase.cases.Uploading.make({ uploadId })
      // What can't be recorded nobody would find: another upload may have the checkpoint by now.
      yield* Effect.tapError(session.log.begin({ ...header, phase: uploading }), () =>
        restore(abandon(session, uploadId))
      )
      return uploadId
    })
  )
})

/** Gives up what a checkpoint's header stands for; that OSS no longer knows it is success. */
export const giveUp = (
  requests: Requests,
  header: Checkpoint.Header
): Effect.Effect<void, OssError | CheckpointError> =>
  header.phase._tag === "Uploading"
    ? abort(requests, header.phase.uploadId)
    : abortLeftovers(requests, header.phase)

/** RAM may forbid to abort; then a lifecycle rule of the bucket has to clean up. */
export const abort = (requests: Requests, uploadId: string): Effect.Effect<void, OssError> =>
  request(requests, "abort", requests.client.abort({ key: requests.key, uploadId })).pipe(
    Effect.catchReason("OssError", "NoSuchUpload", () => Effect.void),
    Effect.catchReason("OssError", "AccessDenied", (_, error) =>
      Effect.logWarning(`an upload could not be aborted and stays on the server`, error)
    )
  )

/** Aborts an upload that is of no use to anybody, if OSS lets it: that is not what the run is about. */
export const abandon = (requests: Requests, uploadId: string): Effect.Effect<void> =>
  Effect.catch(abort(requests, uploadId), (error) =>
    Effect.logWarning(`an upload could not be aborted and stays on the server`, error)
  )

/**
 * Aborts the uploads that a lost Initiate may have left: new since the record
 * was made, without parts, and in no other checkpoint of this store.
 */
const abortLeftovers = Effect.fnUntraced(function* (
  requests: Requests,
  phase: Extract<Checkpoint.Phase, { readonly _tag: "Initiating" }>,
  spare?: string
): Effect.fn.Return<void, OssError | CheckpointError> {
  if (phase.known === null) return
  const now = yield* uploadsOfKey(requests)
  if (Option.isNone(now)) return
  const others = yield* Stream.runCollect(
    requests.store.listObject({
      endpoint: requests.client.endpoint,
      bucket: requests.client.bucket,
      key: requests.key
    })
  )
  const suspects = Checkpoint.leftovers(
    phase,
    now.value.uploads,
    others.map(({ header }) => header)
  ).filter((uploadId) => uploadId !== spare)
  for (const uploadId of suspects) {
    if (yield* isEmpty(requests, uploadId)) yield* abort(requests, uploadId)
  }
})

const isEmpty = (requests: Requests, uploadId: string): Effect.Effect<boolean, OssError> =>
  request(requests, "listParts", requests.client.listParts({ key: requests.key, uploadId })).pipe(
    Effect.map(({ parts }) => parts.length === 0),
    Effect.catchReason("OssError", "NoSuchUpload", () => Effect.succeed(false)),
    Effect.catchReason("OssError", "AccessDenied", () => Effect.succeed(false))
  )
