/**
 * When a failed request is sent again. A policy is a `Schedule` over
 * `OssError`: it decides how often and after what wait. Whether an error can go
 * away at all is the error's `isRetryable`, and that holds for every policy.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Random from "effect/Random"
import * as Record from "effect/Record"
import * as Schedule from "effect/Schedule"
import * as Monotonic from "./internal/monotonic.ts"
import * as Outage from "./internal/upload/outage.ts"
import type { OssError, Reason } from "./OssError.ts"

/**
 * How a failed request is retried. Any `Schedule` fits whose input takes an
 * `OssError`; its output is not used.
 *
 * @category models
 * @since 0.1.0
 */
export type RetryPolicy = Schedule.Schedule<unknown, OssError>

/** The waits between the attempts. */
interface BackoffOptions {
  /** The longest first wait. Default: 200 ms. */
  readonly base?: Duration.Input | undefined
  /** What each further longest wait is multiplied by. Default: 2. */
  readonly factor?: number | undefined
  /** No wait is longer, unless the server asks for it. Default: 20 s. */
  readonly cap?: Duration.Input | undefined
  /** How often a request is sent in all. Default: 5. */
  readonly attempts?: number | undefined
}

/** How long an outage is waited for. */
interface PatientOptions extends BackoffOptions {
  /** How long nothing may have succeeded. Default: 2 minutes. */
  readonly for?: Duration.Input | undefined
  /** How often a request is sent at least; at most, if its error is no outage. Default: 5. */
  readonly attempts?: number | undefined
}

/**
 * The longest `Retry-After` that is waited out, in milliseconds: an absurd one
 * must not stop an upload for a day.
 */
const maxRetryAfter: number = 5 * 60_000

/**
 * Exponential backoff with full jitter, a number of attempts long: each wait is
 * drawn between nothing and the current longest, so that clients that failed
 * together don't come back together. The wait that the server asks for is a
 * lower bound.
 *
 * **Example** (at most ten attempts)
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
  const { attempts = 5 } = options
  return waiting(options, ({ attempt }) => attempt < attempts)
}

/**
 * Waits for a network or a server that is away: the same waits as `backoff`,
 * for as long as requests fail and less than `for` has passed without a
 * success. Any success of the same upload, or of uploads with the same
 * `retryBudget`, starts the time anew. An outage is an error that leaves in
 * doubt what OSS did, or `Throttled`; after other errors, such as a check sum
 * that differs, a request is sent `attempts` times.
 *
 * **Example** (an upload that survives an hour without a network)
 *
 * ```ts
 * import { RetryPolicy, Source, Upload } from "@effect-oss/core"
 *
 * const upload = Upload.upload({
 *   key: "backups/db.tar",
 *   source: Source.file("db.tar"),
 *   retry: RetryPolicy.patient({ for: "1 hour" })
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const patient = (options: PatientOptions = {}): RetryPolicy => {
  const { attempts = 5 } = options
  const patience = Duration.toMillis(Duration.fromInputUnsafe(options.for ?? "2 minutes"))
  return waiting(
    options,
    ({ attempt, error, elapsed }) => attempt < attempts || (isOutage(error) && elapsed < patience)
  )
}

const isOutage = ({ reason }: OssError): boolean =>
  reason.isAmbiguous ||
  reason._tag === "Throttled" ||
  (reason._tag === "CredentialsExpired" && reason.isOutage === true)

interface Failure {
  readonly error: OssError
  /** That failed; the first is 1. */
  readonly attempt: number
  /** For how long nothing has succeeded, in milliseconds. */
  readonly elapsed: number
}

/** Sends a request again while `goesOn`. */
const waiting = (
  { base = "200 millis", factor = 2, cap = "20 seconds" }: BackoffOptions,
  goesOn: (failure: Failure) => boolean
): RetryPolicy => {
  const first = Duration.toMillis(Duration.fromInputUnsafe(base))
  const longest = Duration.toMillis(Duration.fromInputUnsafe(cap))
  return Schedule.fromStep(
    Effect.sync(() => {
      let attempt = 0
      let firstAt: number | undefined
      return Effect.fnUntraced(function* (_: number, error: OssError) {
        const at = yield* Monotonic.now
        firstAt ??= at
        attempt++
        const { elapsed = at - firstAt } = yield* Outage.Current
        if (!goesOn({ error, attempt, elapsed })) return yield* Cause.done(attempt)
        const most = Math.min(first * factor ** Math.min(attempt - 1, maxDoublings), longest)
        const drawn = (yield* Random.next) * most
        const wait = Math.max(drawn, Math.min(error.retryAfter, maxRetryAfter))
        const step: [number, Duration.Duration] = [attempt, Duration.millis(wait)]
        return step
      })
    })
  )
}

/** Beyond it every wait is capped, and a power would overflow. */
const maxDoublings = 60

/**
 * The default of each request: `patient` for 2 minutes, waits from 200 ms
 * doubling up to 20 s, full jitter, the server's wishes honoured.
 *
 * @category policies
 * @since 0.1.0
 */
export const standard: RetryPolicy = patient()

/**
 * Every error is final.
 *
 * @category policies
 * @since 0.1.0
 */
export const never: RetryPolicy = Schedule.recurs(0)

/** The tags of the reasons that may go away when the same request is sent again. */
type RetryableTag = Exclude<Reason, { readonly isRetryable: false }>["_tag"]

/**
 * An `OssError` with one kind of reason.
 *
 * @category models
 * @since 0.1.0
 */
export type Because<Tag extends RetryableTag> = OssError & {
  readonly reason: Extract<Reason, { readonly _tag: Tag }>
}

/** A policy for each reason that may go away. */
type ReasonTable = {
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
 * The account that retries are paid from. Requests that share one can't retry
 * more often together than it allows: many parts that fail once are no trouble,
 * and a server that answers every request with an error is left alone soon. A
 * retry after a request that got no response costs nothing, since it puts no
 * load on a server. Requests that share a budget also share their patience: see
 * `patient`.
 *
 * @category budgets
 * @since 0.1.0
 */
export interface Budget {
  /** Pays for one retry; false if there is nothing left. */
  readonly spend: Effect.Effect<boolean>
  /** A request succeeded. */
  readonly earn: Effect.Effect<void>
  /** A request failed. Yields the time since the first failure that no success has followed, in milliseconds. */
  readonly fail: Effect.Effect<number>
}

/**
 * A budget of a number of retries: each takes one, and each success gives one
 * back, up to that number. Give the same one to several uploads, and they share
 * it.
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
  const outage = Outage.make()
  return {
    spend: Effect.sync(() => left > 0 && left-- > 0),
    earn: Effect.suspend(() => {
      left = Math.min(retries, left + 1)
      return outage.succeeded
    }),
    fail: outage.failed
  }
}
