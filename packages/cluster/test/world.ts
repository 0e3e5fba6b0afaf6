/** A small world for workflows: files and an OSS that are made up, an engine in memory, virtual time. */
import { assert } from "@effect/vitest"
import { Part } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Buckets, Executions, Locator, UploadRunner, Uploads } from "@effect-oss/cluster"
import { ByteSize, Context, Effect, Fiber, FileSystem, Layer, Option, PlatformError } from "effect"
import {
  ClusterWorkflowEngine,
  MessageStorage,
  RunnerHealth,
  Runners,
  RunnerStorage,
  Sharding,
  ShardingConfig,
  TestRunner
} from "effect/cluster"
import { HttpClient } from "effect/http"
import { TestClock } from "effect/testing"

export const bucket = "test-bucket"
export const key = "backups/db.tar"
export const path = "/shared/db.tar"
export const roots = ["/shared"]
export const partSize = Part.minPartSize

export const contentOf = (size: number, seed = 1): Uint8Array => {
  let state = seed
  return Uint8Array.from({ length: size }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return state >>> 24
  })
}

/** Nine parts, each a range of its own; the last one is short. */
export const content = contentOf(8 * partSize + 1_000)

/** 80 parts, two in each range. */
export const large = contentOf(79 * partSize + 1_000)

/** Storage that every runner sees. */
export class Shared extends Context.Service<
  Shared,
  {
    readonly write: (path: string, bytes: Uint8Array) => Effect.Effect<void>
    /** Gives every file another inode, and these bytes if it is said: time and size stay. */
    readonly remount: (path: string, bytes?: Uint8Array) => Effect.Effect<void>
  }
>()("test/Shared") {}

const layerFiles = Layer.effectContext(
  Effect.sync(() => {
    const files = new Map<string, { readonly bytes: Uint8Array; readonly version: number }>()
    let mount = 1
    const at = (path: string) =>
      Effect.suspend(() => {
        const file = files.get(path)
        return file === undefined
          ? Effect.fail(
              PlatformError.systemError({ _tag: "NotFound", module: "test", method: "stat" })
            )
          : Effect.succeed(file)
      })
    const infoOf = ({ bytes, version }: { bytes: Uint8Array; version: number }) =>
      ({
        type: "File",
        size: ByteSize.bytes(bytes.length),
        // Long ago: nobody waits to see whether it changes once more.
        mtime: Option.some(new Date(version - 86_400_000)),
        ino: Option.some(mount)
      }) as unknown as FileSystem.File.Info
    const read = (path: string) => (target: Uint8Array, options?: FileSystem.File.ReadOptions) =>
      Effect.map(at(path), ({ bytes }) => {
        const start = Number(options?.position)
        const piece = bytes.subarray(start, start + target.length)
        target.set(piece)
        return piece.length
      })
    const fs = FileSystem.makeNoop({
      stat: (path) => Effect.map(at(path), infoOf),
      realPath: (path) => Effect.succeed(path),
      open: (path) => Effect.as(at(path), { read: read(path) } as FileSystem.File)
    })
    const write = (path: string, bytes: Uint8Array) =>
      Effect.sync(() => files.set(path, { bytes, version: (files.get(path)?.version ?? 0) + 1 }))
    const remount = (path: string, bytes?: Uint8Array) =>
      Effect.sync(() => {
        mount++
        const file = files.get(path)
        if (file !== undefined && bytes !== undefined) files.set(path, { ...file, bytes })
      })
    return Context.make(FileSystem.FileSystem, fs).pipe(Context.add(Shared, { write, remount }))
  })
)

const layerNoHttp = Layer.succeed(
  HttpClient.HttpClient,
  HttpClient.make(() => Effect.die(new Error("there is no network")))
)

const layerOutside = Layer.mergeAll(
  layerFiles,
  layerNoHttp,
  Layer.provideMerge(Buckets.layerClient, OssEmulator.layerClient())
)

/** A cluster of one runner. */
export const world = UploadRunner.layer({ roots }).pipe(
  Layer.provideMerge(ClusterWorkflowEngine.layer),
  Layer.provideMerge(Executions.layerMemory),
  Layer.provideMerge(TestRunner.layer),
  Layer.provideMerge(layerOutside)
)

/** What outlives every runner. */
export const ground = Layer.merge(
  Layer.provideMerge(Executions.layerMemory, MessageStorage.layerMemory),
  RunnerStorage.layerMemory
).pipe(Layer.provideMerge(ShardingConfig.layer()), Layer.provideMerge(layerOutside))

/** A runner that can go away, and another one after it. */
export const runner = (options?: Partial<UploadRunner.Options>) =>
  UploadRunner.layer({ roots, ...options }).pipe(
    Layer.provideMerge(ClusterWorkflowEngine.layer),
    Layer.provide(Sharding.layer),
    Layer.provide([Runners.layerNoop, RunnerHealth.layerNoop])
  )

export const request: Uploads.Request = { bucket, key, source: Locator.file(path), partSize }

/** Lets promises settle: execution ids are digests of the web's crypto, which answers by one. */
const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

/** Lets virtual time pass. */
export const pass = Effect.fnUntraced(function* (seconds: number) {
  for (let second = 0; second < seconds; second++) {
    yield* turn
    yield* TestClock.adjust("1 second")
  }
  yield* turn
})

/** Lets virtual time pass, until the condition holds. */
export const until = Effect.fnUntraced(function* <E, R>(condition: Effect.Effect<boolean, E, R>) {
  for (let second = 0; !(yield* condition); second++) {
    assert.isBelow(second, 20_000, "it never comes to that")
    yield* pass(1)
  }
})

/** Runs something that sleeps, with as much virtual time as it may need. */
export const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    yield* until(Effect.sync(() => fiber.pollUnsafe() !== undefined))
    return yield* Fiber.join(fiber)
  })

/** The numbers of the parts that were sent whole, in order. */
export const partsSent = Effect.gen(function* () {
  const log = yield* (yield* OssEmulator.OssEmulator).log
  return log.flatMap(({ operation, whole, partNumber }) =>
    operation === "uploadPart" && whole && partNumber !== undefined ? [partNumber] : []
  )
})

/** How often each operation was asked for. */
export const requests = Effect.gen(function* () {
  const log = yield* (yield* OssEmulator.OssEmulator).log
  const counts: Partial<Record<Fault.Operation, number>> = {}
  for (const { operation } of log) counts[operation] = (counts[operation] ?? 0) + 1
  return counts
})

/** The upload is over: its state isn't looked at any further. */
export const ended = (id: string) =>
  Effect.map(Uploads.status(id), ({ _tag }) => _tag !== "Waiting" && _tag !== "Sending")

/** The object is what the source holds, and nothing is left behind. */
export const assertWhole = Effect.fnUntraced(function* (expected: Uint8Array) {
  const emulator = yield* OssEmulator.OssEmulator
  const object = yield* emulator.object(bucket, key)
  assert.isTrue(Option.isSome(object), "there is an object")
  assert.deepStrictEqual(yield* Option.getOrThrow(object).bytes, expected)
  assert.deepStrictEqual(yield* emulator.uploads(bucket), [])
  assert.strictEqual(yield* emulator.inFlight, 0)
})

/** The object is what the source holds. Besides, only so many uploads without parts are left, as a lost Initiate leaves them. */
export const assertWholeBesides = Effect.fnUntraced(function* (
  orphans: number,
  expected: Uint8Array
) {
  const emulator = yield* OssEmulator.OssEmulator
  const left = yield* emulator.uploads(bucket)
  assert.strictEqual(left.length, orphans)
  for (const { uploadId, parts } of left) {
    assert.deepStrictEqual(parts, [])
    yield* emulator.abortUpload({ bucket, key, uploadId })
  }
  yield* assertWhole(expected)
})

export const assertNothingLeft = Effect.gen(function* () {
  const emulator = yield* OssEmulator.OssEmulator
  assert.deepStrictEqual(yield* emulator.uploads(bucket), [])
  assert.strictEqual(yield* emulator.inFlight, 0)
  assert.isTrue(Option.isNone(yield* emulator.object(bucket, key)))
})

export const write = (bytes: Uint8Array, to = path) =>
  Shared.use((shared) => shared.write(to, bytes))
export const remount = (bytes?: Uint8Array) => Shared.use((shared) => shared.remount(path, bytes))
export const inject = (...faults: ReadonlyArray<Fault.Fault>) =>
  OssEmulator.OssEmulator.use((emulator) => emulator.inject(...faults))
export const openUploads = OssEmulator.OssEmulator.use((emulator) => emulator.uploads(bucket))

/** Each part takes ten seconds. */
export const slowly = Fault.delay({ operation: "uploadPart", times: Infinity, millis: 10_000 })

export const failureOf = (id: string) =>
  Effect.map(Uploads.status(id), (status) =>
    status._tag === "Failed" ? status.error : assert.fail(`it is ${status._tag}`)
  )

export const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1)
export const sorted = (numbers: ReadonlyArray<number>) => numbers.toSorted((a, b) => a - b)
