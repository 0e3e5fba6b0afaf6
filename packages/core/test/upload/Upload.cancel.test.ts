import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, OssClient, Source, Upload } from "@effect-oss/core"
import type { UploadEvent } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Deferred, Effect, Exit, Fiber, Option, Stream } from "effect"
import { TestClock } from "effect/testing"
import {
  assertWhole,
  assertWholeBesides,
  bucket,
  collect,
  contentOf,
  fiveParts,
  inTime,
  key,
  partSize,
  partsSent,
  pending,
  requestFor,
  requests,
  world
} from "../support/world.ts"

const inject = (...faults: ReadonlyArray<Fault.Fault>) =>
  OssEmulator.OssEmulator.use((emulator) => emulator.inject(...faults))

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

describe("events", () => {
  it.effect("tell the story of an upload in order, and end with Completed", () =>
    Effect.gen(function* () {
      const events = yield* collect(requestFor(fiveParts))
      const story = events.map(({ _tag }) => _tag)
      assert.deepStrictEqual(
        story.filter((tag) => tag !== "Progress"),
        ["Started", ...Array.from({ length: 5 }, () => "PartUploaded"), "Completing", "Completed"]
      )
      assert.strictEqual(story.at(-1), "Completed")
      const durable = events.flatMap((event) =>
        event._tag === "PartUploaded" ? [event.durable] : []
      )
      assert.deepStrictEqual(
        durable,
        durable.toSorted((a, b) => a - b)
      )
      assert.strictEqual(durable.at(-1), fiveParts.length)
    }).pipe(Effect.provide(world))
  )

  it.effect("sample progress that never goes back, and reaches the total at the end only", () =>
    Effect.gen(function* () {
      yield* inject(
        Fault.delay({ operation: "uploadPart", millis: 1_000, times: Infinity }),
        Fault.drop({ operation: "uploadPart", partNumber: 2, at: { bytes: 65_536 } })
      )
      const events = yield* inTime(collect(requestFor(fiveParts, { concurrency: 2 })))
      const samples = events.filter((event) => event._tag === "Progress")
      assert.isAbove(samples.length, 10)
      samples.slice(1).forEach((sample, index) => {
        assert.isAtLeast(sample.durable, samples[index]!.durable)
        assert.isAtLeast(sample.sent, samples[index]!.sent)
        assert.isAtLeast(sample.sent, sample.durable)
      })
      assert.deepInclude(samples.at(-1), { durable: fiveParts.length, total: fiveParts.length })
      assert.isTrue(samples.some(({ rate, eta }) => rate > 0 && eta !== null))
    }).pipe(Effect.provide(world))
  )

  it.effect("sample no progress that is complete before the object is there", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* inject(Fault.delay({ operation: "complete", millis: 30_000 }))
      const early: Array<UploadEvent.UploadEvent> = []
      let samples = 0
      yield* Upload.events(requestFor(fiveParts)).pipe(
        Stream.runForEach((event) =>
          Effect.gen(function* () {
            if (event._tag !== "Progress") return
            samples++
            const isThere = Option.isSome(yield* emulator.object(bucket, key))
            if (!isThere && event.durable === event.total) early.push(event)
          })
        ),
        inTime
      )
      assert.deepStrictEqual(early, [])
      assert.isAbove(samples, 0)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("do not count what an earlier run sent as the speed of this one", () =>
    Effect.gen(function* () {
      const { fiber, request } = yield* hanging
      yield* Fiber.interrupt(fiber)
      yield* inject(Fault.delay({ operation: "uploadPart", millis: 1_000, times: Infinity }))
      const events = yield* inTime(collect(request))
      const rates = events.flatMap((event) => (event._tag === "Progress" ? [event.rate] : []))
      assert.strictEqual(rates[0], 0)
      assert.isAbove(Math.max(...rates), 0)
    }).pipe(Effect.provide(world))
  )

  it.effect("fail as the upload does", () =>
    Effect.gen(function* () {
      yield* inject(Fault.answer({ operation: "initiate", status: 403, code: "AccessDenied" }))
      const error = yield* Effect.flip(Stream.runDrain(Upload.events(requestFor(fiveParts))))
      assert.isTrue(error._tag === "OssError" && error.reason._tag === "AccessDenied")
    }).pipe(Effect.provide(world))
  )

  it.effect("that are not read on stop neither the upload nor its last events", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const seen: Array<string> = []
      const fiber = yield* Upload.events(requestFor(fiveParts)).pipe(
        Stream.runForEach((event) =>
          Effect.andThen(
            Deferred.await(gate),
            Effect.sync(() => seen.push(event._tag))
          )
        ),
        Effect.forkChild
      )
      yield* TestClock.adjust("1 minute")
      yield* assertWhole(fiveParts)
      assert.deepStrictEqual(seen, [])
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(fiber)
      assert.strictEqual(seen.at(-1), "Completed")
      assert.strictEqual(seen.filter((tag) => tag === "PartUploaded").length, 5)
    }).pipe(Effect.provide(world))
  )

  it.effect(
    "that are not read on pile up no samples of progress, however long the upload takes",
    () =>
      Effect.gen(function* () {
        yield* inject(Fault.delay({ operation: "uploadPart", millis: 20_000, times: Infinity }))
        const gate = yield* Deferred.make<void>()
        const fiber = yield* Upload.events(requestFor(fiveParts, { concurrency: 1 })).pipe(
          Stream.tap(() => Deferred.await(gate)),
          Stream.runCollect,
          Effect.forkChild
        )
        yield* TestClock.adjust("1 hour")
        yield* Deferred.succeed(gate, undefined)
        const samples = (yield* Fiber.join(fiber)).filter(({ _tag }) => _tag === "Progress")
        assert.isAtMost(samples.length, 2)
      }).pipe(Effect.provide(world))
  )

  it.effect("that are cut short interrupt the upload", () =>
    Effect.gen(function* () {
      yield* inject(Fault.delay({ operation: "uploadPart", millis: 1_000, times: Infinity }))
      const request = requestFor(fiveParts, { concurrency: 1 })
      const untilSecondPart = Upload.events(request).pipe(
        Stream.filter((event) => event._tag === "PartUploaded"),
        Stream.take(2),
        Stream.runCollect
      )
      assert.strictEqual((yield* inTime(untilSecondPart)).length, 2)
      const emulator = yield* OssEmulator.OssEmulator
      assert.strictEqual(yield* emulator.inFlight, 0)
      assert.isAtMost((yield* partsSent).length, 3)
      yield* inTime(Upload.upload(request))
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )
})

/** Starts an upload that hangs at part 4, with three parts durable. */
const hanging = Effect.gen(function* () {
  yield* inject(Fault.stall({ operation: "uploadPart", partNumber: 4, at: "before" }))
  const request = requestFor(fiveParts, { concurrency: 1 })
  const fiber = yield* Effect.forkChild(Upload.upload(request))
  yield* TestClock.adjust("1 second")
  return { fiber, request }
})

describe("two uploads of one source to one key", () => {
  it.effect("exclude each other: the second is told who holds the checkpoint", () =>
    Effect.gen(function* () {
      const { fiber, request } = yield* hanging
      const error = yield* Effect.flip(Upload.upload(request))
      assert.isTrue(error._tag === "CheckpointError" && error.reason._tag === "Busy")
      yield* Fiber.interrupt(fiber)
      yield* Upload.upload(request)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )
})

describe("Upload.abort", () => {
  it.effect("gives up what is left of a key, on the server and in the store", () =>
    Effect.gen(function* () {
      const { fiber } = yield* hanging
      yield* Fiber.interrupt(fiber)
      const given = yield* Upload.abort({ key })
      assert.deepInclude(given[0], { parts: 3, durable: 3 * partSize })
      const emulator = yield* OssEmulator.OssEmulator
      assert.deepStrictEqual(yield* emulator.uploads(bucket), [])
      assert.deepStrictEqual(yield* pending, [])
    }).pipe(Effect.provide(world))
  )

  it.effect("is a success for an upload that OSS no longer knows", () =>
    Effect.gen(function* () {
      const { fiber } = yield* hanging
      yield* Fiber.interrupt(fiber)
      const emulator = yield* OssEmulator.OssEmulator
      const [upload] = yield* emulator.uploads(bucket)
      yield* emulator.abortUpload({ bucket, key, uploadId: upload!.uploadId })
      assert.strictEqual((yield* Upload.abort({ key })).length, 1)
      assert.deepStrictEqual(yield* pending, [])
    }).pipe(Effect.provide(world))
  )

  it.effect("keeps the checkpoint if OSS can't be asked", () =>
    Effect.gen(function* () {
      const { fiber } = yield* hanging
      yield* Fiber.interrupt(fiber)
      yield* inject(Fault.drop({ operation: "abort", at: "before", times: Infinity }))
      yield* inTime(Effect.flip(Upload.abort({ key })))
      assert.strictEqual((yield* pending).length, 1)
    }).pipe(Effect.provide(world))
  )

  it.effect(
    "leaves other keys and other sources alone, and does nothing where there is nothing",
    () =>
      Effect.gen(function* () {
        const { fiber } = yield* hanging
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(yield* Upload.abort({ key: "another" }), [])
        assert.deepStrictEqual(yield* Upload.abort({ key, sourceId: "bytes:another" }), [])
        assert.deepInclude(yield* requests, { initiate: 1 })
        assert.notProperty(yield* requests, "abort")
        assert.strictEqual((yield* pending).length, 1)
      }).pipe(Effect.provide(world))
  )

  it.effect("comes after the parts that were on their way: none of them stays on the server", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* inject(
        Fault.stall({ operation: "uploadPart", at: { bytes: 65_536 }, times: 3 }),
        Fault.delay({ operation: "uploadPart", millis: 60_000, at: "after", times: Infinity })
      )
      const fiber = yield* Effect.forkChild(Upload.upload(requestFor(fiveParts)))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* emulator.inFlight, 5)
      const given = Effect.andThen(Fiber.interrupt(fiber), Upload.abort({ key }))
      yield* given
      const log = yield* emulator.log
      const abort = log.findIndex(({ operation }) => operation === "abort")
      assert.strictEqual(log[abort]?.inFlight, 1)
      for (const { operation, ended } of log) {
        if (operation === "uploadPart") assert.isAtMost(ended!, log[abort]!.time)
      }
      yield* TestClock.adjust("1 hour")
      assert.strictEqual((yield* emulator.log).length, log.length)
      assert.deepStrictEqual(yield* emulator.uploads(bucket), [])
      assert.deepStrictEqual(yield* pending, [])
    }).pipe(Effect.provide(world))
  )

  it.effect("refuses while the upload runs", () =>
    Effect.gen(function* () {
      yield* hanging
      const error = yield* Effect.flip(Upload.abort({ key }))
      assert.isTrue(error._tag === "CheckpointError" && error.reason._tag === "Busy")
    }).pipe(Effect.provide(world))
  )
})

describe("Upload.sweep", () => {
  /** Two uploads that were interrupted, a day apart. */
  const twoOld = Effect.gen(function* () {
    for (const name of ["first", "second"]) {
      yield* inject(Fault.stall({ operation: "uploadPart", partNumber: 4, at: "before" }))
      const request = requestFor(fiveParts, { key: name, concurrency: 1 })
      const fiber = yield* Effect.forkChild(Upload.upload(request))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("1 day")
    }
  })
  const keys = Effect.map(pending, (left) => left.map(({ header }) => header.key).toSorted())

  it.effect("only says what it would give up, if that is asked for", () =>
    Effect.gen(function* () {
      yield* twoOld
      const old = yield* Upload.sweep({ olderThan: "36 hours", dryRun: true })
      assert.deepStrictEqual(
        old.map(({ header }) => header.key),
        ["first"]
      )
      assert.deepStrictEqual(yield* keys, ["first", "second"])
    }).pipe(Effect.provide(world))
  )

  it.effect("gives up what is old enough, and nothing that this store knows nothing of", () =>
    Effect.gen(function* () {
      yield* twoOld
      const client = yield* OssClient.OssClient
      const foreign = yield* client.initiate("foreign")
      yield* TestClock.adjust("30 days")
      yield* Upload.sweep({ olderThan: "31.5 days" })
      assert.deepStrictEqual(yield* keys, ["second"])
      yield* Upload.sweep({ olderThan: 0 })
      assert.deepStrictEqual(yield* keys, [])
      const emulator = yield* OssEmulator.OssEmulator
      assert.deepStrictEqual(
        (yield* emulator.uploads(bucket)).map(({ uploadId }) => uploadId),
        [foreign.uploadId]
      )
    }).pipe(Effect.provide(world))
  )

  it.effect("leaves a running upload alone, however old", () =>
    Effect.gen(function* () {
      yield* inject(Fault.delay({ operation: "uploadPart", millis: 3_600_000, times: Infinity }))
      const request = requestFor(fiveParts, { concurrency: 1, stallTimeout: "1 day" })
      const fiber = yield* Effect.forkChild(Upload.upload(request))
      yield* TestClock.adjust("2 hours")
      assert.deepStrictEqual(yield* Upload.sweep({ olderThan: "1 hour" }), [])
      yield* TestClock.adjust("4 hours")
      yield* Fiber.join(fiber)
      yield* assertWhole(fiveParts)
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
