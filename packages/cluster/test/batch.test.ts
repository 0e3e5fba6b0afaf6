import { assert, describe, it } from "@effect/vitest"
import { Executions, Uploads } from "@effect-oss/cluster"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Exit, Layer, Option, Scope } from "effect"
import { MessageStorage } from "effect/cluster"
import {
  bucket,
  contentOf,
  ended,
  ground,
  inject,
  inTime,
  partSize,
  pass,
  requests,
  runner,
  until,
  write
} from "./world.ts"

const count = 300
const names = Array.from({ length: count }, (_, index) => `file-${index}`)
const sizeOf = (index: number) => 100 + index
const total = names.reduce((sum, _, index) => sum + sizeOf(index), 0)

const writeAll = Effect.forEach(
  names,
  (name, index) => write(contentOf(sizeOf(index), index), `/shared/in/${name}`),
  { discard: true }
)

const many: Uploads.ManyRequest = {
  bucket,
  prefix: "backups/",
  files: names.map((name) => ({ path: `/shared/in/${name}`, key: name })),
  partSize
}

const submit = (again?: boolean) =>
  Effect.map(Uploads.submitMany({ ...many, again }), ([id = "", ...rest]) => {
    assert.deepStrictEqual(rest, [])
    return id
  })

const result = Effect.fnUntraced(function* (id: string) {
  const status = yield* Uploads.status(id)
  return status._tag === "BatchEnded" ? status.result : assert.fail(`it is ${status._tag}`)
})

const assertAllStored = Effect.gen(function* () {
  const emulator = yield* OssEmulator.OssEmulator
  for (const [index, name] of names.entries()) {
    const object = yield* emulator.object(bucket, `backups/${name}`)
    assert.isTrue(Option.isSome(object), name)
    assert.deepStrictEqual(yield* Option.getOrThrow(object).bytes, contentOf(sizeOf(index), index))
  }
})

const world = Layer.provideMerge(runner({ activities: 2 }), ground)

describe("a batch", () => {
  it.effect("stores each file once, and leaves rows by slices, not by files", () =>
    Effect.gen(function* () {
      yield* writeAll
      const id = yield* submit()
      yield* until(ended(id))
      assert.deepStrictEqual(yield* result(id), {
        bucket,
        key: "backups/",
        files: count,
        skipped: 0,
        size: total,
        failed: 0,
        failures: []
      })
      yield* assertAllStored
      assert.deepStrictEqual(yield* requests, { put: count })
      const { journal } = yield* MessageStorage.MemoryDriver
      assert.isBelow(journal.length, 30)
      const [listed] = yield* Uploads.list()
      assert.deepInclude(listed, { id, kind: "Batch", files: count, size: total })
    }).pipe(Effect.provide(world))
  )

  it.effect("is joined while it runs; afterwards it sends what is not there any more", () =>
    Effect.gen(function* () {
      yield* writeAll
      yield* inject(Fault.delay({ operation: "put", millis: 10_000 }))
      const id = yield* submit()
      assert.strictEqual(yield* submit(), id)
      yield* until(ended(id))
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.deleteObject(bucket, "backups/file-7")
      const second = yield* submit()
      assert.notStrictEqual(second, id)
      yield* until(ended(second))
      assert.deepInclude(yield* result(second), { files: count, skipped: count - 1 })
      assert.strictEqual((yield* requests).put, count + 1)
      yield* assertAllStored
      yield* until(ended(yield* submit(true)))
      assert.strictEqual((yield* requests).put, 2 * count + 1)
    }).pipe(Effect.provide(world))
  )

  it.effect("tells files that fail for good, and stores the others", () =>
    Effect.gen(function* () {
      yield* writeAll
      // The runner may be at work as soon as there is a batch: this file waits until it has changed.
      yield* inject(
        Fault.answer({
          operation: "put",
          key: "backups/file-3",
          status: 403,
          code: "AccessDenied"
        }),
        Fault.delay({ operation: "put", key: "backups/file-200", millis: 5_000, at: "before" })
      )
      const id = yield* submit()
      yield* write(contentOf(5_000, 9), "/shared/in/file-200")
      yield* until(ended(id))
      const { files, failed, failures } = yield* result(id)
      assert.deepStrictEqual([files, failed], [count - 2, 2])
      assert.deepStrictEqual(
        failures.map(({ key, error }) => [key, "reason" in error && error.reason._tag]).toSorted(),
        [
          ["backups/file-200", "SourceChanged"],
          ["backups/file-3", "AccessDenied"]
        ]
      )
    }).pipe(Effect.provide(world))
  )

  it.effect("outlasts a server that is down for three minutes", () =>
    Effect.gen(function* () {
      yield* writeAll
      yield* inject(Fault.answer({ status: 503, times: Infinity }))
      const id = yield* submit()
      yield* pass(180)
      yield* (yield* OssEmulator.OssEmulator).clearFaults
      yield* until(ended(id))
      assert.deepInclude(yield* result(id), { files: count, failed: 0 })
      yield* assertAllStored
    }).pipe(Effect.provide(world))
  )

  it.effect("fails as a whole if all would fail alike", () =>
    Effect.gen(function* () {
      yield* writeAll
      yield* inject(Fault.answer({ status: 404, code: "NoSuchBucket", times: Infinity }))
      const id = yield* submit()
      yield* until(ended(id))
      const status = yield* Uploads.status(id)
      assert.strictEqual(status._tag === "Failed" && status.error._tag, "OssError")
      assert.isBelow((yield* requests).put ?? 0, 100)
    }).pipe(Effect.provide(world))
  )

  it.effect("is refused if two files go to one key, before anything is submitted", () =>
    Effect.gen(function* () {
      yield* writeAll
      const files = [...many.files, { path: "/shared/in/file-1", key: "file-2" }]
      const error = yield* Effect.flip(Uploads.submitMany({ ...many, files }))
      assert.match(error.message, /two files go to backups\/file-2/)
      assert.deepStrictEqual(yield* Uploads.list(), [])
    }).pipe(Effect.provide(world))
  )

  it.effect("leaves large files to uploads of their own", () =>
    Effect.gen(function* () {
      yield* writeAll
      yield* write(contentOf(3 * partSize), "/shared/in/large")
      const files = [...many.files.slice(0, 5), { path: "/shared/in/large", key: "large" }]
      const ids = yield* Uploads.submitMany({ ...many, files })
      assert.lengthOf(ids, 2)
      for (const id of ids) yield* until(ended(id))
      const listed = yield* Uploads.list()
      assert.deepStrictEqual(
        listed.map(({ kind, key, status }) => [kind, key, status._tag]),
        [
          ["Upload", "backups/large", "Completed"],
          ["Batch", "backups/", "BatchEnded"]
        ]
      )
    }).pipe(Effect.provide(world))
  )
})

describe("a batch is steered", () => {
  const slowly = Fault.delay({ operation: "put", times: Infinity, millis: 10_000 })
  const sent = Effect.map(requests, ({ put = 0 }) => put)

  it.effect("pause stops it, resume goes on and stores every file", () =>
    Effect.gen(function* () {
      yield* writeAll
      yield* inject(slowly)
      const id = yield* submit()
      yield* until(Effect.map(sent, (sent) => sent > 20))
      yield* Uploads.pause(id)
      yield* pass(30)
      const before = yield* sent
      assert.strictEqual(yield* (yield* OssEmulator.OssEmulator).inFlight, 0)
      yield* pass(100)
      assert.strictEqual(yield* sent, before)
      const status = yield* Uploads.status(id)
      assert.isTrue(status._tag === "Sending" && status.paused)
      yield* Uploads.resume(id)
      yield* until(ended(id))
      assert.deepInclude(yield* result(id), { files: count, failed: 0 })
      yield* assertAllStored
    }).pipe(Effect.provide(world))
  )

  it.effect("cancel ends it", () =>
    Effect.gen(function* () {
      yield* writeAll
      yield* inject(slowly)
      const id = yield* submit()
      yield* until(Effect.map(sent, (sent) => sent > 20))
      yield* Uploads.cancel(id)
      yield* until(ended(id))
      const status = yield* Uploads.status(id)
      assert.strictEqual(status._tag === "Failed" && status.error._tag, "Cancelled")
      assert.isBelow(yield* sent, count)
    }).pipe(Effect.provide(world))
  )

  it.effect("a runner that goes away costs at most the slices that it had", () =>
    Effect.gen(function* () {
      yield* writeAll
      yield* inject(slowly)
      const scope = yield* Scope.make()
      const context = yield* inTime(Scope.provide(Layer.build(runner({ activities: 1 })), scope))
      const id = yield* Effect.provideContext(
        Effect.tap(submit(), () => until(Effect.map(sent, (sent) => sent > 150))),
        context
      )
      yield* inTime(Scope.close(scope, Exit.void))
      const before = yield* sent
      yield* inTime(
        Effect.scoped(
          Effect.flatMap(Layer.build(runner()), (context) =>
            Effect.provideContext(Effect.andThen(until(ended(id)), result(id)), context)
          )
        )
      )
      yield* assertAllStored
      assert.isAtMost(yield* sent, count + 128)
      assert.isBelow(before, 200)
      const found = yield* Executions.Executions.use(({ find }) => find(id))
      assert.isTrue(Option.exists(found, ({ ended }) => Option.isSome(ended)))
    }).pipe(Effect.provide(ground))
  )
})
