/** Each face of an upload within each combinator that may cut it short: what is left is clean, or can be carried on with. */
import { assert, describe, it } from "@effect/vitest"
import { Upload, UploadMany } from "@effect-oss/core"
import type { CheckpointStore, OssClient } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Data, Effect, Fiber, Option, Stream } from "effect"
import { TestClock } from "effect/testing"
import {
  assertWhole,
  bucket,
  fiveParts,
  inTime,
  inject,
  key,
  partSize,
  partsSent,
  pending,
  requestFor,
  world
} from "../support/world.ts"

interface Face {
  readonly name: string
  readonly run: Effect.Effect<
    unknown,
    unknown,
    OssClient.OssClient | CheckpointStore.CheckpointStore
  >
  /** False: nothing is left of what was cut short. */
  readonly resumable: boolean
}

class Cut extends Data.TaggedError("Cut")<{ readonly error: unknown }> {}

const request = requestFor(fiveParts, { concurrency: 1 })

const faces: ReadonlyArray<Face> = [
  { name: "upload", run: Upload.upload(request), resumable: true },
  { name: "events", run: Stream.runDrain(Upload.events(request)), resumable: true },
  {
    name: "sink",
    run: Stream.run(Stream.make(fiveParts), Upload.sink({ key, partSize, concurrency: 1 })),
    resumable: false
  },
  {
    name: "uploadAll",
    run: UploadMany.uploadAll(Stream.make(request), { onFailure: "stop" }).pipe(Stream.runDrain),
    resumable: true
  }
]

/** Returns when the first two parts are there, and the third hangs. */
const hangs = Effect.yieldNow.pipe(
  Effect.andThen(partsSent),
  Effect.repeat({ until: (sent) => sent.includes(3), times: 10_000 })
)

const later = Effect.sleep("10 seconds")

/** What ends a run that hangs, after 10 seconds; it returns once the run has ended. */
const cuts: Readonly<
  Record<string, <A, E, R>(run: Effect.Effect<A, E, R>) => Effect.Effect<unknown, E, R>>
> = {
  interrupt: Effect.fnUntraced(function* (run) {
    const fiber = yield* Effect.forkChild(run)
    yield* later
    yield* Fiber.interrupt(fiber)
  }),
  timeout: (run) => Effect.timeoutOption(run, "10 seconds"),
  race: (run) => Effect.raceFirst(run, later),
  "Effect.scoped": (run) => Effect.scoped(Effect.andThen(Effect.forkScoped(run), later))
}

/** Nothing is on its way, now or later, and what is left is whole or nothing. */
const assertCut = Effect.fnUntraced(function* ({ resumable }: Face) {
  const emulator = yield* OssEmulator.OssEmulator
  assert.strictEqual(yield* emulator.inFlight, 0)
  const sent = yield* partsSent
  yield* TestClock.adjust("1 day")
  assert.deepStrictEqual(yield* partsSent, sent)
  assert.isTrue(Option.isNone(yield* emulator.object(bucket, key)))
  const left = (yield* pending).map(({ parts, durable }) => ({ parts, durable }))
  assert.deepStrictEqual(left, resumable ? [{ parts: 2, durable: 2 * partSize }] : [])
  assert.strictEqual((yield* emulator.uploads(bucket)).length, resumable ? 1 : 0)
})

describe.each(faces)("$name", (face) => {
  it.effect.each(Object.entries(cuts))("within %s leaves a state to go on from", ([, cut]) =>
    Effect.gen(function* () {
      yield* inject(Fault.stall({ operation: "uploadPart", partNumber: 3, at: "before" }))
      const fiber = yield* Effect.forkChild(cut(face.run))
      yield* hangs
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(fiber)
      yield* assertCut(face)
      const before = (yield* partsSent).length
      yield* inTime(face.run)
      const again = (yield* partsSent).slice(before)
      assert.deepStrictEqual(again, face.resumable ? [3, 4, 5] : [1, 2, 3, 4, 5])
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("within retry goes on from there by itself", () =>
    Effect.gen(function* () {
      const answer = { status: 403, code: "AccessDenied" }
      yield* inject(Fault.answer({ operation: "uploadPart", partNumber: 3, ...answer }))
      yield* inTime(
        face.run.pipe(
          Effect.mapError((error) => new Cut({ error })),
          Effect.retry({ times: 1 })
        )
      )
      assert.deepStrictEqual(
        yield* partsSent,
        face.resumable ? [1, 2, 3, 3, 4, 5] : [1, 2, 3, 1, 2, 3, 4, 5]
      )
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )
})
