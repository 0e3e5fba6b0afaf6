/**
 * `node packages/cluster/test/release.ts URL`: a runner on a busy machine whose
 * lock connection was ended, as that of a suspended one is, gives all of its
 * shards away at once. Prints how many it could give away in 20 seconds. With
 * `--plain`, on Effect's storage as it is.
 */
import { NodeRuntime } from "@effect/platform-node"
import { PgClient } from "@effect/sql-pg"
import { Console, Effect, Layer, Redacted } from "effect"
import {
  Runner,
  RunnerAddress,
  RunnerStorage,
  ShardId,
  ShardingConfig,
  SqlRunnerStorage
} from "effect/cluster"
import { SqlClient } from "effect/sql"
import * as ShardLocks from "../src/internal/shardLocks.ts"

const [url = "", ...flags] = process.argv.slice(2)

/** Each request may take half a second. */
const config = ShardingConfig.layer({
  shardLockRefreshInterval: "500 millis",
  shardLockExpiration: "1500 millis"
})
const shards = Array.from({ length: 100 }, (_, index) => ShardId.make("default", index + 1))

/** What else there is to do, between any two steps. */
const busy = () =>
  setInterval(() => {
    for (const end = performance.now() + 80; performance.now() < end;);
  }, 1)

const endSessions = SqlClient.SqlClient.use(
  (sql) => sql`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'`
).pipe(Effect.provide(PgClient.layer({ url: Redacted.make(url) })))

Effect.gen(function* () {
  const storage = yield* RunnerStorage.RunnerStorage
  const address = RunnerAddress.make("suspended", 0)
  yield* storage.register(Runner.make({ address, groups: ["default"], weight: 1 }), true)
  const acquired = yield* storage.acquire(address, shards)
  busy()
  yield* endSessions
  let released = 0
  yield* Effect.forEach(
    acquired,
    (shard) =>
      // As `Sharding` does.
      storage.release(address, shard).pipe(
        Effect.tapError(() => Effect.sleep(50)),
        Effect.eventually,
        Effect.tap(() => Effect.sync(() => released++))
      ),
    { concurrency: "unbounded", discard: true }
  ).pipe(Effect.timeoutOption("20 seconds"))
  yield* Console.log(`released ${released} of ${acquired.length}`)
  return yield* Effect.sync(() => process.exit(0))
}).pipe(
  Effect.provide(
    (flags.includes("--plain") ? SqlRunnerStorage.layerStorage({}) : ShardLocks.layer).pipe(
      Layer.provideMerge(SqlRunnerStorage.layerMigrations({})),
      Layer.provide([PgClient.layer({ url: Redacted.make(url) }), config])
    )
  ),
  NodeRuntime.runMain
)
