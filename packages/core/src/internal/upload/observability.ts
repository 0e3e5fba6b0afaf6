/**
 * How an upload shows from outside: as a span, in logs, in the count of
 * uploads, in samples of its progress, and in its errors.
 */
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { OssClient } from "../../OssClient.ts"
import type { UploadResult } from "../../UploadEvent.ts"
import { UploadEvent } from "../../UploadEvent.ts"
import * as Measure from "./metrics.ts"
import * as Meter from "./progress.ts"
import type { Session } from "./session.ts"

/** What happens to an upload, at level Debug, with where it goes as annotations. */
export const logged = (event: UploadEvent): Effect.Effect<void> => {
  if (event._tag === "Progress") return Effect.void
  const { _tag, ...details } = event
  return Effect.logDebug(_tag, details)
}

/** In a span of this name, in logs, and in the count of uploads. */
export const seen =
  (name: string, key: string) =>
  <E, R>(self: Effect.Effect<UploadResult, E, R>) =>
    OssClient.use(({ bucket }) => {
      const attributes = { "oss.bucket": bucket, "oss.key": key }
      return self.pipe(
        Effect.tap(({ size, resumed, sent }) =>
          Effect.annotateCurrentSpan({
            "oss.size": size,
            "oss.resumed_bytes": resumed,
            "oss.sent_bytes": sent
          })
        ),
        Effect.onExit((exit) => Measure.ended(bucket, exit)),
        Effect.annotateLogs(attributes),
        Effect.withSpan(name, { attributes })
      )
    })

/** Reports how far the upload has come, again and again. */
export const sample = Effect.fnUntraced(function* (session: Session, every: Duration.Duration) {
  const { meter, report } = session
  let last: Meter.Sample = { at: yield* Clock.currentTimeMillis, sent: 0, rate: 0 }
  while (true) {
    yield* Effect.sleep(every)
    last = Meter.sample(last, yield* Clock.currentTimeMillis, meter.sent - meter.resumed)
    // That all of it is there is said of an object only, see `Store.finished`.
    if (meter.durable === meter.total) continue
    yield* report(UploadEvent.cases.Progress.make(Meter.progress(meter, last.rate)))
  }
})
