/**
 * Releases many shard locks at once on a busy machine. Effect's storage keeps
 * the locks on one connection, and limits each request on it to a third of the
 * lease. If a request times out, the storage replaces the connection, and all
 * locks are lost. A runner that was suspended, or that another runner took for
 * dead, has to release about a hundred shards. Each took two requests. On a busy
 * machine the last of them timed out, the connection was replaced, and all
 * requests started again, without end: the shards stayed with a runner that did
 * nothing for them. So one request finds out which locks the connection still
 * holds. After a lost connection it holds none, and nothing else is to do. Locks
 * that it does hold are released a few at a time.
 */
import type { PersistenceError } from "effect/cluster/ClusterError"
import type { RunnerAddress } from "effect/cluster/RunnerAddress"
import * as RunnerStorage from "effect/cluster/RunnerStorage"
import * as ShardId from "effect/cluster/ShardId"
import type { ShardingConfig } from "effect/cluster/ShardingConfig"
import * as SqlRunnerStorage from "effect/cluster/SqlRunnerStorage"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Request from "effect/Request"
import * as RequestResolver from "effect/RequestResolver"
import * as Semaphore from "effect/Semaphore"
import type { SqlClient } from "effect/sql/SqlClient"
import { layerOutlasting } from "./outlasting.ts"

/** The number of concurrent releases on the lock connection. */
const atOnce = 8

/** Whether a runner still holds the lock of a shard. */
class IsHeld extends Request.Class<
  { readonly address: RunnerAddress; readonly shard: ShardId.ShardId },
  boolean,
  PersistenceError
> {}

/** Answers all requests that are made at the same time with one request to the database. */
const isHeld = (storage: RunnerStorage.RunnerStorage["Service"]) =>
  RequestResolver.make<IsHeld>((entries) => {
    const shards = entries.map(({ request }) => request.shard)
    return Effect.map(storage.refresh(entries[0].request.address, shards), (refreshed) => {
      const held = new Set(refreshed.map(ShardId.toString))
      for (const entry of entries) {
        entry.completeUnsafe(Exit.succeed(held.has(ShardId.toString(entry.request.shard))))
      }
    })
  })

/**
 * `SqlRunnerStorage.layerStorage` that releases locks a few at a time. It waits
 * for the database, which has to be there when the storage takes its connection.
 */
export const layer: Layer.Layer<RunnerStorage.RunnerStorage, never, SqlClient | ShardingConfig> =
  Layer.effect(
    RunnerStorage.RunnerStorage,
    Effect.map(RunnerStorage.RunnerStorage, (storage) => {
      const few = Semaphore.makeUnsafe(atOnce)
      const resolver = isHeld(storage)
      return RunnerStorage.RunnerStorage.of({
        ...storage,
        release: Effect.fnUntraced(function* (address, shard) {
          if (yield* Effect.request(new IsHeld({ address, shard }), resolver)) {
            yield* few.withPermit(storage.release(address, shard))
          }
        })
      })
    })
  ).pipe(Layer.provide(layerOutlasting(SqlRunnerStorage.layerStorage({}))))
