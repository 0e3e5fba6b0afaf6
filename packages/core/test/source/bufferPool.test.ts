import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import * as BufferPool from "../../src/internal/source/bufferPool.ts"
import { blockSize } from "../../src/internal/source/memory.ts"
import { contentOf } from "../support/world.ts"

const MiB = 1024 * 1024
const GiB = 1024 * MiB

/** How many parts of one size have room at once; no byte is taken for them. */
const fitting = Effect.fnUntraced(function* (options: BufferPool.Options, size: number) {
  const pool = BufferPool.make(options)
  let rooms = 0
  const more = Effect.tap(pool.acquire(size), () => Effect.sync(() => rooms++))
  const fiber = yield* Effect.forkChild(Effect.replicateEffect(more, 2 * options.parts))
  yield* TestClock.adjust("1 second")
  yield* Fiber.interrupt(fiber)
  return rooms
})

describe("memory for parts", () => {
  it.effect.each([
    ["so many parts as were asked for, however small", 6, 8 * MiB, 8 * MiB, 6],
    ["no more of those that are smaller", 6, 8 * MiB, 100 * 1024, 6],
    ["as many that have grown a little", 6, 8 * MiB, 80 * MiB, 6],
    ["512 MiB of those that have grown more", 6, 8 * MiB, 170 * MiB, 3],
    ["two that have grown large", 6, 8 * MiB, 5 * GiB, 2],
    ["all of a size that was asked for, however large", 17, 64 * MiB, 64 * MiB, 17],
    ["fewer that have grown from there", 17, 64 * MiB, 272 * MiB, 4],
    ["two at least", 2, 5 * GiB, 5 * GiB, 2]
  ] as const)("has room for %s", ([_, parts, partSize, size, expected]) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* fitting({ parts, partSize }, size), expected)
    })
  )

  it.effect("waits until a part is given up", () =>
    Effect.gen(function* () {
      const pool = BufferPool.make({ parts: 2, partSize: MiB })
      const first = yield* pool.acquire(MiB)
      yield* pool.acquire(MiB)
      const third = yield* Deferred.make<BufferPool.PartBuffer>()
      yield* Effect.forkChild(Deferred.into(pool.acquire(MiB), third))
      yield* TestClock.adjust("1 second")
      assert.isFalse(yield* Deferred.isDone(third))
      yield* first.release
      yield* Deferred.await(third)
    })
  )

  it.effect("is used again, by larger parts too", () =>
    Effect.gen(function* () {
      const pool = BufferPool.make({ parts: 2, partSize: MiB })
      const small = yield* pool.acquire(MiB)
      const taken = yield* Effect.replicateEffect(small.grow, 2)
      yield* small.release
      const large = yield* pool.acquire(10 * MiB)
      const again = new Set(yield* Effect.replicateEffect(large.grow, 3))
      assert.isTrue(taken.every((block) => again.has(block)))
    })
  )

  const content = contentOf(3 * blockSize + 100)
  const filled = Effect.gen(function* () {
    const buffer = yield* BufferPool.make({ parts: 2, partSize: MiB }).acquire(content.length)
    for (let at = 0; at < content.length; at += blockSize) {
      const block = yield* buffer.grow
      block.set(content.subarray(at, at + blockSize))
    }
    return buffer.body(content.length)
  })

  it.effect.prop(
    "is read at any place",
    {
      offset: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: content.length })),
      length: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: content.length }))
    },
    ({ offset, length }) =>
      Effect.gen(function* () {
        const body = yield* filled
        const target = new Uint8Array(Math.min(length, content.length - offset))
        yield* body.read(target, offset)
        assert.deepStrictEqual(target, content.subarray(offset, offset + target.length))
      }),
    { arbitrary: { runs: 50, seed: 1 } }
  )
})
