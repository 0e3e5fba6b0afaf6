/**
 * One upload under way: what it was given, what it has counted, and how its
 * requests are made.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Checkpoint from "../../Checkpoint.ts"
import type { CheckpointError, CheckpointLog, CheckpointStore } from "../../CheckpointStore.ts"
import type { OssClient } from "../../OssClient.ts"
import type { ObjectOptions } from "../../ObjectOptions.ts"
import type { Operation, Reason } from "../../OssError.ts"
import { OssError, Stalled, Timeout } from "../../OssError.ts"
import type { UploadedPart } from "../../Part.ts"
import * as Source from "../../Source.ts"
import { UploadEvent } from "../../UploadEvent.ts"
import type { Retrying } from "./retry.ts"
import * as Measure from "./metrics.ts"
import * as Meter from "./progress.ts"
import type { Slots } from "../slots/slots.ts"
import * as Fingerprint from "../source/fingerprint.ts"
import * as Line from "./line.ts"
import * as Stall from "./stall.ts"

/** What requests about one key are made with. */
export interface Requests {
  readonly client: OssClient["Service"]
  readonly store: CheckpointStore["Service"]
  readonly key: string
  readonly retrying: Retrying
  readonly stallTimeout: Duration.Duration
}

export interface Session<out S = Source.Opened> extends Requests {
  readonly log: CheckpointLog
  readonly options: ObjectOptions
  readonly sourceName: string
  readonly source: S
  readonly slots: Slots
  readonly report: (event: UploadEvent) => Effect.Effect<void>
  readonly meter: Meter.Meter
  /** The parts that are durable, by number. */
  readonly recorded: Map<number, UploadedPart>
}

/** Complete of 10,000 parts takes its time, and nothing moves while it does. */
const completeTimeout = Duration.minutes(5)

/** Makes an error of what this side noticed, not OSS. */
export const failure = (
  session: Requests,
  operation: Operation,
  reason: Reason,
  partNumber?: number
): OssError =>
  new OssError({
    operation,
    bucket: session.client.bucket,
    key: session.key,
    ...(partNumber === undefined ? {} : { partNumber }),
    reason
  })

/** Makes one attempt at a request without a body, with a time limit. */
export const once = <A, E>(
  session: Requests,
  operation: Operation,
  send: Effect.Effect<A, E>
): Effect.Effect<A, E | OssError> => {
  return Effect.suspend(() => {
    const line = Line.of(session.client)
    const least = operation === "complete" ? completeTimeout : session.stallTimeout
    // It waits behind the parts that are on their way.
    const millis = Math.round(Duration.toMillis(least) + line.timeFor(line.underWay()))
    const late = () => Effect.fail(failure(session, operation, new Timeout({ millis })))
    return Effect.timeoutOrElse(send, { duration: Duration.millis(millis), orElse: late })
  })
}

/** Makes a request without a body: with a time limit, and again where that may help. */
export const request = <A, E>(
  session: Requests,
  operation: Operation,
  send: Effect.Effect<A, E>
): Effect.Effect<A, E | OssError> => session.retrying(once(session, operation, send))

/** Makes one attempt at a request with a body, given up when nothing moves any more. */
export const transfer = <A, E>(
  session: Session,
  operation: Operation,
  partNumber: number | undefined,
  send: (reached: (bytes: number) => void) => Effect.Effect<A, E>
): Effect.Effect<A, E | OssError> =>
  Measure.transfer(
    session.client.bucket,
    Stall.guard(
      Line.of(session.client),
      session.stallTimeout,
      (millis) => failure(session, operation, new Stalled({ millis }), partNumber),
      send
    )
  )

/** Makes a part durable, then says so. */
export const record = (
  session: Session,
  part: UploadedPart,
  adopted: boolean
): Effect.Effect<void, CheckpointError> =>
  Effect.uninterruptible(
    Effect.andThen(
      session.log.append(part),
      Effect.suspend(() => {
        session.recorded.set(part.number, part)
        if (adopted) Meter.resumed(session.meter, part.size)
        else Meter.durable(session.meter, part)
        const { number, size, etag } = part
        const { durable } = session.meter
        return Effect.andThen(
          adopted ? Effect.void : Measure.acknowledged(session.client.bucket, size),
          session.report(
            UploadEvent.cases.PartUploaded.make({ number, size, etag, adopted, durable })
          )
        )
      })
    )
  )

/** Forgets all parts, and says why. */
export const restart = (session: Session, reason: Checkpoint.RestartReason): Effect.Effect<void> =>
  Effect.suspend(() => {
    session.recorded.clear()
    Meter.restart(session.meter)
    return session.report(UploadEvent.cases.Restarted.make({ reason }))
  })

/** True if the source can be read at any place. */
export const isOpened = (session: Session): session is Session<Source.RandomAccess> =>
  session.source._tag === "RandomAccess"

/** Fails unless the source is what it was when it was opened. */
export const unchanged = (
  session: Session<Source.RandomAccess>
): Effect.Effect<void, Source.SourceError> => {
  const { fingerprint, currentFingerprint } = session.source
  return currentFingerprint.pipe(
    Effect.catchReason("SourceError", "SourceNotFound", () =>
      Effect.fail(Source.changed(session.sourceName, "it is gone"))
    ),
    Effect.filterOrFail(
      (current) => current === fingerprint,
      (current) => Source.changed(session.sourceName, Fingerprint.difference(fingerprint, current))
    ),
    Effect.asVoid
  )
}
