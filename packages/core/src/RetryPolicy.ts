/**
 * When a failed request is sent again. A policy is a `Schedule` over
 * `OssError`: it decides how often and after what wait. Whether an error can
 * go away at all is `OssError.isRetryable`, and that holds for every policy.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type { OssError } from "./OssError.ts"
import { retryAfter } from "./OssError.ts"

/**
 * How a failed request is retried. Any `Schedule` fits whose input takes an
 * `OssError`; its output is not used.
 *
 * @category models
 * @since 0.1.0
 */
export type RetryPolicy = Schedule.Schedule<unknown, OssError>

/**
 * What a backoff is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface BackoffOptions {
  /** The longest first wait. Default: 200 ms. */
  readonly base?: Duration.Input | undefined
  /** What each further longest wait is multiplied by. Default: 2. */
  readonly factor?: number | undefined
  /** No wait is longer, unless the server asks for it. Default: 20 s. */
  readonly cap?: Duration.Input | undefined
  /** How often a request is sent in all. Default: 5. */
  readonly attempts?: number | undefined
}

/**
 * The longest `Retry-After` that is waited out, in milliseconds: an absurd one
 * must not stop an upload for a day.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxRetryAfter: number = 5 * 60_000

/**
 * Exponential backoff with full jitter: each wait is drawn between nothing and
 * the current longest, so that clients that failed together don't come back
 * together. A server's `Retry-After` is a lower bound.
 *
 * **Example** (a patient upload)
 *
 * ```ts
 * import { RetryPolicy, Source, Upload } from "@effect-oss/core"
 *
 * const upload = Upload.upload({
 *   key: "backups/db.tar",
 *   source: Source.file("db.tar"),
 *   retry: RetryPolicy.backoff({ attempts: 10, cap: "1 minute" })
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const backoff = (options: BackoffOptions = {}): RetryPolicy => {
  const cap = Duration.toMillis(Duration.fromInputUnsafe(options.cap ?? "20 seconds"))
  return Schedule.exponential(options.base ?? "200 millis", options.factor ?? 2).pipe(
    Schedule.upTo({ times: (options.attempts ?? 5) - 1 }),
    Schedule.setInputType<OssError>(),
    Schedule.modifyDelay(({ duration, input }) =>
      Effect.map(Random.next, (share) =>
        Math.max(
          share * Math.min(Duration.toMillis(duration), cap),
          Math.min(retryAfter(input), maxRetryAfter)
        )
      )
    )
  )
}

/**
 * The default of each request: 5 attempts, waits from 200 ms doubling up to
 * 20 s, full jitter, `Retry-After` honoured. The figures are those of the OSS
 * SDKs, with two attempts more.
 *
 * @category policies
 * @since 0.1.0
 */
export const standard: RetryPolicy = backoff()

/**
 * Every error is final.
 *
 * @category policies
 * @since 0.1.0
 */
export const never: RetryPolicy = Schedule.recurs(0)

/**
 * How many retries the requests of one upload share. Each retry takes one, and
 * each success gives one back, up to this number: many parts that fail once
 * are no trouble, while a dead server is left alone soon.
 *
 * @category constants
 * @since 0.1.0
 */
export const sharedBudget = 100
