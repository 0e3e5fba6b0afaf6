/**
 * How long nothing has succeeded. The requests of one upload, or of many that
 * share a budget, notice together that the network is away.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Monotonic from "../monotonic.ts"

export interface Outage {
  /** A request failed. Yields the time since the first failure that no success has followed, in milliseconds. */
  readonly failed: Effect.Effect<number>
  /** A request succeeded: the outage is over. */
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

/** Read by policies: how long nothing had succeeded when the request failed last, in milliseconds; undefined outside of an upload. */
export const Current: Context.Reference<Known> = Context.Reference<Known>(
  "@effect-oss/core/Outage",
  { defaultValue: () => ({ elapsed: undefined }) }
)

export interface Known {
  elapsed: number | undefined
}
