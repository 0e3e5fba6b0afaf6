/**
 * Gives lost messages back. A runner that reads a message claims it: for ten
 * minutes no runner reads it again. Effect's cluster drops claims when a shard
 * gets a new runner, once. A claim stays where that one attempt fails, and where
 * a runner that was suspended reads messages of a shard that it no longer has,
 * before it learns so. Then an upload stood still for up to ten minutes.
 */
import * as MessageStorage from "effect/cluster/MessageStorage"
import * as ShardId from "effect/cluster/ShardId"
import { ShardingConfig } from "effect/cluster/ShardingConfig"
import * as SqlMessageStorage from "effect/cluster/SqlMessageStorage"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"

/** A claim is dropped when it is this old, and claims are looked at this often. In seconds. */
const period = 20

/** Drops old claims on messages of these shards. Messages under way are read again, and the runner knows them. */
const makeDrop = Effect.map(SqlClient.SqlClient, (client) => {
  const sql = client.withoutTransforms()
  const [no, old] = sql.onDialectOrElse({
    pg: () => ["FALSE", `NOW() - INTERVAL '${period} seconds'`],
    orElse: () => ["0", `DATETIME('now', '-${period} seconds')`]
  })
  return (shards: ReadonlyArray<string>) =>
    sql`
      UPDATE cluster_messages SET last_read = NULL
      WHERE processed = ${sql.literal(no)} AND last_read < ${sql.literal(old)}
        AND ${sql.in("shard_id", shards)}`
})

/**
 * The storage below, but a runner drops old claims on its own shards. A runner
 * that has just been suspended waits for a period first: it may not know yet
 * which shards it has lost.
 */
export const layerOver: Layer.Layer<
  MessageStorage.MessageStorage,
  never,
  MessageStorage.MessageStorage | SqlClient.SqlClient | ShardingConfig
> = Layer.effect(
  MessageStorage.MessageStorage,
  Effect.gen(function* () {
    const storage = yield* MessageStorage.MessageStorage
    const { shardLockExpiration } = yield* ShardingConfig
    const lease = Duration.toMillis(Duration.fromInputUnsafe(shardLockExpiration))
    const drop = yield* makeDrop
    let lastRead = -Infinity
    let lastDrop = -Infinity

    const dropSometimes = (shards: ReadonlyArray<ShardId.ShardId>) =>
      Effect.flatMap(Clock.monotonicTimeNanos, (nanos) => {
        const now = Number(nanos) / 1e6
        const isSteady = now - lastRead < lease / 2
        lastRead = now
        if (isSteady && now - lastDrop < period * 1_000) return Effect.void
        lastDrop = now
        return isSteady && shards.length > 0
          ? Effect.ignore(drop(shards.map(ShardId.toString)))
          : Effect.void
      })

    return MessageStorage.MessageStorage.of({
      ...storage,
      unprocessedMessages: (shardIds, options) => {
        const shards = Array.from(shardIds)
        const read = storage.unprocessedMessages(shards, options)
        return options?.addresses === undefined ? Effect.andThen(dropSometimes(shards), read) : read
      }
    })
  })
)

/** `SqlMessageStorage.layerStorage`, but for that. */
export const layer = layerOver.pipe(Layer.provide(SqlMessageStorage.layerStorage({})))
