/**
 * What was submitted to a cluster: one execution an upload or a batch of them. The layers of
 * `NodeCluster` have this service; `Uploads.list`, `Uploads.status` and
 * `Uploads.cleanUp` take it.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { MemoryDriver } from "effect/cluster/MessageStorage"
import type * as Option from "effect/Option"
import type { Execution } from "./internal/execution.ts"
import * as Memory from "./internal/executionMemory.ts"

/**
 * What was submitted, out of the cluster's database. A database that is away is
 * waited for.
 *
 * @category services
 * @since 0.1.0
 */
export class Executions extends Context.Service<
  Executions,
  {
    readonly find: (id: string) => Effect.Effect<Option.Option<Execution>>
    /** The last to be submitted, the newest first; with `open`, of those that have not ended. */
    readonly list: (options: {
      readonly limit: number
      readonly open: boolean
    }) => Effect.Effect<ReadonlyArray<Execution>>
    /** Forgets those that ended before then, in milliseconds since 1970, and yields how many. */
    readonly remove: (before: number) => Effect.Effect<number>
    /** How many runners are at work. */
    readonly runners: Effect.Effect<number>
  }
>()("@effect-oss/cluster/Executions") {}

/**
 * Those of a cluster in memory, such as `TestRunner.layer` of `effect/cluster`:
 * for tests.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<Executions, never, MemoryDriver> = Layer.effect(
  Executions,
  Effect.map(MemoryDriver, Memory.make)
)
