/**
 * The executions of a cluster: one for each upload or batch that was submitted.
 * The layers of `NodeCluster` provide this service. `Uploads.list`,
 * `Uploads.status` and `Uploads.cleanUp` use it.
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
 * Reads executions from the cluster's database. It waits while the database is
 * unreachable.
 *
 * @category services
 * @since 0.1.0
 */
export class Executions extends Context.Service<
  Executions,
  {
    readonly find: (id: string) => Effect.Effect<Option.Option<Execution>>
    /** The executions that were submitted last, newest first. `open`: only those that have not ended. */
    readonly list: (options: {
      readonly limit: number
      readonly open: boolean
    }) => Effect.Effect<ReadonlyArray<Execution>>
    /** Removes executions that ended before that time, in milliseconds since 1970, and returns how many. */
    readonly remove: (before: number) => Effect.Effect<number>
    /** The number of live runners. */
    readonly runners: Effect.Effect<number>
  }
>()("@effect-oss/cluster/Executions") {}

/**
 * The executions of a cluster in memory, such as `TestRunner.layer` of
 * `effect/cluster`. For tests.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<Executions, never, MemoryDriver> = Layer.effect(
  Executions,
  Effect.map(MemoryDriver, Memory.make)
)
