/** A job: each night at three, the orders of the day before become an object. */
import { OssClient, Upload } from "@effect-oss/core"
import { NodeOssHttp } from "@effect-oss/node-http"
import { NodeRuntime } from "@effect/platform-node"
import { Context, DateTime, Effect, Layer, Schedule, Schema, Stream } from "effect"

export class DatabaseError extends Schema.TaggedError<DatabaseError>()("DatabaseError", {}) {}

/** Where orders come from: a database in production, a fake in tests. */
export class Orders extends Context.Service<
  Orders,
  { readonly of: (day: string) => Stream.Stream<object, DatabaseError> }
>()("recipes/Orders") {}

const exportDay = Effect.gen(function* () {
  const orders = yield* Orders
  const yesterday = DateTime.subtract(yield* DateTime.now, { days: 1 })
  const day = DateTime.formatIsoDateUtc(yesterday)
  const { key, size } = yield* orders.of(day).pipe(
    Stream.map((order) => `${JSON.stringify(order)}\n`),
    Stream.encodeText,
    Stream.run(Upload.sink({ key: `orders/${day}.jsonl` }))
  )
  yield* Effect.log(`${key}: ${size} bytes`)
})

/** Each request has been retried already. A night that fails five times is logged, and the next one comes. */
export const job = exportDay.pipe(
  Effect.retry(Schedule.spaced("10 minutes").pipe(Schedule.upTo({ times: 4 }))),
  Effect.catch((error) => Effect.logError("no export tonight", error)),
  Effect.schedule(Schedule.cron("0 3 * * *", "UTC"))
)

const database = Layer.succeed(Orders, { of: (day) => Stream.make({ id: 1, day }) })

if (import.meta.main) {
  job.pipe(
    Effect.provide([OssClient.layerConfig(), database]),
    Effect.provide(NodeOssHttp.layer()),
    NodeRuntime.runMain
  )
}
