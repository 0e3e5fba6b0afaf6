/** A small world for uploads: a fake OSS, checkpoints in memory, virtual time. */
import { assert } from "@effect/vitest"
import { CheckpointStore, OssClient, Part, Source, Upload } from "@effect-oss/core"
import type { UploadEvent } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Clock, Duration, Effect, Fiber, Layer, Option, Stream } from "effect"
import { TestClock } from "effect/testing"
import { changed } from "../../src/internal/source/errors.ts"

export const bucket = "test-bucket"
export const key = "backups/db.tar"
export const partSize = Part.minPartSize

export const world = Layer.merge(OssEmulator.layerClient(), CheckpointStore.layerMemory)

export const contentOf = (size: number, seed = 1): Uint8Array<ArrayBuffer> => {
  let state = seed
  return Uint8Array.from({ length: size }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return state >>> 24
  })
}

/** Five parts, the last one short. */
export const fiveParts = contentOf(4 * partSize + 1_000)

export const requestFor = (
  content: Uint8Array,
  options: Partial<Upload.UploadRequest> = {}
): Upload.UploadRequest => ({ key, source: Source.bytes(content, "source"), partSize, ...options })

/** A source that a test can edit between or during runs. */
export const editable = (initial: Uint8Array) => {
  let content = initial
  let edits = 0
  const fingerprint = () => `${content.length}-${edits}`
  const source: Source.Source = {
    name: "editable",
    open: Effect.sync(() => ({
      _tag: "RandomAccess",
      id: "editable",
      size: content.length,
      fingerprint: fingerprint(),
      currentFingerprint: Effect.sync(fingerprint),
      read: (target, offset) =>
        Effect.suspend(() =>
          offset + target.length > content.length
            ? changed("editable", "it is shorter")
            : Effect.sync(() => target.set(content.subarray(offset, offset + target.length)))
        )
    }))
  }
  const edit = (next: Uint8Array) =>
    Effect.sync(() => {
      content = next
      edits++
    })
  return { source, edit }
}

/** Runs something that sleeps, with as much virtual time as it may need. */
export const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    yield* TestClock.adjust("1 day")
    return yield* Fiber.join(fiber)
  })

/** Makes the emulator misbehave. */
export const inject = (...faults: ReadonlyArray<Fault.Fault>) =>
  OssEmulator.OssEmulator.use((emulator) => emulator.inject(...faults))

/** What an upload failed with, by name. */
export const reasonOf = (error: Upload.UploadError) =>
  error._tag === "OssError" ? error.reason._tag : error._tag

/** The numbers of the parts whose sending began, in order. */
export const partsSent = Effect.gen(function* () {
  const log = yield* (yield* OssEmulator.OssEmulator).log
  return log.flatMap(({ operation, partNumber }) =>
    operation === "uploadPart" ? [partNumber ?? 0] : []
  )
})

/** How often each operation was asked for. */
export const requests = Effect.gen(function* () {
  const log = yield* (yield* OssEmulator.OssEmulator).log
  const counts: Record<string, number> = {}
  for (const { operation } of log) counts[operation] = (counts[operation] ?? 0) + 1
  return counts
})

export const pending = Stream.runCollect(Upload.pending)

/** The object is what the source holds, and nothing is left behind. */
export const assertWhole = Effect.fnUntraced(function* (content: Uint8Array, at = key) {
  const emulator = yield* OssEmulator.OssEmulator
  const object = yield* emulator.object(bucket, at)
  assert.isTrue(Option.isSome(object), "there is an object")
  assert.deepStrictEqual(yield* Option.getOrThrow(object).bytes, content)
  assert.deepStrictEqual(yield* emulator.uploads(bucket), [])
  assert.deepStrictEqual(yield* pending, [])
  assert.strictEqual(yield* emulator.inFlight, 0)
})

/** The object is what the source holds. Besides, only so many uploads without parts are left, as a lost Initiate leaves them. */
export const assertWholeBesides = Effect.fnUntraced(function* (
  orphans: number,
  content: Uint8Array
) {
  const emulator = yield* OssEmulator.OssEmulator
  const client = yield* OssClient.OssClient
  const left = yield* emulator.uploads(bucket)
  assert.strictEqual(left.length, orphans)
  for (const { uploadId } of left) {
    assert.deepStrictEqual((yield* client.listParts({ key, uploadId })).parts, [])
    yield* emulator.abortUpload({ bucket, key, uploadId })
  }
  yield* assertWhole(content)
})

/** The events of an upload, as far as it came. */
export const collect = (request: Upload.UploadRequest) => {
  const seen: Array<UploadEvent.UploadEvent> = []
  return Upload.events(request).pipe(
    Stream.runForEach((event) => Effect.sync(() => seen.push(event))),
    Effect.as(seen)
  )
}

/** Runs something while the wall clock is set back by an hour after so long; the monotonic clock goes on. */
export const setBack = <A, E, R>(after: Duration.Input, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const at = clock.currentTimeMillisUnsafe() + Duration.toMillis(Duration.fromInputUnsafe(after))
    const wall = (now: number) => (now < at ? now : now - 3_600_000)
    const millis = () => wall(clock.currentTimeMillisUnsafe())
    const nanos = () => BigInt(Math.round(millis() * 1_000_000))
    const stepping: Clock.Clock = {
      ...clock,
      currentTimeMillisUnsafe: millis,
      currentTimeMillis: Effect.sync(millis),
      currentTimeNanosUnsafe: nanos,
      currentTimeNanos: Effect.sync(nanos)
    }
    return yield* Effect.provideService(effect, Clock.Clock, stepping)
  })
