/**
 * When a failed request is sent again. A policy is a `Schedule` over
 * `OssError`: it decides how often and after what wait. Whether an error can
 * go away at all is its member `isRetryable`, and that holds for every policy.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Random from "effect/Random"
import * as Record from "effect/Record"
import * as Schedule from "effect/Schedule"
import type { OssError, Reason, RetryableTag } from "./OssError.ts"

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
          Math.min(input.retryAfter, maxRetryAfter)
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
 * An `OssError` with one kind of reason.
 *
 * @category models
 * @since 0.1.0
 */
export type Because<Tag extends RetryableTag> = OssError & {
  readonly reason: Extract<Reason, { readonly _tag: Tag }>
}

/**
 * A policy for each reason that may go away.
 *
 * @category models
 * @since 0.1.0
 */
export type ReasonTable = {
  readonly [Tag in RetryableTag]?: Schedule.Schedule<unknown, Because<Tag>> | undefined
}

/**
 * A policy for each reason, each with a count of its own; `otherwise` is for
 * the reasons that have none in the table. A reason that no retry can help is
 * not a key of the table.
 *
 * **Example** (wait for a throttled bucket, give up on a broken network)
 *
 * ```ts
 * import { RetryPolicy } from "@effect-oss/core"
 * import { Schedule } from "effect"
 *
 * const policy = RetryPolicy.byReason({
 *   Throttled: Schedule.spaced("30 seconds"),
 *   Transport: Schedule.recurs(1)
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const byReason = (table: ReasonTable, otherwise: RetryPolicy = standard): RetryPolicy =>
  Schedule.fromStep(
    Effect.gen(function* () {
      const rows: Record<string, Schedule.Schedule<unknown, never> | undefined> = table
      const steps = yield* Effect.all(
        Record.map(Record.filter(rows, Predicate.isNotUndefined), Schedule.toStep)
      )
      const rest = yield* Schedule.toStep(otherwise)
      return (now: number, error: OssError) =>
        // A row's key is the tag of the errors that its schedule takes.
        steps[error.reason._tag]?.(now, error as never) ?? rest(now, error)
    })
  )

/**
 * What retries are paid out of. Requests that share one can't retry more often
 * together than it allows, so that many parts that fail once are no trouble,
 * while a dead server is left alone soon.
 *
 * @category budgets
 * @since 0.1.0
 */
export interface Budget {
  /** Pays for one retry; false if there is nothing left. */
  readonly spend: Effect.Effect<boolean>
  /** A request succeeded. */
  readonly earn: Effect.Effect<void>
}

/**
 * A budget of so many retries: each takes one, and each success gives one back,
 * up to this number. Give the same one to several uploads, and they share it.
 *
 * **Example** (a hundred retries for all uploads)
 *
 * ```ts
 * import { RetryPolicy, Source, Upload } from "@effect-oss/core"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const retryBudget = yield* RetryPolicy.budget(100)
 *   const keys = ["a.tar", "b.tar"]
 *   yield* Effect.forEach(keys, (key) =>
 *     Upload.upload({ key, source: Source.file(key), retryBudget })
 *   )
 * })
 * ```
 *
 * @category budgets
 * @since 0.1.0
 */
export const budget = (retries: number): Effect.Effect<Budget> =>
  Effect.sync(() => budgetUnsafe(retries))

/**
 * A budget that is made at once: see `budget`.
 *
 * @category budgets
 * @since 0.1.0
 */
export const budgetUnsafe = (retries: number): Budget => {
  let left = retries
  return {
    spend: Effect.sync(() => left > 0 && left-- > 0),
    earn: Effect.sync(() => {
      left = Math.min(retries, left + 1)
    })
  }
}

/**
 * How many retries the requests of one upload, or of one `uploadAll`, share
 * unless a budget is given.
 *
 * @category constants
 * @since 0.1.0
 */
export const sharedBudget = 100
