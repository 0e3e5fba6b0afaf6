/**
 * Runners and the locks of their shards, as a database keeps them: a lock
 * belongs to one runner, who keeps it by renewing it, and is free once that
 * runner has been silent for as long as a lock lasts. Effect's storage in memory
 * gives every runner all shards.
 */
import { Clock, Duration, Effect, Layer } from "effect"
import { MachineId, RunnerStorage, ShardId, ShardingConfig } from "effect/cluster"
import type { Runner, RunnerAddress } from "effect/cluster"

interface Lock {
  readonly holder: string
  readonly until: number
}

const nameOf = ({ host, port }: RunnerAddress.RunnerAddress) => `${host}:${port}`

export const layer = Layer.effect(
  RunnerStorage.RunnerStorage,
  Effect.gen(function* () {
    const config = yield* ShardingConfig.ShardingConfig
    const expiration = Duration.toMillis(config.shardLockExpiration)
    const runners = new Map<string, { runner: Runner.Runner; healthy: boolean; seen: number }>()
    const locks = new Map<string, Lock>()
    let machines = 0
    const isFree = (shard: string, name: string, now: number) => {
      const lock = locks.get(shard)
      return lock === undefined || lock.holder === name || lock.until <= now
    }
    const release = (address: RunnerAddress.RunnerAddress, shard: string) => {
      if (locks.get(shard)?.holder === nameOf(address)) locks.delete(shard)
    }
    /** Those of the shards that are this runner's from now on. */
    const hold =
      (isMine: typeof isFree) =>
      (address: RunnerAddress.RunnerAddress, shards: Iterable<ShardId.ShardId>) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          const name = nameOf(address)
          const known = runners.get(name)
          if (known !== undefined) known.seen = now
          return Array.from(shards).filter((shard) => {
            if (!isMine(shard.toString(), name, now)) return false
            locks.set(shard.toString(), { holder: name, until: now + expiration })
            return true
          })
        })
    return RunnerStorage.RunnerStorage.of({
      register: (runner, healthy) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          runners.set(nameOf(runner.address), { runner, healthy, seen: now })
          return MachineId.make(machines++)
        }),
      unregister: (address) => Effect.sync(() => void runners.delete(nameOf(address))),
      getRunners: Effect.map(Clock.currentTimeMillis, (now) =>
        Array.from(runners.values()).flatMap(({ runner, healthy, seen }) =>
          seen > now - expiration ? [[runner, healthy] as const] : []
        )
      ),
      setRunnerHealth: (address, healthy) =>
        Effect.sync(() => {
          const known = runners.get(nameOf(address))
          if (known !== undefined) known.healthy = healthy
        }),
      acquire: hold(isFree),
      refresh: hold((shard, name) => locks.get(shard)?.holder === name),
      release: (address, shard) => Effect.sync(() => release(address, shard.toString())),
      releaseAll: (address) =>
        Effect.sync(() => {
          for (const shard of locks.keys()) release(address, shard)
        })
    })
  })
)
