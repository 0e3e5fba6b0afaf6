/**
 * Sends a request again for as long as its policy, the error and the budget
 * that all requests of one upload share allow it.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import type { Reason } from "../OssError.ts"
import { isRetryable, OssError } from "../OssError.ts"
import type { Budget, RetryPolicy } from "../RetryPolicy.ts"
import * as Measure from "./measure.ts"

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
    Schedule.while(({ input }) => (isRetryable(input) ? spend : Effect.succeed(false))),
    Schedule.tap(({ input, attempt, duration }) =>
      Effect.andThen(
        Measure.retry(input),
        options.onRetry({ error: input, attempt, delay: Duration.toMillis(duration) })
      )
    )
  )

  return <A, E, R>(request: Effect.Effect<A, E | OssError, R>) =>
    Effect.suspend(() => {
      let attempt = 0
      const counted = Effect.suspend(() => {
        attempt++
        return request
      })
      return renewing(counted).pipe(
        Effect.tap(() => earn),
        onlyOssErrors,
        Effect.retry(schedule),
        Effect.mapError((error) => (attempt === 1 ? error : new OssError({ ...error, attempt }))),
        Effect.flatten
      )
    })
}

/** After these the client knows better: they are sent again at once, at no cost to the policy. */
const instructive: ReadonlySet<Reason["_tag"]> = new Set(["ClockSkew", "CredentialsExpired"])

const renewing = <A, E, R>(
  request: Effect.Effect<A, E | OssError, R>
): Effect.Effect<A, E | OssError, R> =>
  Effect.retry(request, {
    times: 1,
    while: (error) => error instanceof OssError && instructive.has(error.reason._tag)
  })

/** A policy sees OSS's errors; all others pass by as final results. */
const onlyOssErrors = <A, E, R>(
  request: Effect.Effect<A, E | OssError, R>
): Effect.Effect<Exit.Exit<A, Exclude<E, OssError>>, OssError, R> =>
  Effect.matchEffect(request, {
    onSuccess: (value) => Effect.succeed(Exit.succeed(value)),
    onFailure: (error) =>
      error instanceof OssError
        ? Effect.fail(error)
        : Effect.succeed(Exit.fail(error as Exclude<E, OssError>))
  })
