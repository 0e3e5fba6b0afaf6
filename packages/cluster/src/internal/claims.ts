/**
 * Releases messages that a runner has claimed but will never handle. A runner
 * that reads a message claims it, and no runner reads it again for ten minutes.
 * Effect's cluster tries once to drop claims, when a shard moves to a new
 * runner. A claim remains if that attempt fails, or if a suspended runner wakes
 * and reads messages of a shard that it has lost. Without this module, such an
 * upload stands still for up to ten minutes.
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

/** The age at which a claim is dropped, and the interval between checks. In seconds. */
const period = 20

/** Drops old claims on messages of these shards. If a message is still being handled, the runner reads it again and recognizes it. */
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
 * Adds the dropping of old claims to a message storage. Each runner drops
 * claims on its own shards. A runner that has just been suspended waits for one
 * period first: it may not know yet which shards it has lost.
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

/** `SqlMessageStorage.layerStorage` with old claims dropped. */
export const layer = layerOver.pipe(Layer.provide(SqlMessageStorage.layerStorage({})))
