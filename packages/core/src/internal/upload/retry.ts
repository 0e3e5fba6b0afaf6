/**
 * Sends a request again for as long as its policy, the error and the budget
 * that all requests of one upload share allow it.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import type { Reason } from "../../OssError.ts"
import { OssError } from "../../OssError.ts"
import type { Budget, RetryPolicy } from "../../RetryPolicy.ts"
import * as Measure from "./metrics.ts"

/** A request is about to be sent again. */
export interface Retry {
  readonly error: OssError
  /** That failed; the first is 1. */
  readonly attempt: number
  /** In milliseconds. */
  readonly delay: number
}

/** Retries requests by one policy, out of one budget. */
export interface Retrying {
  <A, E, R>(request: Effect.Effect<A, E | OssError, R>): Effect.Effect<A, E | OssError, R>
}

export const make = (options: {
  readonly policy: RetryPolicy
  readonly budget: Budget
  readonly onRetry: (retry: Retry) => Effect.Effect<void>
}): Retrying => {
  const { spend, earn } = options.budget
  const schedule = options.policy.pipe(
    Schedule.setInputType<OssError>(),
    Schedule.while(({ input }) => (input.isRetryable ? spend : Effect.succeed(false))),
    Schedule.tap(({ input, attempt, duration }) =>
      Effect.andThen(
        Measure.retry(input),
        options.onRetry({ error: input, attempt, delay: Duration.toMillis(duration) })
      )
    )
  )

  return <A, E, R>(request: Effect.Effect<A, E | OssError, R>) =>
    Effect.suspend(() => {
      let attempts = 0
      const counted = Effect.suspend(() => {
        attempts++
        return request
      })
      const attempt = Effect.tap(renewing(counted), () => earn)
      // Most requests succeed: what a schedule needs is made only for those that don't.
      return Effect.catchIf(attempt, isOssError, (error) =>
        error.isRetryable
          ? Effect.flatten(Effect.retry(onlyOssErrors(failingFirst(error, attempt)), schedule))
          : Effect.fail(error)
      ).pipe(
        Effect.mapError((error) =>
          isOssError(error) && attempts > 1 ? new OssError({ ...error, attempt: attempts }) : error
        )
      )
    })
}

const isOssError = (error: unknown): error is OssError => error instanceof OssError

/** Stands for a request whose first attempt has been made. */
const failingFirst = <A, E, R>(
  error: OssError,
  attempt: Effect.Effect<A, E | OssError, R>
): Effect.Effect<A, E | OssError, R> => {
  let isFirst = true
  return Effect.suspend(() => {
    if (!isFirst) return attempt
    isFirst = false
    return Effect.fail(error)
  })
}

/** After these the client knows better: they are sent again at once, at no cost to the policy. */
const instructive: ReadonlySet<Reason["_tag"]> = new Set(["ClockSkew", "CredentialsExpired"])

const renewing = <A, E, R>(
  request: Effect.Effect<A, E | OssError, R>
): Effect.Effect<A, E | OssError, R> =>
  Effect.catchIf(
    request,
    (error) => isOssError(error) && instructive.has(error.reason._tag),
    () => request
  )

/** A policy sees OSS's errors; all others pass by as final results. */
const onlyOssErrors = <A, E, R>(
  request: Effect.Effect<A, E | OssError, R>
): Effect.Effect<Exit.Exit<A, Exclude<E, OssError>>, OssError, R> =>
  Effect.matchEffect(request, {
    onSuccess: (value) => Effect.succeed(Exit.succeed(value)),
    onFailure: (error) =>
      isOssError(error)
        ? Effect.fail(error)
        : Effect.succeed(Exit.fail(error as Exclude<E, OssError>))
  })
