/** Sources whose inode is another one for a runner, as at another mount of sshfs. */
import { assert, describe, it } from "@effect/vitest"
import { Uploads } from "@effect-oss/cluster"
import { Effect, Exit, Layer, Scope } from "effect"
import {
  assertWhole,
  bucket,
  content,
  contentOf,
  ended,
  ground,
  inject,
  inTime,
  large,
  partSize,
  partsSent,
  path,
  remount,
  request,
  runner,
  slowly,
  until,
  world,
  write
} from "./world.ts"

const completed = Effect.fnUntraced(function* (id: string) {
  yield* until(ended(id))
  const status = yield* Uploads.status(id)
  assert.strictEqual(status._tag, "Completed")
})

describe("a source with another inode", () => {
  it.effect("when it is sent, is the one that was submitted", () =>
    Effect.gen(function* () {
      yield* write(content)
      const id = yield* Uploads.submit(request)
      yield* remount()
      yield* completed(id)
      assert.strictEqual((yield* partsSent).length, 9)
      yield* assertWhole(content)
    }).pipe(Effect.provide(world))
  )

  const halfway = Effect.fnUntraced(function* (bytes?: Uint8Array) {
    yield* write(large)
    yield* inject(slowly)
    const scope = yield* Scope.make()
    const first = yield* Layer.buildWithScope(runner(), scope)
    const id = yield* Effect.provide(Uploads.submit(request), first)
    yield* until(Effect.map(partsSent, (sent) => sent.length > 20))
    yield* inTime(Scope.close(scope, Exit.void))
    const before = (yield* partsSent).length
    yield* remount(bytes)
    return { id, before }
  })

  it.effect("for the next runner, keeps the parts that were sent", () =>
    Effect.gen(function* () {
      const { id, before } = yield* halfway()
      yield* Effect.provide(completed(id), runner())
      assert.strictEqual((yield* partsSent).length - before, 80 - before)
      yield* assertWhole(large)
    }).pipe(Effect.provide(ground))
  )

  it.effect("and other bytes for the next runner, becomes no mixture", () =>
    Effect.gen(function* () {
      const other = contentOf(large.length, 2)
      const { id } = yield* halfway(other)
      yield* Effect.provide(completed(id), runner())
      yield* assertWhole(other)
    }).pipe(Effect.provide(ground))
  )

  it.effect("of a batch, is stored", () =>
    Effect.gen(function* () {
      const small = contentOf(500)
      yield* write(small)
      yield* write(small, "/shared/b")
      const files = [
        { path, key: "db.tar" },
        { path: "/shared/b", key: "b" }
      ]
      const [id = ""] = yield* Uploads.submitMany({ bucket, prefix: "backups/", files, partSize })
      yield* remount()
      yield* until(ended(id))
      const status = yield* Uploads.status(id)
      assert.deepInclude(status._tag === "BatchEnded" && status.result, { files: 2, failed: 0 })
      yield* assertWhole(small)
    }).pipe(Effect.provide(world))
  )
})
