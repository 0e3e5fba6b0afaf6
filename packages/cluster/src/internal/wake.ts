/**
 * Tells runners about new messages. All messages are in the database, which
 * every runner reads once a second. On PostgreSQL a `NOTIFY` wakes the runner
 * that a message is for, and it reads at once. A lost notification delays a
 * message by up to that second, and has no other effect.
 */
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { EntityNotAssignedToRunner } from "effect/cluster/ClusterError"
import type { MessageStorage } from "effect/cluster/MessageStorage"
import * as Runners from "effect/cluster/Runners"
import * as ShardId from "effect/cluster/ShardId"
import { Sharding } from "effect/cluster/Sharding"
import type { ShardingConfig } from "effect/cluster/ShardingConfig"
import * as Snowflake from "effect/cluster/Snowflake"
import type * as RpcSerialization from "effect/rpc/RpcSerialization"
import { SqlClient } from "effect/sql/SqlClient"

const channel = "effect_oss_cluster"

/** PostgreSQL lets one transaction at a time notify. So a process notifies at most this often, for all messages since the last time. */
const together = "50 millis"

/** The PostgreSQL client, if the database is PostgreSQL. */
const postgres = Effect.gen(function* () {
  const sql = yield* SqlClient
  const isPostgres = sql.onDialectOrElse({ pg: () => true, orElse: () => false })
  if (!isPostgres) return Option.none()
  const { PgClient } = yield* Effect.promise(() => import("@effect/sql-pg/PgClient"))
  return yield* Effect.serviceOption(PgClient)
})

/** Notifies the runners of shards that have new messages. */
const makeNotify: Effect.Effect<(shard: ShardId.ShardId) => void, never, SqlClient | Scope.Scope> =
  Effect.gen(function* () {
    const client = yield* postgres
    if (Option.isNone(client)) return (_shard: ShardId.ShardId) => undefined
    const waiting = new Set<string>()
    const some = yield* Latch.make(false)
    const flush = Effect.suspend(() => {
      some.closeUnsafe()
      if (waiting.size === 0) return Effect.void
      const shards = Array.from(waiting).join(",")
      waiting.clear()
      return Effect.ignore(client.value.notify(channel, shards))
    })
    yield* Effect.addFinalizer(() => Effect.ignore(Effect.timeout(flush, "1 second")))
    yield* some.await.pipe(
      Effect.andThen(flush),
      Effect.andThen(Effect.sleep(together)),
      Effect.forever,
      Effect.forkScoped
    )
    return (shard: ShardId.ShardId) => {
      waiting.add(ShardId.toString(shard))
      some.openUnsafe()
    }
  })

/** Stores messages for other runners and wakes those runners. It sends nothing to them directly. */
export const layerRunners: Layer.Layer<
  Runners.Runners,
  never,
  MessageStorage | ShardingConfig | SqlClient
> = Layer.effect(
  Runners.Runners,
  Effect.gen(function* () {
    const notify = yield* makeNotify
    const told = (shard: ShardId.ShardId) => Effect.sync(() => notify(shard))
    return yield* Runners.make({
      codecFor: Schema.toCodecJson as RpcSerialization.CodecFor,
      // Called after the message is stored; the reply is read from the database.
      send: ({ message }) => {
        const { address } = message.envelope
        return Effect.andThen(
          told(address.shardId),
          Effect.fail(new EntityNotAssignedToRunner({ address }))
        )
      },
      notify: ({ message }) => told(message.envelope.address.shardId),
      ping: () => Effect.void,
      onRunnerUnavailable: () => Effect.void
    })
  })
).pipe(Layer.provide(Snowflake.layerGenerator))

/** Makes a runner read its messages when it is notified. */
export const layerListener: Layer.Layer<never, never, Sharding | SqlClient> = Layer.effectDiscard(
  Effect.gen(function* () {
    const client = yield* postgres
    if (Option.isNone(client)) return
    const { hasShardId, pollStorage } = yield* Sharding
    const isOwn = ({ payload }: { readonly payload: string }) =>
      payload.split(",").some((shard) => hasShardId(ShardId.fromString(shard)))
    yield* Effect.scoped(
      Effect.flatMap(client.value.listen(channel), (queue) =>
        Effect.forever(
          Effect.flatMap(Queue.takeAll(queue), (told) =>
            told.some(isOwn) ? pollStorage : Effect.void
          )
        )
      )
    ).pipe(Effect.sandbox, Effect.retry(Schedule.spaced("5 seconds")), Effect.forkScoped)
  })
)
