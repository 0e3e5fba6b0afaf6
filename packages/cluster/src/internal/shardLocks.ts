/**
 * The locks of shards, a few releases at a time. Effect's storage keeps them on one
 * connection, and limits each request to it to a third of the lease, or less;
 * a request that is late has the connection replaced for all. A runner that was
 * suspended has to give away some hundred shards at once. On a busy machine the
 * last of a hundred requests was late, so that the connection was replaced and
 * all of them began anew, for ever: the shards stayed with a runner that did
 * nothing for them. One at a time would take too long where the connection has
 * gone: each release then waits for its limit.
 */
import * as RunnerStorage from "effect/cluster/RunnerStorage"
import type { ShardingConfig } from "effect/cluster/ShardingConfig"
import * as SqlRunnerStorage from "effect/cluster/SqlRunnerStorage"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"
import type { SqlClient } from "effect/sql/SqlClient"

/** Requests to the lock connection at once. */
const atOnce = 8

/** `SqlRunnerStorage.layerStorage`, but for that. */
export const layer: Layer.Layer<RunnerStorage.RunnerStorage, never, SqlClient | ShardingConfig> =
  Layer.effect(
    RunnerStorage.RunnerStorage,
    Effect.map(RunnerStorage.RunnerStorage, (storage) => {
      const few = Semaphore.makeUnsafe(atOnce)
      return RunnerStorage.RunnerStorage.of({
        ...storage,
        release: (address, shard) => few.withPermit(storage.release(address, shard))
      })
    })
  ).pipe(Layer.provide(SqlRunnerStorage.layerStorage({})))
