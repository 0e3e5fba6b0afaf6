/** The job's tests: fake orders, an OSS without I/O, and nights that take no time. */
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Option, Stream } from "effect"
import { TestClock } from "effect/testing"
import { DatabaseError, job, Orders } from "./job.ts"

/** The database is away on the third day of 1970, when the test's clock began. */
const orders = Layer.succeed(Orders, {
  of: (day) => (day === "1970-01-03" ? Stream.fail(new DatabaseError()) : Stream.make({ day }))
})

const world = Layer.mergeAll(OssEmulator.layerClient(), orders)

const exported = Effect.fnUntraced(function* (day: string) {
  const emulator = yield* OssEmulator.OssEmulator
  const object = yield* emulator.object("test-bucket", `orders/${day}.jsonl`)
  return Option.isNone(object) ? undefined : new TextDecoder().decode(yield* object.value.bytes)
})

layer(world)("the job", (it) => {
  it.effect("exports each day before, outlives a bad night and a lost answer", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(Fault.drop({ operation: "put", at: "after" }))
      yield* Effect.forkScoped(job)
      yield* TestClock.adjust("27 hours")
      assert.strictEqual(yield* exported("1970-01-01"), `{"day":"1970-01-01"}\n`)
      yield* TestClock.adjust("3 days")
      assert.strictEqual(yield* exported("1970-01-02"), `{"day":"1970-01-02"}\n`)
      assert.isUndefined(yield* exported("1970-01-03"))
      assert.strictEqual(yield* exported("1970-01-04"), `{"day":"1970-01-04"}\n`)
      assert.deepStrictEqual(yield* emulator.uploads("test-bucket"), [])
    })
  )
})
