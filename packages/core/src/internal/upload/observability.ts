/**
 * Makes an upload observable: its span, its logs, the count of uploads, the
 * samples of its progress, and its result.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import { OssClient } from "../../OssClient.ts"
import type { UploadResult } from "../../UploadEvent.ts"
import { UploadEvent } from "../../UploadEvent.ts"
import * as Monotonic from "../monotonic.ts"
import * as Span from "../span.ts"
import * as Metrics from "./metrics.ts"
import * as Progress from "./progress.ts"
import type { Session, Transfer } from "./session.ts"
import type { Stored } from "./settle.ts"

/** Logs an event at level Debug. `seen` annotates it with the bucket and the key. */
export const logged = (event: UploadEvent): Effect.Effect<void> =>
  Effect.withFiber(({ cache }) => {
    if (event._tag === "Progress" || isAbove(cache.minimumLogLevel)) return Effect.void
    const { _tag, ...details } = event
    return Effect.logDebug(_tag, details)
  })

/** Handles the events if the caller doesn't: logs `Waiting`, which shows why a program hangs. */
export const unwatched = (event: UploadEvent): Effect.Effect<void> =>
  event._tag === "Waiting"
    ? Effect.logInfo(
        `waiting, nothing has succeeded for ${Math.round(event.elapsed / 1_000)} s: ${event.reason.message}`
      )
    : Effect.void

/** Whether Debug messages are dropped, as in most programs. */
const isAbove = (minimum: LogLevel.LogLevel) => LogLevel.isGreaterThan(minimum, "Debug")

/** Adds a span of this name, annotates the logs, and counts the upload. */
export const seen =
  (name: string, key: string) =>
  <E, R>(self: Effect.Effect<UploadResult, E, R>) =>
    OssClient.use(({ bucket }) => {
      const attributes = { "oss.bucket": bucket, "oss.key": key }
      const counted = Effect.onExit(self, (exit) => Metrics.ended(bucket, exit))
      const traced = Effect.tap(counted, ({ size, resumed, sent }) =>
        Span.annotate(() => ({
          "oss.size": size,
          "oss.resumed_bytes": resumed,
          "oss.sent_bytes": sent
        }))
      )
      return Span.within(Effect.annotateLogs(traced, attributes), name, () => attributes)
    })

/** Adds the upload id to the span and to the logs. */
export const identified = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  uploadId: string
): Effect.Effect<A, E, R> => {
  const attributes = { "oss.upload_id": uploadId }
  return Effect.andThen(
    Span.annotate(() => attributes),
    Effect.annotateLogs(self, attributes)
  )
}

/** Reports the final progress, and makes the result. */
export const finished = (session: Session, stored: Stored): Effect.Effect<UploadResult> =>
  Effect.suspend(() => {
    const { counter, report } = session
    Progress.finished(counter, stored.size)
    return Effect.as(
      report({ _tag: "Progress", ...Progress.progress(counter, 0) }),
      resultOf(session, stored)
    )
  })

/** The result of an upload. */
export const resultOf = (
  { client, key, counter }: Transfer,
  { versionId, ...stored }: Stored
): UploadResult =>
  printable({
    bucket: client.bucket,
    key,
    size: stored.size,
    etag: stored.etag,
    crc64: stored.crc64,
    verified: stored.verified,
    ...Option.match(versionId, { onNone: () => ({}), onSome: (versionId) => ({ versionId }) }),
    resumed: counter.resumed,
    sent: counter.onWire
  })

/** Marks the result of an upload that had nothing to send. */
export const skipped = (result: UploadResult): UploadResult =>
  printable({ ...result, skipped: true as const })

/** Lets `JSON.stringify` write a result: its CRC64 is a bigint. */
const printable = (result: UploadResult): UploadResult =>
  // Not enumerable, so that a result equals one that was read from JSON.
  Object.defineProperty(result, "toJSON", {
    value: () => ({ ...result, crc64: String(result.crc64) })
  })

/** Reports the progress periodically, until the scope closes. */
export const sample = (session: Session, every: Duration.Duration | undefined) =>
  every === undefined ? Effect.void : Effect.forkScoped(sampling(session, every))

const sampling = Effect.fnUntraced(function* (session: Session, every: Duration.Duration) {
  const { counter, report } = session
  let last: Progress.Sample = { at: yield* Monotonic.now, sent: 0, rate: 0 }
  while (true) {
    yield* Effect.sleep(every)
    last = Progress.sample(last, yield* Monotonic.now, counter.sent - counter.resumed)
    // Only `finished` reports that all bytes are durable, once the object is stored.
    if (counter.durable === counter.total) continue
    yield* report(UploadEvent.cases.Progress.make(Progress.progress(counter, last.rate)))
  }
})
