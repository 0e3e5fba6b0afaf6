/**
 * The way of what can be read at any place: with one request if it is small,
 * else in parts side by side, which become an object.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Checkpoint from "../../Checkpoint.ts"
import * as Part from "../../Part.ts"
import * as Source from "../../Source.ts"
import { UploadEvent } from "../../UploadEvent.ts"
import type { UploadError } from "../../UploadRequest.ts"
import * as Meter from "./progress.ts"
import type { Earlier, Upload, UploadSession } from "./resume.ts"
import { begin, carryOn } from "./resume.ts"
import { sendPart } from "./sendPart.ts"
import type { Session } from "./session.ts"
import { restart, unchanged } from "./session.ts"
import * as Store from "./complete.ts"
import * as UploadId from "./uploadId.ts"

/** From what an earlier run left to the object. */
export const send = (
  session: UploadSession<Source.RandomAccess>,
  earlier: Earlier
): Effect.Effect<Store.Stored, UploadError> => {
  const { size } = session.source
  const partSize = Option.getOrElse(session.partSize, () => Part.partSizeFor(size))
  switch (earlier._tag) {
    case "Stored":
      return Effect.succeed(earlier.stored)
    case "Open":
      return sendInParts(session, earlier.upload)
    case "Fresh":
      return size < partSize
        ? Store.put(session)
        : Effect.flatMap(begin(session, partSize), (upload) => sendInParts(session, upload))
  }
}

/**
 * Sends the parts and makes them an object. If OSS forgets the upload id or
 * parts of it on the way, that is mended once.
 */
const sendInParts = (
  session: UploadSession<Source.RandomAccess>,
  first: Upload
): Effect.Effect<Store.Stored, UploadError> => {
  const afresh = (reason: Checkpoint.RestartReason) =>
    restart(session, reason).pipe(
      Effect.andThen(begin(session, first.partSize)),
      Effect.flatMap((upload) => finish(session, upload))
    )
  return mended(session, finish(session, first), {
    upload: () => Option.some(first),
    again: (upload) => finish(session, upload),
    afresh
  })
}

interface Mending<A> {
  /** The one that the transfer was for, as far as it came. */
  readonly upload: () => Option.Option<Upload>
  readonly again: (upload: Upload) => Effect.Effect<A, UploadError>
  readonly afresh: (reason: Checkpoint.RestartReason) => Effect.Effect<A, UploadError>
}

/** Runs a transfer; if OSS has forgotten the upload id or parts of it, that is mended once. */
export const mended = <A>(
  session: UploadSession,
  transfer: Effect.Effect<A, UploadError>,
  { upload, again, afresh }: Mending<A>
): Effect.Effect<A, UploadError> => {
  const partsLost = (upload: Upload) =>
    Option.isNone(upload.listed)
      ? Effect.andThen(UploadId.abort(session, upload.uploadId), afresh("PartsLost"))
      : Effect.flatMap(lookAgain(session, upload), again)
  return Effect.catchReasons(transfer, "OssError", {
    NoSuchUpload: () => afresh("UploadGone"),
    InvalidPart: (_, error) =>
      Option.match(upload(), { onNone: () => Effect.fail(error), onSome: partsLost })
  })
}

/** What was acknowledged and is gone is to be sent again. */
const lookAgain = (session: Session, upload: Upload) =>
  Effect.suspend(() => {
    const recorded = Array.from(session.recorded.values())
    session.recorded.clear()
    Meter.restart(session.meter)
    return carryOn(session, { ...upload, recorded }, "PartsLost")
  })

/** Sends what is missing, makes sure that the source is still the same, and completes. */
const finish = Effect.fnUntraced(function* (
  session: Session<Source.RandomAccess>,
  { uploadId, tasks }: Upload
): Effect.fn.Return<Store.Stored, UploadError> {
  const { slots, source } = session
  const missing = tasks.filter((task) => task._tag !== "Done")
  const send = (task: (typeof missing)[number]) =>
    sendPart(session, uploadId, task, Source.slice(source, task.part.offset, task.part.size))
  yield* Effect.forEach(missing, (task) => slots.withSlot(send(task)), {
    concurrency: slots.most,
    discard: true
  })
  yield* unchanged(session)
  return yield* complete(
    session,
    uploadId,
    tasks.map(({ part }) => part)
  )
}, identified)

/** Says in the span and in logs which upload it is. */
export function identified<A, E, R>(
  self: Effect.Effect<A, E, R>,
  _session: Session,
  { uploadId }: Pick<Upload, "uploadId">
): Effect.Effect<A, E, R> {
  const attributes = { "oss.upload_id": uploadId }
  return Effect.andThen(
    Effect.annotateCurrentSpan(attributes),
    Effect.annotateLogs(self, attributes)
  )
}

/** Makes the object of these parts, all of which are durable. */
export const complete = Effect.fnUntraced(function* (
  session: Session,
  uploadId: string,
  parts: ReadonlyArray<Part.Part>
) {
  const crc64 = Option.getOrThrow(Checkpoint.wholeCrc64({ parts }, session.recorded.values()))
  yield* session.report(UploadEvent.cases.Completing.make({}))
  return yield* Store.complete(session, uploadId, { size: Checkpoint.bytesOf(parts), crc64 })
})
