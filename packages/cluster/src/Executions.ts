/**
 * What was submitted to a cluster: one execution an upload or a batch of them. The layers of
 * `NodeCluster` have this service; `Uploads.list`, `Uploads.status` and
 * `Uploads.cleanUp` take it.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { MemoryDriver } from "effect/cluster/MessageStorage"
import { ShardingConfig } from "effect/cluster/ShardingConfig"
import * as Option from "effect/Option"
import type { SqlClient } from "effect/sql/SqlClient"
import * as Memory from "./internal/executionMemory.ts"
import * as Rows from "./internal/executionRows.ts"
import { outlasting } from "./internal/outlasting.ts"

/**
 * Something that was submitted.
 *
 * @category models
 * @since 0.1.0
 */
export interface Execution {
  readonly id: string
  readonly kind: "Upload" | "Batch"
  readonly bucket: string
  /** Of a batch: what the keys of its files begin with. */
  readonly key: string
  /** Of all sources, in bytes. */
  readonly size: number
  readonly files: number
  /** Of a batch: the pieces that runners take on. */
  readonly slices: number
  /** In milliseconds since 1970. */
  readonly submitted: number
  /** When it ended, in milliseconds since 1970. */
  readonly ended: Option.Option<number>
}

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
 * Those of a database. `NodeCluster`'s layers have it.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Executions, never, SqlClient | ShardingConfig> = Layer.effect(
  Executions,
  Effect.gen(function* () {
    const { shardLockExpiration } = yield* ShardingConfig
    const lease = Math.ceil(Duration.toSeconds(Duration.fromInputUnsafe(shardLockExpiration)))
    const rows = yield* Rows.make
    return {
      find: (id) => outlasting(rows.find(id)),
      list: ({ limit, open }) => outlasting(rows.list(limit, open)),
      remove: (before) => outlasting(rows.remove(before)),
      runners: outlasting(rows.runners(lease))
    }
  })
)

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
