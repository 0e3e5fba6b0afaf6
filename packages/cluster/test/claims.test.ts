/** Messages that a runner claimed and will never handle, as a table shows them. */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { MessageStorage, ShardId, ShardingConfig } from "effect/cluster"
import { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"
import { Postgres } from "../../sql-store/test/postgres.ts"
import { databases } from "../../sql-store/test/support.ts"
import * as Claims from "../src/internal/claims.ts"

const { PostgreSQL, "SQLite in memory": SQLite } = databases

const own = [ShardId.make("default", 1), ShardId.make("default", 2)]

/** A runner that reads once a second, for so many seconds. */
const reading = Effect.fnUntraced(function* (
  { unprocessedMessages }: MessageStorage.MessageStorage["Service"],
  seconds: number
) {
  for (let second = 0; second < seconds; second++) {
    yield* unprocessedMessages(own)
    yield* TestClock.adjust("1 second")
  }
})

layer(Postgres.layer, { timeout: "1 minute" })("claims on messages", (it) => {
  it.effect.each([
    ["SQLite", SQLite],
    ["PostgreSQL", PostgreSQL]
  ] as const)("of one's own shards are dropped in %s when they are old", ([name, database]) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const before = (seconds: number) =>
        sql.literal(
          name === "SQLite"
            ? `DATETIME('now', '-${seconds} seconds')`
            : `NOW() - INTERVAL '${seconds} seconds'`
        )
      const [no, yes] = name === "SQLite" ? ["0", "1"] : ["FALSE", "TRUE"]
      const rows = [
        ["old", "default:1", no, 60],
        ["processed", "default:1", yes, 60],
        ["new", "default:2", no, 0],
        ["of another", "default:3", no, 60]
      ] as const
      yield* sql`CREATE TABLE cluster_messages (id TEXT, shard_id TEXT, processed BOOLEAN, last_read TIMESTAMP)`
      for (const [id, shard, processed, age] of rows) {
        yield* sql`INSERT INTO cluster_messages VALUES (${id}, ${shard}, ${sql.literal(processed)}, ${before(age)})`
      }
      const free = Effect.map(
        sql<{ id: string }>`SELECT id FROM cluster_messages WHERE last_read IS NULL`,
        (rows) => rows.map(({ id }) => id)
      )
      const storage = yield* MessageStorage.MessageStorage

      yield* reading(storage, 20)
      assert.deepStrictEqual(yield* free, [])
      // A suspended runner may have lost its shards: it takes its time again.
      yield* TestClock.adjust("1 minute")
      yield* reading(storage, 20)
      assert.deepStrictEqual(yield* free, [])
      yield* reading(storage, 2)
      assert.deepStrictEqual(yield* free, ["old"])
    }).pipe(
      Effect.provide(
        Claims.layerOver.pipe(
          Layer.provide(MessageStorage.layerNoop),
          Layer.provide(ShardingConfig.layer()),
          Layer.provideMerge(database)
        )
      )
    )
  )
})
