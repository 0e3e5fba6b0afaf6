/**
 * Measures how long nothing has succeeded, for all requests of one upload, or of
 * several uploads that share a budget.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Monotonic from "../monotonic.ts"

export interface Outage {
  /** Run after a failure. Returns how long nothing has succeeded, in milliseconds. */
  readonly failed: Effect.Effect<number>
  /** Run after a success, which ends the outage. */
  readonly succeeded: Effect.Effect<void>
}

export const make = (): Outage => {
  let since: number | undefined
  return {
    failed: Effect.map(Monotonic.now, (now) => now - (since ??= now)),
    succeeded: Effect.sync(() => {
      since = undefined
    })
  }
}

/**
 * For retry policies: how long nothing had succeeded when the request last failed,
 * in milliseconds. Undefined outside an upload.
 */
export const Current: Context.Reference<Known> = Context.Reference<Known>(
  "@effect-oss/core/Outage",
  { defaultValue: () => ({ elapsed: undefined }) }
)

export interface Known {
  elapsed: number | undefined
}
