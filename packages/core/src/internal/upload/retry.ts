/**
 * Sends a failed request again while its policy, the error and the budget that all
 * requests of an upload share allow it.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { identity } from "effect/Function"
import * as Schedule from "effect/Schedule"
import type { Reason } from "../../OssError.ts"
import { OssError } from "../../OssError.ts"
import type { Budget, RetryPolicy } from "../../RetryPolicy.ts"
import { UploadEvent } from "../../UploadEvent.ts"
import type { Lend } from "../slots/slots.ts"
import * as Measure from "./metrics.ts"
import * as Outage from "./outage.ts"

/** A request is about to be sent again. */
export interface Retry {
  readonly error: OssError
  /** The attempt that failed; the first is 1. */
  readonly attempt: number
  /** How long until it is sent again, in milliseconds. */
  readonly delay: number
  /** How long nothing has succeeded, in milliseconds. */
  readonly elapsed: number
}

/** Retries requests by one policy and with one budget. */
export interface Retrying {
  /** `lend` gives the request's slot to others while it waits for a retry. Default: nothing. */
  <A, E, R>(
    request: Effect.Effect<A, E | OssError, R>,
    lend?: Lend
  ): Effect.Effect<A, E | OssError, R>
}

export const make = (options: {
  readonly policy: RetryPolicy
  readonly budget: Budget
  readonly onRetry: (retry: Retry) => Effect.Effect<void>
}): Retrying => {
  const { spend, earn, fail } = options.budget
  const schedule = () =>
    options.policy.pipe(
      Schedule.setInputType<OssError>(),
      Schedule.while(({ input }) =>
        input.isRetryable && isAnswered(input) ? spend : Effect.succeed(input.isRetryable)
      ),
      Schedule.tap(({ input, attempt, duration }) =>
        Effect.gen(function* () {
          const { elapsed = 0 } = yield* Outage.Current
          yield* Measure.retry(input)
          const delay = Duration.toMillis(duration)
          yield* options.onRetry({ error: input, attempt, delay, elapsed })
        })
      )
    )

  return <A, E, R>(request: Effect.Effect<A, E | OssError, R>, lend: Lend = identity) =>
    Effect.suspend(() => {
      let attempts = 0
      const outage: Outage.Known = { elapsed: undefined }
      const counted = Effect.suspend(() => {
        attempts++
        return request
      })
      const failed = Effect.map(fail, (elapsed) => {
        outage.elapsed = elapsed
      })
      const again = (first: OssError): Effect.Effect<A, E | OssError, R> => {
        const attempt = renewing(failingFirst(first, counted)).pipe(
          Effect.tap(() => earn),
          Effect.tapError((error) =>
            isOssError(error) && error.isRetryable ? failed : Effect.void
          )
        )
        return Effect.catchIf(attempt, isOssError, (error) =>
          error.isRetryable
            ? Effect.retry(
                onlyOssErrors(failingFirst(error, attempt)),
                waiting(schedule(), lend)
              ).pipe(Effect.flatten, Effect.provideService(Outage.Current, outage))
            : Effect.fail(error)
        ).pipe(
          Effect.mapError((error) =>
            isOssError(error) && attempts > 1
              ? new OssError({ ...error, attempt: attempts })
              : error
          )
        )
      }
      // Most requests succeed, so the schedule of retries is made only after a failure.
      return Effect.matchEffect(counted, {
        onFailure: (error): Effect.Effect<A, E | OssError, R> =>
          isOssError(error) ? again(error) : Effect.fail(error),
        onSuccess: (value) => Effect.as(earn, value)
      })
    })
}

/**
 * Lends the slot to another part during the wait. If the server asked for fewer
 * requests, it keeps the slot, so that there is one request fewer.
 */
const waiting = <A>(schedule: Schedule.Schedule<A, OssError>, lend: Lend) =>
  lend === identity
    ? schedule
    : schedule.pipe(
        Schedule.tap(({ input, duration }) => {
          const wait = Effect.sleep(duration)
          return input.reason._tag === "Throttled" ? wait : lend(wait)
        }),
        Schedule.modifyDelay(() => Effect.succeed(Duration.zero))
      )

/**
 * Whether OSS responded. Only such retries take from the budget: without a response
 * from OSS, the waits alone keep load off it.
 */
const isAnswered = ({ status, reason }: OssError): boolean =>
  status !== undefined && reason._tag !== "NotOss"

/** The time without a success from which `Waiting` is reported, and between two reports. */
const longWait = 10_000

/** Reports each retry and, at most every 10 seconds, that nothing has succeeded. */
export const reporter = (
  report: (event: UploadEvent) => Effect.Effect<void>
): ((retry: Retry) => Effect.Effect<void>) => {
  let told = 0
  return ({ error, attempt, delay, elapsed }) => {
    const { operation, partNumber, reason } = error
    const part = partNumber === undefined ? {} : { partNumber }
    const retrying = report(
      UploadEvent.cases.Retrying.make({ operation, ...part, attempt, delay, reason })
    )
    if (elapsed < told) told = 0
    if (elapsed - told < longWait) return retrying
    told = elapsed
    return Effect.andThen(retrying, report(UploadEvent.cases.Waiting.make({ elapsed, reason })))
  }
}

const isOssError = (error: unknown): error is OssError => error instanceof OssError

/** Fails with `error` the first time, because that attempt has already been made. */
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

/**
 * The client learns from these errors, so the request is sent again at once. That
 * attempt doesn't count for the policy.
 */
const instructive: ReadonlySet<Reason["_tag"]> = new Set(["ClockSkew", "CredentialsExpired"])

const renewing = <A, E, R>(
  request: Effect.Effect<A, E | OssError, R>
): Effect.Effect<A, E | OssError, R> =>
  Effect.catchIf(
    request,
    (error) => isOssError(error) && instructive.has(error.reason._tag),
    () => request
  )

/** Shows only `OssError`s to the policy. All other errors become final results. */
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
