/** The executions of a cluster's database. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ShardingConfig } from "effect/cluster/ShardingConfig"
import type { SqlClient } from "effect/sql/SqlClient"
import { Executions } from "../Executions.ts"
import * as Rows from "./executionRows.ts"
import { outlasting } from "./outlasting.ts"

/**
 * Reads executions from a database. The layers of `NodeCluster` include it.
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
