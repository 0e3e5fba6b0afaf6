/**
 * Releases shard locks a few at a time. Effect's storage keeps the locks on one
 * connection, and limits each request on it to at most a third of the lease. If
 * a request times out, the storage replaces the connection for all of them. A
 * runner that was suspended has to release about a hundred shards at once. On a
 * busy machine the last of a hundred requests timed out, so the connection was
 * replaced and all requests started again, without end: the shards stayed with
 * a runner that did nothing for them. Releasing one lock at a time would take
 * too long after a lost connection, because each release then waits for its
 * limit.
 */
import * as RunnerStorage from "effect/cluster/RunnerStorage"
import type { ShardingConfig } from "effect/cluster/ShardingConfig"
import * as SqlRunnerStorage from "effect/cluster/SqlRunnerStorage"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"
import type { SqlClient } from "effect/sql/SqlClient"
import { layerOutlasting } from "./outlasting.ts"

/** The number of concurrent requests on the lock connection. */
const atOnce = 8

/** `SqlRunnerStorage.layerStorage` with limited releases. It waits for the database, which has to be there when the storage takes its connection. */
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
  ).pipe(Layer.provide(layerOutlasting(SqlRunnerStorage.layerStorage({}))))
