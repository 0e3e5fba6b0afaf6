/**
 * When a failed request is sent again. A policy is a `Schedule` over `OssError`.
 * It decides how often a request is retried, and how long to wait before. No
 * policy retries an error whose `isRetryable` is false.
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
 * How a failed request is retried: any `Schedule` that takes an `OssError` as
 * input. Its output is ignored.
 *
 * @category models
 * @since 0.1.0
 */
export type RetryPolicy = Schedule.Schedule<unknown, OssError>

/** The waits between the attempts. */
interface BackoffOptions {
  /** The upper limit of the first wait. Default: 200 ms. */
  readonly base?: Duration.Input | undefined
  /** The factor by which that limit grows with each attempt. Default: 2. */
  readonly factor?: number | undefined
  /** The longest wait, unless the server asks for a longer one. Default: 20 seconds. */
  readonly cap?: Duration.Input | undefined
  /** How many times a request is sent in all. Default: 5. */
  readonly attempts?: number | undefined
}

/** How long to wait for an outage to end. */
interface PatientOptions extends BackoffOptions {
  /** How long to retry without any success. Default: 2 minutes. */
  readonly for?: Duration.Input | undefined
  /** How many times a request is sent at least. If the error is not an outage, this is also the most. Default: 5. */
  readonly attempts?: number | undefined
}

/**
 * The longest `Retry-After` that is waited out, in milliseconds: an absurd one
 * must not stop an upload for a day.
 */
const maxRetryAfter: number = 5 * 60_000

/**
 * Exponential backoff with full jitter and a fixed number of attempts. Each wait
 * is random, between 0 and a limit that grows with each attempt, so that clients
 * that failed together don't retry together. If the server asks for a wait, no
 * wait is shorter. Five minutes is the longest that the server can ask for.
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
 * Waits for a network or a server that is away. The waits are those of `backoff`.
 * Retries go on until nothing has succeeded for the time `for`. Any success of the
 * same upload, or of uploads with the same `retryBudget`, starts that time again.
 *
 * **Details**
 *
 * These errors count as an outage: errors with `isAmbiguous`, `Throttled`, and
 * `CredentialsExpired` with `isOutage`. After any other error, such as a check sum
 * that differs, a request is sent at most `attempts` times.
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
  /** The attempt that failed; the first is 1. */
  readonly attempt: number
  /** How long nothing has succeeded, in milliseconds. */
  readonly elapsed: number
}

/** Retries while `goesOn` returns true. */
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

/** A larger exponent could overflow. By then, every wait has reached its cap. */
const maxDoublings = 60

/**
 * The default policy: `patient()`. It waits up to 2 minutes for an outage. The
 * limit of each wait doubles from 200 ms to 20 seconds.
 *
 * @category policies
 * @since 0.1.0
 */
export const standard: RetryPolicy = patient()

/**
 * Never retries: every error fails the request.
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
 * A policy for each reason. Each policy counts only the failures with its reason.
 * `otherwise` is the policy of all other reasons, by default `standard`. Reasons
 * that no retry can help are not keys of the table.
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
 * Limits the number of retries of all requests that share it. Many parts that fail
 * once each don't use it up, but a server that answers every request with an error
 * does so quickly. A retry after no response costs nothing, because it puts no load
 * on the server. Requests that share a budget also share the time that `patient`
 * waits.
 *
 * @category budgets
 * @since 0.1.0
 */
export interface Budget {
  /** Takes one retry from the budget. Returns false if none is left. */
  readonly spend: Effect.Effect<boolean>
  /** Run after a request has succeeded. */
  readonly earn: Effect.Effect<void>
  /** Run after a request has failed. Returns how long nothing has succeeded, in milliseconds. */
  readonly fail: Effect.Effect<number>
}

/**
 * Makes a budget of `retries` retries. Each retry takes one, and each success
 * gives one back, up to that number. Give one budget to several uploads to share
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
 * Makes a budget without an `Effect`: see `budget`.
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
