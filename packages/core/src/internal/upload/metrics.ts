/**
 * Updates the metrics of uploads.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Instruments from "./instruments.ts"
import * as Monotonic from "../monotonic.ts"
import type { OssError } from "../../OssError.ts"
import type { UploadResult } from "../../UploadEvent.ts"

/** Counts a transfer while it is under way, and times it if it succeeds. */
export const transfer = <A, E, R>(
  bucket: string,
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  const inFlight = at(bucket, Instruments.inFlight)
  return Effect.acquireUseRelease(
    Effect.andThen(Metric.modify(inFlight, 1), Monotonic.now),
    () => self,
    (start, exit) => {
      const ended = Metric.modify(inFlight, -1)
      if (Exit.isFailure(exit)) return ended
      return Effect.andThen(
        ended,
        Effect.flatMap(Monotonic.now, (now) =>
          Metric.update(at(bucket, Instruments.partDuration), (now - start) / 1_000)
        )
      )
    }
  )
}

/** Counts a part that OSS has acknowledged. */
export const acknowledged = (bucket: string, bytes: number): Effect.Effect<void> =>
  Effect.andThen(
    Metric.update(at(bucket, Instruments.bytes), bytes),
    Metric.update(at(bucket, Instruments.parts), 1)
  )

/** Counts a request that is sent again. */
export const retry = ({ bucket, operation, reason }: OssError): Effect.Effect<void> =>
  Metric.update(
    Metric.withAttributes(at(bucket, Instruments.retries), {
      "oss.operation": operation,
      "error.type": reason._tag
    }),
    1
  )

/** Counts an upload that has ended. */
export const ended = (
  bucket: string,
  exit: Exit.Exit<UploadResult, unknown>
): Effect.Effect<void> => Metric.update(at(bucket, uploadsWith(outcomeOf(exit))), 1)

const uploadsWith = (outcome: string) => {
  const known = outcomes.get(outcome)
  if (known !== undefined) return known
  const made = Metric.withAttributes(Instruments.uploads, { outcome })
  outcomes.set(outcome, made)
  return made
}

const outcomes = new Map<string, typeof Instruments.uploads>()

const outcomeOf = (exit: Exit.Exit<UploadResult, unknown>): string => {
  if (Exit.isSuccess(exit)) return exit.value.skipped === true ? "skipped" : "completed"
  return Cause.hasInterruptsOnly(exit.cause) ? "interrupted" : "failed"
}

/** Keeps one metric for each bucket: a metric finds its series faster after its first update. */
const at = <Input, State>(bucket: string, metric: Metric.Metric<Input, State>) => {
  const ofBuckets = series.get(metric) ?? new Map<string, Metric.Metric<never, unknown>>()
  series.set(metric, ofBuckets)
  const known = ofBuckets.get(bucket)
  if (known !== undefined) return known as Metric.Metric<Input, State>
  const made = Metric.withAttributes(metric, { "oss.bucket": bucket })
  ofBuckets.set(bucket, made)
  return made
}

const series = new WeakMap<object, Map<string, Metric.Metric<never, unknown>>>()
