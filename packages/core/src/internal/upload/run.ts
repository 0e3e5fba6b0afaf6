/**
 * The whole upload, top-down:
 *
 * open (source, checkpoint, lease) → resume, or plan and initiate → send each
 * missing part → source unchanged? → complete → verify → remove the checkpoint.
 *
 * If a response is lost, the upload asks OSS what it has. It never guesses.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Body } from "../../Body.ts"
import type { SourceError } from "../../Source.ts"
import type { UploadResult } from "../../UploadEvent.ts"
import { UploadEvent } from "../../UploadEvent.ts"
import type { UploadRequest } from "../../UploadRequest.ts"
import type * as Slots from "../slots/slots.ts"
import * as OwnErrors from "../source/ownErrors.ts"
import { complete, put } from "./complete.ts"
import { crc64Of, identical } from "./identical.ts"
import { finished, identified, logged, sample, seen, skipped } from "./observability.ts"
import { open, partSizeFor } from "./open.ts"
import * as RandomAccess from "./randomAccess.ts"
import { Diverged, type Reader } from "./reader.ts"
import type { Lost } from "./recover.ts"
import { recoverable, recovering } from "./recover.ts"
import type { Upload } from "./resume.ts"
import { begin, resume } from "./resume.ts"
import * as Sequential from "./sequential.ts"
import type { Failure, Session } from "./session.ts"
import { forget, lent, objectOptions, recordReceipt } from "./session.ts"
import { wellFormed } from "./wellFormed.ts"
import type { Stored } from "./settle.ts"

/** How often `Progress` is sampled. */
export const sampleEvery = Duration.millis(200)

export interface RunOptions {
  readonly report: (event: UploadEvent) => Effect.Effect<void>
  /** How often `Progress` is reported. Default: at the end only. */
  readonly sampling?: Duration.Duration
  /** Gives the upload its slots out of shared ones. Default: it has its own slots. */
  readonly slots?: Slots.Share
}

/** Checks the request and runs it. */
export const run = <E, R>(request: UploadRequest<E, R>, options: RunOptions) =>
  Effect.suspend(() =>
    Effect.flatMap(Effect.fromResult(wellFormed(request)), () => runWellFormed(request, options))
  )

/** Opens the session of an upload, and runs it. */
const runWellFormed = <E, R>(request: UploadRequest<E, R>, options: RunOptions) => {
  const { key, skipIdentical = false } = request
  const report = (event: UploadEvent) => Effect.andThen(logged(event), options.report(event))
  const ownErrors = OwnErrors.make<E>(request.source.name)
  return open(request, ownErrors, report, options.slots).pipe(
    Effect.tap((session) => sample(session, options.sampling)),
    Effect.flatMap((session) =>
      Effect.tap(upload(session, skipIdentical), (result) => completed(session, result))
    ),
    Effect.mapError(ownErrors.restore),
    Effect.scoped,
    seen("Upload.upload", key)
  )
}

/** Takes an upload from what an earlier run left to a verified object. */
const upload = Effect.fnUntraced(function* (
  session: Session,
  skip: NonNullable<UploadRequest["skipIdentical"]>
) {
  const already = skip === false ? Option.none() : yield* identical(session, skip)
  if (Option.isSome(already)) {
    return skipped(yield* finished(session, already.value))
  }
  const earlier = yield* resume(session)
  const first =
    earlier._tag === "Stored"
      ? confirm(session, earlier.stored).pipe(recoverable(session, Option.none()))
      : pass(session, earlier._tag === "Open" ? Option.some(earlier.upload) : Option.none())
  const stored = yield* recovering(session, first, pass).pipe(
    Effect.tapError((error) => afterCallback(session, error))
  )
  return yield* finished(session, stored)
})

/**
 * Reports the result, and only then removes the checkpoint. If the process is killed
 * in between, the next run reports it.
 */
const completed = (session: Session, result: UploadResult) =>
  // Not a copy, which `JSON.stringify` couldn't write.
  session.report({ _tag: "Completed", result }).pipe(
    Effect.andThen(forget(session)),
    Effect.catch((error) =>
      Effect.logWarning("The upload is complete, but its checkpoint can't be removed.", error)
    ),
    Effect.uninterruptible
  )

/** Reads the source once, sends the missing parts, and creates the object. */
export const pass = (
  session: Session,
  earlier: Option.Option<Upload>
): Effect.Effect<Stored, Failure | Lost> => {
  const partSize = Option.isNone(earlier) ? partSizeFor(session) : earlier.value.partSize
  const { source } = session
  const send = (reader: Reader) =>
    Option.isNone(earlier) && Option.isSome(reader.whole)
      ? atOnce(session, reader.whole.value)
      : inParts(session, reader, partSize, earlier)
  return source._tag === "RandomAccess"
    ? send(RandomAccess.reader({ ...session, source }, partSize))
    : Effect.scoped(Effect.flatMap(Sequential.reader({ ...session, source }, partSize), send))
}

/** Sends the whole source in one request, which takes one slot. */
const atOnce = (session: Session, whole: Body<SourceError>) =>
  session.slots.withSlot((lend) =>
    put({ ...lent(session, lend), options: objectOptions(session) }, whole)
  )

const inParts = Effect.fnUntraced(function* (
  session: Session,
  reader: Reader,
  partSize: number,
  earlier: Option.Option<Upload>
): Effect.fn.Return<Stored, Failure | Lost> {
  const upload = Option.isSome(earlier) ? earlier.value : yield* begin(session, partSize)
  const finish = Effect.gen(function* () {
    const parts = yield* reader.send(upload).pipe(recoverable(session, Option.some(upload)))
    yield* reader.unchanged
    yield* session.report(UploadEvent.cases.Completing.make({}))
    const stored = yield* complete(session, upload.uploadId, parts).pipe(
      recoverable(session, Option.some(upload))
    )
    yield* recordReceipt(session, stored)
    return stored
  })
  return yield* identified(finish, upload.uploadId)
})

/** Compares a sequential source with the stored object: only its bytes show a difference. */
const confirm = Effect.fnUntraced(function* (session: Session, stored: Stored) {
  const { source } = session
  if (source._tag === "Sequential" && (yield* crc64Of(source)) !== stored.crc64) {
    return yield* new Diverged({ description: "it is not what was uploaded" })
  }
  return stored
})

/** If only the callback failed, nothing is left to resume, so the checkpoint is removed. */
const afterCallback = (session: Session, error: Failure) =>
  error._tag === "OssError" && error.reason._tag === "CallbackFailed"
    ? forget(session)
    : Effect.void
