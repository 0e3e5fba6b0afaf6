import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { TestClock } from "effect/testing"
import { blockSize } from "../../src/internal/source/memory.ts"
import * as Memory from "../../src/internal/source/memory.ts"

const settle = TestClock.adjust("1 second")

/** Four blocks, and an account of them for each of two uploads. */
const shared = Effect.gen(function* () {
  const memory = Memory.make(4 * blockSize)
  const accounts = [yield* memory.open, yield* memory.open] as const
  return { memory, accounts }
})

const blocks = (count: number) => count * blockSize

describe("memory that uploads share", () => {
  it.effect("makes an upload wait until another one gives some back", () =>
    Effect.gen(function* () {
      const { memory, accounts } = yield* shared
      const release = yield* accounts[0].take(blocks(3))
      const waiting = yield* Effect.forkChild(Effect.asVoid(accounts[1].take(blocks(2))))
      yield* settle
      assert.isUndefined(waiting.pollUnsafe())
      assert.strictEqual(memory.taken(), blocks(3))
      yield* release
      yield* Fiber.join(waiting)
      assert.strictEqual(memory.taken(), blocks(2))
    })
  )

  it.effect("serves requests in order, so that large ones don't starve", () =>
    Effect.gen(function* () {
      const { accounts } = yield* shared
      const release = yield* accounts[0].take(blocks(3))
      const order: Array<string> = []
      const taking = (name: string, count: number) =>
        Effect.forkChild(
          Effect.andThen(
            accounts[1].take(blocks(count)),
            Effect.sync(() => order.push(name))
          )
        )
      yield* taking("large", 4)
      yield* taking("small", 1)
      yield* settle
      assert.deepStrictEqual(order, [])
      yield* release
      yield* settle
      assert.deepStrictEqual(order, ["large"])
    })
  )

  it.effect("gives a part that is larger than all of it everything, and nothing besides", () =>
    Effect.gen(function* () {
      const { memory, accounts } = yield* shared
      const release = yield* accounts[0].take(blocks(100))
      assert.strictEqual(memory.taken(), memory.bytes)
      yield* release
      yield* release
      assert.strictEqual(memory.taken(), 0)
    })
  )

  it.effect("has it back when an upload ends, whatever the upload still holds or waits for", () =>
    Effect.gen(function* () {
      const { memory, accounts } = yield* shared
      const scope = yield* Scope.make()
      const ending = yield* Scope.provide(memory.open, scope)
      const release = yield* ending.take(blocks(3))
      const never = yield* Effect.forkChild(Effect.asVoid(ending.take(blocks(4))))
      const waiting = yield* Effect.forkChild(Effect.asVoid(accounts[0].take(blocks(4))))
      yield* settle
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.join(waiting)
      yield* release
      assert.strictEqual(memory.taken(), blocks(4))
      yield* Fiber.interrupt(never)
    })
  )

  it.effect("forgets an upload that was interrupted while it waited", () =>
    Effect.gen(function* () {
      const { memory, accounts } = yield* shared
      const release = yield* accounts[0].take(blocks(3))
      const first = yield* Effect.forkChild(Effect.asVoid(accounts[1].take(blocks(4))))
      const second = yield* Effect.forkChild(Effect.asVoid(accounts[1].take(blocks(1))))
      yield* settle
      yield* Fiber.interrupt(first)
      yield* Fiber.join(second)
      yield* release
      assert.strictEqual(memory.taken(), blocks(1))
    })
  )

  it.effect("is used for as long as an effect runs, however it ends", () =>
    Effect.gen(function* () {
      const { memory, accounts } = yield* shared
      const begun = yield* Deferred.make<void>()
      const use = accounts[0].using(blocks(2))
      const fiber = yield* Effect.forkChild(
        use(Effect.andThen(Deferred.succeed(begun, undefined), Effect.never))
      )
      yield* Deferred.await(begun)
      assert.strictEqual(memory.taken(), blocks(2))
      yield* Fiber.interrupt(fiber)
      yield* Effect.exit(use(Effect.fail("no")))
      assert.strictEqual(memory.taken(), 0)
    })
  )

  it("is made of whole blocks", () =>
    assert.strictEqual(Memory.make(blocks(2) + 1).bytes, blocks(2)))
})
