import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, OssClient, Source, Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Exit, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import {
  assertWhole,
  assertWholeBesides,
  bucket,
  contentOf,
  fiveParts,
  inTime,
  inject,
  partSize,
  partsSent,
  requestFor,
  world
} from "../support/world.ts"

/** A source that tells whether it is open. */
const watched = (content: Uint8Array) => {
  const { source } = requestFor(content)
  let open = 0
  const counted: Source.Source = {
    name: source.name,
    open: Effect.andThen(
      Effect.acquireRelease(
        Effect.sync(() => open++),
        () => Effect.sync(() => open--)
      ),
      source.open
    )
  }
  return { source: counted, isOpen: () => open > 0 }
}

describe("interruption", () => {
  /** A run that was refused at part 4, perhaps of a request that was another. */
  const refused = (change: Partial<Upload.UploadRequest> = {}) =>
    Effect.gen(function* () {
      const denied = { operation: "uploadPart", partNumber: 4, status: 403 } as const
      yield* inject(Fault.answer({ ...denied, code: "AccessDenied" }))
      const request = requestFor(fiveParts, { concurrency: 1, ...change })
      yield* Effect.orDie(Effect.flip(Upload.upload(request)))
    })

  interface Phase {
    readonly hangs: Fault.Fault
    /** Default: nothing happened before. */
    readonly before?: ReturnType<typeof refused>
    /** Default: five parts. */
    readonly content?: Uint8Array
    /** Uploads without parts that stay. Default: none. */
    readonly orphans?: number
  }
  const phases: ReadonlyArray<[string, Phase]> = [
    [
      "before Initiate is carried out",
      { hangs: Fault.stall({ operation: "initiate", at: "before" }) }
    ],
    [
      "after Initiate was carried out",
      { hangs: Fault.stall({ operation: "initiate", at: "after" }), orphans: 1 }
    ],
    ["before a part's body", { hangs: Fault.stall({ operation: "uploadPart", at: "before" }) }],
    [
      "in the middle of a part",
      { hangs: Fault.stall({ operation: "uploadPart", at: { bytes: 65_536 }, times: 5 }) }
    ],
    [
      "after a part was stored",
      { hangs: Fault.stall({ operation: "uploadPart", partNumber: 3, at: "after" }) }
    ],
    [
      "between two attempts",
      {
        hangs: Fault.answer({
          operation: "uploadPart",
          partNumber: 2,
          status: 503,
          code: "ServiceUnavailable",
          headers: { "Retry-After": "60" }
        })
      }
    ],
    [
      "before Complete is carried out",
      { hangs: Fault.stall({ operation: "complete", at: "before" }) }
    ],
    [
      "after Complete was carried out",
      { hangs: Fault.stall({ operation: "complete", at: "after" }) }
    ],
    [
      "while HEAD settles what became of Complete",
      {
        before: inject(Fault.drop({ operation: "complete", at: "after" })),
        hangs: Fault.stall({ operation: "head", at: "before" })
      }
    ],
    [
      "while the parts of an earlier run are listed",
      { before: refused(), hangs: Fault.stall({ operation: "listParts", at: "before" }) }
    ],
    [
      "while the upload of an earlier run is aborted",
      {
        before: refused({ meta: { owner: "somebody else" } }),
        hangs: Fault.stall({ operation: "abort", at: "before" })
      }
    ],
    [
      "in the middle of a small object",
      {
        content: contentOf(90_000),
        hangs: Fault.stall({ operation: "put", at: { bytes: 65_536 } })
      }
    ],
    [
      "after a small object was stored",
      { content: contentOf(90_000), hangs: Fault.stall({ operation: "put", at: "after" }) }
    ]
  ]
  it.effect.each(phases)(
    "%s stops everything before it returns, and the next run carries on",
    ([_, { hangs, before = Effect.void, content = fiveParts, orphans = 0 }]) =>
      Effect.gen(function* () {
        const emulator = yield* OssEmulator.OssEmulator
        const { source, isOpen } = watched(content)
        const request = requestFor(content, { source })
        yield* before
        yield* emulator.inject(hangs)
        const events: Array<string> = []
        const fiber = yield* Effect.forkChild(
          Stream.runForEach(Upload.events(request), (event) =>
            Effect.sync(() => events.push(event._tag))
          )
        )
        yield* TestClock.adjust("10 seconds")
        assert.isTrue(isOpen())
        const exit = yield* Effect.andThen(Fiber.interrupt(fiber), Fiber.await(fiber))
        assert.isTrue(Exit.isFailure(exit) && Exit.hasInterrupts(exit))

        assert.strictEqual(yield* emulator.inFlight, 0)
        assert.isFalse(isOpen())
        const [log, seen] = [yield* emulator.log, events.length]
        yield* TestClock.adjust("1 hour")
        assert.strictEqual((yield* emulator.log).length, log.length)
        assert.strictEqual(events.length, seen)

        yield* inTime(Upload.upload(request))
        yield* assertWholeBesides(orphans, content)
      }).pipe(Effect.provide(world))
  )

  it.effect(
    "in the middle of parts keeps all that was acknowledged: nothing of it is sent again",
    () =>
      Effect.gen(function* () {
        yield* inject(
          Fault.stall({ operation: "uploadPart", partNumber: 4, at: { bytes: 65_536 } })
        )
        const request = requestFor(fiveParts, { concurrency: 1 })
        const fiber = yield* Effect.forkChild(Upload.upload(request))
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(fiber)
        const before = (yield* partsSent).length
        yield* Upload.upload(request)
        assert.deepStrictEqual((yield* partsSent).slice(before), [4, 5])
      }).pipe(Effect.provide(world))
  )

  it.effect("by a timeout leaves a resumable state", () =>
    Effect.gen(function* () {
      yield* inject(Fault.delay({ operation: "uploadPart", millis: 1_000, times: Infinity }))
      const request = requestFor(fiveParts, { concurrency: 1 })
      const runs = Upload.upload(request).pipe(
        Effect.timeout("2500 millis"),
        Effect.retry({ times: 10 })
      )
      yield* inTime(runs)
      assert.deepStrictEqual((yield* partsSent).toSorted(), [1, 2, 3, 3, 4, 5, 5])
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("of one upload leaves another on the same client alone", () =>
    Effect.gen(function* () {
      yield* inject(Fault.delay({ operation: "uploadPart", millis: 1_000, times: Infinity }))
      const other = contentOf(3 * partSize, 7)
      const first = yield* Effect.forkChild(Upload.upload(requestFor(fiveParts)))
      const second = yield* Effect.forkChild(
        Upload.upload(requestFor(other, { key: "other", concurrency: 1 }))
      )
      yield* TestClock.adjust("500 millis")
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(second)
      const emulator = yield* OssEmulator.OssEmulator
      const object = yield* Effect.fromOption(yield* emulator.object(bucket, "other"))
      assert.deepStrictEqual(yield* object.bytes, other)
    }).pipe(Effect.provide(world))
  )
})

describe("a body", () => {
  it.effect(
    "may be read from the start again by whoever carries it: the CRC64 is that of the last time",
    () =>
      Effect.gen(function* () {
        const client = yield* OssClient.OssClient
        const readsTwice = OssClient.OssClient.of({
          ...client,
          uploadPart: (part) =>
            part.body.read(new Uint8Array(1_000), 0).pipe(Effect.andThen(client.uploadPart(part)))
        })
        const run = Upload.upload(requestFor(fiveParts))
        yield* Effect.provideService(run, OssClient.OssClient, readsTwice)
        assert.strictEqual((yield* partsSent).length, 5)
        yield* assertWhole(fiveParts)
      }).pipe(Effect.provide(world))
  )
})

describe("the store", () => {
  it.effect(
    "that can't record a part ends the upload with its error, and the next run adopts the part",
    () =>
      Effect.gen(function* () {
        const store = yield* CheckpointStore.CheckpointStore
        const full = CheckpointStore.CheckpointStore.of({
          ...store,
          open: (checkpoint) =>
            Effect.map(store.open(checkpoint), (log) => ({
              ...log,
              append: () =>
                new CheckpointStore.CheckpointError({
                  location: "disk",
                  reason: new CheckpointStore.Unavailable({ description: "no space left" })
                })
            }))
        })
        const request = requestFor(fiveParts, { concurrency: 1 })
        const error = yield* Effect.flip(
          Effect.provideService(Upload.upload(request), CheckpointStore.CheckpointStore, full)
        )
        assert.strictEqual(error._tag, "CheckpointError")
        const result = yield* Upload.upload(request)
        assert.strictEqual(result.sent, fiveParts.length - partSize)
        yield* assertWhole(fiveParts)
      }).pipe(Effect.provide(world))
  )
})
