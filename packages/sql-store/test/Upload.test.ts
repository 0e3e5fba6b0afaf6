/** Complete uploads with checkpoints in a database. */
import { assert, describe, layer } from "@effect/vitest"
import { CheckpointStore, type OssClient, Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { SqlCheckpointStore } from "@effect-oss/sql-store"
import { Deferred, Effect, Fiber, Layer, type Scope } from "effect"
import type { SqlClient } from "effect/sql"
import { refusal } from "../../core/test/support/CheckpointStoreContract.ts"
import {
  assertWhole,
  fiveParts,
  partsSent,
  pending,
  requestFor
} from "../../core/test/support/world.ts"
import { Postgres } from "./postgres.ts"
import { databases, newPrefix, storeWith, tablesOf } from "./support.ts"

const request = requestFor(fiveParts, { concurrency: 1 })

const deniedAt = (partNumber: number) =>
  Effect.gen(function* () {
    const { inject } = yield* OssEmulator.OssEmulator
    yield* inject(
      Fault.answer({ operation: "uploadPart", partNumber, status: 403, code: "AccessDenied" })
    )
    assert.strictEqual((yield* refusal(Upload.upload(request)))._tag, "OssError")
  })

/** The current store, except that the record of one part waits for `wake`. */
const suspendedAt = Effect.fnUntraced(function* (number: number) {
  const store = yield* CheckpointStore.CheckpointStore
  const reached = yield* Deferred.make<void>()
  const awake = yield* Deferred.make<void>()
  const suspended = CheckpointStore.CheckpointStore.of({
    ...store,
    open: (key, options) =>
      Effect.map(store.open(key, options), (log) => ({
        ...log,
        append: (part) =>
          part.number === number
            ? Deferred.succeed(reached, undefined).pipe(
                Effect.andThen(Deferred.await(awake)),
                Effect.andThen(log.append(part))
              )
            : log.append(part)
      }))
  })
  return {
    suspended,
    reached: Deferred.await(reached),
    wake: Deferred.succeed(awake, undefined)
  }
})

type World =
  | CheckpointStore.CheckpointStore
  | OssClient.OssClient
  | OssEmulator.OssEmulator
  | SqlClient.SqlClient
  | Scope.Scope

layer(Postgres.layer, { excludeTestServices: true, timeout: "1 minute" })("an upload", (it) => {
  describe.each(["SQLite in a file", "PostgreSQL"] as const)("recorded in %s", (name) => {
    const test = (title: string, body: (prefix: string) => Effect.Effect<void, unknown, World>) =>
      it.effect(title, () => {
        const prefix = newPrefix()
        const store = Layer.provideMerge(SqlCheckpointStore.layer({ prefix }), databases[name])
        return body(prefix).pipe(
          Effect.scoped,
          Effect.provide(Layer.merge(OssEmulator.layerClient(), store))
        )
      })

    test("leaves no rows when it is complete", (prefix) =>
      Effect.gen(function* () {
        yield* Upload.upload(request)
        yield* assertWhole(fiveParts)
        assert.deepStrictEqual(yield* (yield* tablesOf(prefix)).rows, [[], []])
      }))

    test("sends only the missing parts after a failed run", (prefix) =>
      Effect.gen(function* () {
        yield* deniedAt(4)
        const before = (yield* partsSent).length
        const store = yield* storeWith({ prefix })
        yield* Effect.provideService(Upload.upload(request), CheckpointStore.CheckpointStore, store)
        assert.deepStrictEqual((yield* partsSent).slice(before), [4, 5])
        yield* assertWhole(fiveParts)
      }))

    test("that was suspended past its lease fails with `LeaseLost`, and the other one succeeds", (prefix) =>
      Effect.gen(function* () {
        const { suspended, reached, wake } = yield* suspendedAt(3)
        const asleep = yield* Effect.forkScoped(
          Effect.provideService(
            Effect.result(Upload.upload(request)),
            CheckpointStore.CheckpointStore,
            suspended
          )
        )
        yield* reached
        const busy = yield* refusal(Upload.upload(request))
        assert.strictEqual(busy._tag === "CheckpointError" && busy.reason._tag, "Busy")
        const { expire } = yield* tablesOf(prefix)
        yield* expire

        const other = yield* suspendedAt(5)
        const awake = yield* Effect.forkScoped(
          Effect.provideService(
            Upload.upload(request),
            CheckpointStore.CheckpointStore,
            other.suspended
          )
        )
        yield* other.reached
        yield* wake
        const lost = yield* Fiber.join(asleep)
        assert.strictEqual(
          lost._tag === "Failure" &&
            lost.failure._tag === "CheckpointError" &&
            lost.failure.reason._tag,
          "LeaseLost"
        )
        yield* other.wake
        yield* Fiber.join(awake)
        // The first run sent part 3, and the second run recognized it by its CRC64.
        assert.deepStrictEqual(yield* partsSent, [1, 2, 3, 4, 5])
        yield* assertWhole(fiveParts)
      }))

    test("that is abandoned is swept, with all its rows", (prefix) =>
      Effect.gen(function* () {
        yield* deniedAt(4)
        const [summary] = yield* pending
        assert.include(summary, { parts: 3 })
        assert.lengthOf(yield* Upload.sweep({ olderThan: 0, dryRun: false }), 1)
        assert.deepStrictEqual(yield* (yield* tablesOf(prefix)).rows, [[], []])
        assert.deepStrictEqual(yield* (yield* OssEmulator.OssEmulator).uploads("test-bucket"), [])
      }))
  })
})
