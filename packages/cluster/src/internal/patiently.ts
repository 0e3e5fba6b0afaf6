/**
 * Retries an activity while OSS or the network is down, with waits that outlive
 * the runner. Core's own retries end after seconds; these cover the next half
 * hour.
 */
import type { OssError } from "@effect-oss/core/OssError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as Activity from "effect/workflow/Activity"
import * as DurableClock from "effect/workflow/DurableClock"
import type { Failure } from "../ClusterError.ts"

/** 2 seconds, doubled each time up to 5 minutes: half an hour in all. */
const attempts = 13
const wait = (attempt: number): Duration.Duration =>
  Duration.min(Duration.seconds(2 ** attempt), Duration.minutes(5))

/** Runs the activity, with retries. */
export const patiently = <A extends Schema.Constraint, E extends Schema.Schema<Failure>, R>(
  activity: Activity.Activity<A, E, R>
) => {
  const from = (attempt: number): typeof activity =>
    Effect.provideService(activity, Activity.CurrentAttempt, attempt).pipe(
      Effect.catchIf(
        (error) => attempt < attempts && isTransient(error),
        () =>
          Effect.andThen(
            DurableClock.sleep({ name: `${activity.name}/${attempt}`, duration: wait(attempt) }),
            from(attempt + 1)
          )
      )
    ) as typeof activity
  return from(1)
}

const isTransient = (error: Failure): error is OssError =>
  error._tag === "OssError" && error.isRetryable
