import { assert, describe, it } from "@effect/vitest"
import { OssClient, Source, Upload, UploadMany } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import {
  Clock,
  Deferred,
  Effect,
  Exit,
  Fiber,
  Layer,
  Option,
  Stream,
  SubscriptionRef
} from "effect"
import { TestClock } from "effect/testing"
import {
  assertWhole,
  bucket,
  contentOf,
  editable,
  fiveParts,
  inTime,
  partSize,
  partsSent,
  pending,
  requestFor,
  requests,
  world
} from "../support/world.ts"

const inject = (...faults: ReadonlyArray<Fault.Fault>) =>
  OssEmulator.OssEmulator.use((emulator) => emulator.inject(...faults))

/** A file that goes up with one request. */
const small = (key: string, options: Partial<Upload.UploadRequest> = {}) =>
  requestFor(contentOf(100, key.length), {
    key,
    source: Source.bytes(contentOf(100, key.length), key),
    ...options
  })

/** A file of so many whole parts. */
const large = (key: string, parts: number, options: Partial<Upload.UploadRequest> = {}) =>
  requestFor(contentOf(0), {
    key,
    source: Source.bytes(contentOf(parts * partSize, parts), key),
    concurrency: 100,
    ...options
  })

/** Each transfer takes a second. */
const slowly = inject(
  Fault.delay({ operation: "uploadPart", millis: 1_000, times: Infinity }),
  Fault.delay({ operation: "put", millis: 1_000, times: Infinity })
)

/** The outcomes with their times, in seconds: `tag key time`. */
const timed = <Request extends { readonly key: string }, E, R>(
  outcomes: Stream.Stream<{ readonly _tag: string; readonly request: Request }, E, R>
) =>
  inTime(
    outcomes.pipe(
      Stream.mapEffect(({ _tag, request }) =>
        Effect.map(
          Clock.currentTimeMillis,
          (now) => `${_tag} ${request.key} ${Math.round(now / 1_000)}`
        )
      ),
      Stream.runCollect
    )
  )

const keysOf = (outcomes: ReadonlyArray<{ readonly request: { readonly key: string } }>) =>
  outcomes.map(({ request }) => request.key)

/** A client that counts how many bodies are on their way at once. */
const counting = () => {
  let now = 0
  let most = 0
  const counted = <A, E>(send: Effect.Effect<A, E>) =>
    Effect.acquireUseRelease(
      Effect.sync(() => (most = Math.max(most, ++now))),
      () => send,
      () => Effect.sync(() => now--)
    )
  const layer = Layer.effect(
    OssClient.OssClient,
    Effect.map(OssClient.OssClient, (client) =>
      OssClient.OssClient.of({
        ...client,
        uploadPart: (part) => counted(client.uploadPart(part)),
        put: (request) => counted(client.put(request))
      })
    )
  )
  return { layer, most: () => most }
}

describe("uploadAll", () => {
  it.effect("tells what becomes of each, in the order in which they end", () =>
    Effect.gen(function* () {
      yield* slowly
      const all = Stream.make(large("ten", 10), small("one"), large("two", 2, { concurrency: 1 }))
      assert.deepStrictEqual(yield* timed(UploadMany.uploadAll(all, { parts: 4 })), [
        "Uploaded one 2",
        "Uploaded two 3",
        "Uploaded ten 4"
      ])
      const emulator = yield* OssEmulator.OssEmulator
      for (const key of ["ten", "one", "two"]) {
        assert.isTrue(Option.isSome(yield* emulator.object(bucket, key)))
      }
      assert.deepStrictEqual(yield* pending, [])
    }).pipe(Effect.provide(world))
  )

  it.effect("lets the others go on when one fails, and says why it did", () =>
    Effect.gen(function* () {
      yield* inject(Fault.answer({ operation: "put", key: "b", status: 403, code: "AccessDenied" }))
      const outcomes = yield* Stream.runCollect(
        UploadMany.uploadAll(Stream.make(small("a"), small("b"), small("/c"), small("d")))
      )
      assert.deepStrictEqual(keysOf(outcomes).toSorted(), ["/c", "a", "b", "d"])
      const errors = Object.fromEntries(
        outcomes.flatMap((one) => (one._tag === "Failed" ? [[one.request.key, one.error]] : []))
      )
      assert.deepStrictEqual(Object.keys(errors).toSorted(), ["/c", "b"])
      assert.deepInclude(errors["b"], { _tag: "OssError" })
      assert.deepInclude(errors["/c"], { _tag: "InvalidRequest", field: "key" })
    }).pipe(Effect.provide(world))
  )

  it.effect.each([1, 3, 7])("has never more than %s parts on their way, of all files", (parts) =>
    Effect.gen(function* () {
      yield* slowly
      const { layer, most } = counting()
      const all = Stream.make(large("a", 5), small("b"), large("c", 4), small("d"), large("e", 3))
      const outcomes = Stream.runCollect(UploadMany.uploadAll(all, { parts }))
      assert.strictEqual((yield* inTime(Effect.provide(outcomes, layer))).length, 5)
      assert.strictEqual(most(), parts)
    }).pipe(Effect.provide(world))
  )

  it.effect("does not keep a small file waiting behind the parts of large ones", () =>
    Effect.gen(function* () {
      yield* slowly
      const all = Stream.make(large("a", 20), large("b", 20), small("c"), small("d"))
      const outcomes = yield* timed(UploadMany.uploadAll(all, { parts: 2 }))
      // After the first two parts, each of the four has one in turn: the whole takes 21 seconds.
      assert.deepStrictEqual(outcomes.slice(0, 2), ["Uploaded c 3", "Uploaded d 3"])
    }).pipe(Effect.provide(world))
  )

  it.effect("shares the slots evenly among large files, whichever came first", () =>
    Effect.gen(function* () {
      yield* slowly
      const first = Stream.make(large("first", 9))
      const later = Stream.fromEffect(Effect.as(Effect.sleep("1500 millis"), large("later", 3)))
      const all = Stream.concat(first, later)
      assert.deepStrictEqual(yield* timed(UploadMany.uploadAll(all, { parts: 2 })), [
        "Uploaded later 5",
        "Uploaded first 6"
      ])
    }).pipe(Effect.provide(world))
  )

  it.effect("has so many files open at once, and no more", () =>
    Effect.gen(function* () {
      yield* slowly
      let [open, most] = [0, 0]
      const watched = (key: string): Upload.UploadRequest => ({
        key,
        source: {
          name: key,
          open: Effect.andThen(
            Effect.acquireRelease(
              Effect.sync(() => (most = Math.max(most, ++open))),
              () => Effect.sync(() => open--)
            ),
            Source.bytes(contentOf(10), key).open
          )
        }
      })
      const all = Stream.map(Stream.range(1, 30), (number) => watched(`${number}`))
      yield* inTime(Stream.runDrain(UploadMany.uploadAll(all, { concurrency: 4, parts: 2 })))
      assert.deepStrictEqual([open, most], [0, 4])
    }).pipe(Effect.provide(world))
  )

  it.effect("asks for requests only as fast as outcomes are read", () =>
    Effect.gen(function* () {
      let made = 0
      const endless = Stream.fromEffectRepeat(Effect.sync(() => small(`file ${++made}`)))
      const three = yield* UploadMany.uploadAll(endless, { concurrency: 5 }).pipe(
        Stream.mapEffect((outcome) => Effect.delay(Effect.succeed(outcome), "1 hour")),
        Stream.take(3),
        Stream.runCollect,
        inTime
      )
      assert.strictEqual(three.length, 3)
      assert.isBelow(made, 50)
      const emulator = yield* OssEmulator.OssEmulator
      assert.strictEqual(yield* emulator.inFlight, 0)
    }).pipe(Effect.provide(world))
  )

  it.effect("stops at the first failure if asked to, with the others resumable", () =>
    Effect.gen(function* () {
      yield* slowly
      yield* inject(
        Fault.answer({ operation: "initiate", key: "b", status: 403, code: "AccessDenied" })
      )
      const all = Stream.make(large("a", 5), large("b", 2))
      const error = yield* Effect.flip(
        inTime(Stream.runDrain(UploadMany.uploadAll(all, { parts: 1, onFailure: "stop" })))
      )
      assert.strictEqual(error._tag, "OssError")
      const emulator = yield* OssEmulator.OssEmulator
      assert.strictEqual(yield* emulator.inFlight, 0)
      const before = yield* requests
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(yield* requests, before)
      const outcomes = yield* inTime(Stream.runCollect(UploadMany.uploadAll(all)))
      assert.deepStrictEqual(
        outcomes.map(({ _tag }) => _tag),
        ["Uploaded", "Uploaded"]
      )
      assert.deepStrictEqual(yield* pending, [])
      assert.deepStrictEqual(yield* emulator.uploads(bucket), [])
    }).pipe(Effect.provide(world))
  )

  it.effect("fails with the requests, once what was under way has ended", () =>
    Effect.gen(function* () {
      yield* slowly
      const broken = Stream.concat(
        Stream.make(large("a", 5)),
        Stream.fromEffect(Effect.delay(Effect.fail("no more"), "2500 millis"))
      )
      const seen: Array<string> = []
      const outcomes = UploadMany.uploadAll(broken, { parts: 1 }).pipe(
        Stream.runForEach(({ _tag, request }) =>
          Effect.sync(() => seen.push(`${_tag} ${request.key}`))
        )
      )
      assert.strictEqual(yield* Effect.flip(inTime(outcomes)), "no more")
      assert.deepStrictEqual(seen, ["Uploaded a"])
      assert.deepStrictEqual(yield* pending, [])
    }).pipe(Effect.provide(world))
  )

  it.effect("tells the second of two uploads of one source to one key that it is busy", () =>
    Effect.gen(function* () {
      yield* slowly
      const twice = Stream.make(large("a", 2), large("a", 2))
      const outcomes = yield* inTime(Stream.runCollect(UploadMany.uploadAll(twice)))
      assert.deepStrictEqual(
        outcomes.map(({ _tag }) => _tag),
        ["Failed", "Uploaded"]
      )
    }).pipe(Effect.provide(world))
  )

  it.effect("leaves a dead server alone soon, however many files there are", () =>
    Effect.gen(function* () {
      yield* inject(
        Fault.answer({
          operation: "put",
          status: 503,
          code: "ServiceUnavailable",
          times: Infinity
        }),
        Fault.answer({ operation: "head", status: 503, times: Infinity })
      )
      const all = Stream.map(Stream.range(1, 200), (number) => small(`${number}`))
      const outcomes = yield* inTime(Stream.runCollect(UploadMany.uploadAll(all)))
      assert.isTrue(outcomes.every(({ _tag }) => _tag === "Failed"))
      const { put = 0 } = yield* requests
      assert.isAtLeast(put, 200)
      assert.isAtMost(put, 300)
    }).pipe(Effect.provide(world))
  )

  it.effect.each(["concurrency", "parts"] as const)("refuses %s that are no number", (field) =>
    Effect.gen(function* () {
      for (const value of [0, -1, 1.5, Number.NaN]) {
        const outcomes = UploadMany.uploadAll(Stream.make(small("a")), { [field]: value })
        assert.deepInclude(yield* Effect.flip(Stream.runDrain(outcomes)), {
          _tag: "InvalidRequest",
          field
        })
      }
      assert.deepStrictEqual(yield* requests, {})
    }).pipe(Effect.provide(world))
  )

  it.effect("keeps a source's own error as it is", () =>
    Effect.gen(function* () {
      const source = Source.stream("broken", Stream.fail("mine" as const))
      const [outcome] = yield* Stream.runCollect(
        UploadMany.uploadAll(Stream.make({ key: "a", source }))
      )
      assert.isTrue(outcome?._tag === "Failed" && outcome.error === "mine")
    }).pipe(Effect.provide(world))
  )
})

describe("skipIdentical", () => {
  const skipping = { skipIdentical: true }

  it.effect("sends nothing of what is stored already, to the last bit", () =>
    Effect.gen(function* () {
      const all = Stream.make(small("a"), large("b", 2))
      yield* Stream.runDrain(UploadMany.uploadAll(all))
      const before = yield* requests
      const outcomes = yield* Stream.runCollect(UploadMany.uploadAll(all, skipping))
      assert.deepStrictEqual(
        outcomes.map(({ _tag }) => _tag),
        ["Skipped", "Skipped"]
      )
      assert.deepStrictEqual(yield* requests, { ...before, head: (before["head"] ?? 0) + 2 })
      for (const outcome of outcomes) {
        if (outcome._tag === "Failed") return assert.fail()
        assert.deepInclude(outcome.result, { sent: 0, resumed: 0, verified: true, skipped: true })
      }
    }).pipe(Effect.provide(world))
  )

  it.effect("sends what differs in a byte, in size, or in that it isn't there", () =>
    Effect.gen(function* () {
      yield* Upload.upload(requestFor(fiveParts))
      const flipped = Uint8Array.from(fiveParts)
      flipped[partSize]! ^= 1
      for (const content of [flipped, fiveParts.subarray(1), contentOf(partSize * 2, 9)]) {
        const result = yield* Upload.upload(requestFor(content, skipping))
        assert.notProperty(result, "skipped")
        yield* assertWhole(content)
      }
      const result = yield* Upload.upload(requestFor(fiveParts, { ...skipping, key: "new" }))
      assert.strictEqual(result.sent, fiveParts.length)
    }).pipe(Effect.provide(world))
  )

  it.effect("reads the source only if the sizes agree", () =>
    Effect.gen(function* () {
      yield* Upload.upload(requestFor(contentOf(100)))
      const { source, edit } = editable(contentOf(100))
      let read = 0
      const watched: Source.Source = {
        name: "watched",
        open: Effect.map(source.open, (opened) =>
          opened._tag === "RandomAccess"
            ? {
                ...opened,
                read: (target, offset) => {
                  read += target.length
                  return opened.read(target, offset)
                }
              }
            : opened
        )
      }
      const request = requestFor(contentOf(0), { ...skipping, source: watched })
      assert.isTrue((yield* Upload.upload(request)).skipped)
      assert.strictEqual(read, 100)
      yield* edit(contentOf(101))
      yield* Upload.upload(request)
      // To be sent, and no more.
      assert.strictEqual(read, 100 + 101)
    }).pipe(Effect.provide(world))
  )

  it.effect("compares a stream whose size is known, and sends one whose size is not", () =>
    Effect.gen(function* () {
      yield* Upload.upload(requestFor(fiveParts))
      const bytes = Stream.make(fiveParts.subarray(0, 1_000), fiveParts.subarray(1_000))
      const known = Source.stream("s", bytes, { size: fiveParts.length })
      const request = requestFor(fiveParts, { ...skipping, source: known })
      assert.isTrue((yield* Upload.upload(request)).skipped)
      const unknown = requestFor(fiveParts, { ...skipping, source: Source.stream("s", bytes) })
      assert.strictEqual((yield* Upload.upload(unknown)).sent, fiveParts.length)
    }).pipe(Effect.provide(world))
  )

  it.effect("sends where the endpoint tells no CRC64, or HEAD is not allowed", () =>
    Effect.gen(function* () {
      yield* Upload.upload(requestFor(fiveParts))
      for (const fault of [
        Fault.noCrc({ operation: "head" }),
        Fault.answer({ operation: "head", status: 403 })
      ]) {
        yield* inject(fault)
        const result = yield* Upload.upload(requestFor(fiveParts, skipping))
        assert.strictEqual(result.sent, fiveParts.length)
      }
    }).pipe(Effect.provide(world))
  )

  it.effect("gives up what an earlier run left of the same upload", () =>
    Effect.gen(function* () {
      yield* Upload.upload(requestFor(fiveParts))
      yield* inject(Fault.stall({ operation: "uploadPart", partNumber: 4, at: "before" }))
      const request = requestFor(fiveParts, { concurrency: 1 })
      const fiber = yield* Effect.forkChild(Upload.upload(request))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      assert.strictEqual((yield* pending).length, 1)
      assert.isTrue((yield* Upload.upload({ ...request, ...skipping })).skipped)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("may be asked of one request, and not of another", () =>
    Effect.gen(function* () {
      yield* Stream.runDrain(UploadMany.uploadAll(Stream.make(small("a"), small("bb"))))
      const all = Stream.make(small("a"), small("bb", { skipIdentical: false }))
      const outcomes = yield* Stream.runCollect(UploadMany.uploadAll(all, skipping))
      assert.deepStrictEqual(
        outcomes.map(({ _tag, request }) => `${_tag} ${request.key}`).toSorted(),
        ["Skipped a", "Uploaded bb"]
      )
    }).pipe(Effect.provide(world))
  )
})

describe("uploadAll, composed", () => {
  const three = Stream.make(large("a", 4), large("b", 4), small("c"))
  const all = Stream.runCollect(UploadMany.uploadAll(three, { parts: 2 }))

  /** Nothing is under way, nothing that was acknowledged is sent again, and all can be finished. */
  const canBeResumed = Effect.gen(function* () {
    const emulator = yield* OssEmulator.OssEmulator
    assert.strictEqual(yield* emulator.inFlight, 0)
    const [before, sent] = [yield* requests, (yield* partsSent).length]
    yield* TestClock.adjust("1 hour")
    assert.deepStrictEqual(yield* requests, before)
    const durable = (yield* pending).reduce((sum, { parts }) => sum + parts, 0)
    const finished = (yield* inTime(all)).filter(({ _tag }) => _tag === "Uploaded")
    assert.strictEqual(finished.length, 3)
    const left = 8 - durable
    assert.isAtMost((yield* partsSent).length - sent, left)
    assert.deepStrictEqual(yield* pending, [])
    assert.deepStrictEqual(yield* emulator.uploads(bucket), [])
  })

  it.effect("is resumable after an interruption", () =>
    Effect.gen(function* () {
      yield* slowly
      const fiber = yield* Effect.forkChild(all)
      yield* TestClock.adjust("2500 millis")
      yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.isFailure(yield* Fiber.await(fiber)))
      assert.strictEqual((yield* pending).length, 2)
      yield* canBeResumed
    }).pipe(Effect.provide(world))
  )

  it.effect("is resumable after a timeout, again and again", () =>
    Effect.gen(function* () {
      yield* slowly
      const outcomes = UploadMany.uploadAll(three, { parts: 2, skipIdentical: true }).pipe(
        Stream.runCollect,
        Effect.timeout("2500 millis"),
        Effect.retry({ times: 10 })
      )
      assert.strictEqual((yield* inTime(outcomes)).length, 3)
      assert.deepStrictEqual(yield* pending, [])
    }).pipe(Effect.provide(world))
  )

  it.effect("is resumable after losing a race", () =>
    Effect.gen(function* () {
      yield* slowly
      const gate = yield* Deferred.make<string>()
      const race = yield* Effect.forkChild(Effect.raceFirst(all, Deferred.await(gate)))
      yield* TestClock.adjust("2500 millis")
      yield* Deferred.succeed(gate, "the other")
      assert.strictEqual(yield* Fiber.join(race), "the other")
      yield* canBeResumed
    }).pipe(Effect.provide(world))
  )

  it.effect("carries on when it is retried as a whole", () =>
    Effect.gen(function* () {
      yield* slowly
      yield* inject(
        Fault.answer({
          operation: "uploadPart",
          key: "b",
          partNumber: 3,
          status: 403,
          code: "AccessDenied"
        })
      )
      const stopping = UploadMany.uploadAll(three, {
        parts: 2,
        onFailure: "stop",
        skipIdentical: true
      }).pipe(Stream.runCollect, Effect.retry({ times: 1 }))
      assert.strictEqual((yield* inTime(stopping)).length, 3)
      assert.deepStrictEqual(yield* pending, [])
    }).pipe(Effect.provide(world))
  )

  it.effect("is resumable after the scope closed that it was forked in", () =>
    Effect.gen(function* () {
      yield* slowly
      const scoped = Effect.scoped(
        Effect.andThen(Effect.forkScoped(all), Effect.sleep("2500 millis"))
      )
      yield* inTime(scoped)
      yield* canBeResumed
    }).pipe(Effect.provide(world))
  )

  it.effect("is resumable after its outcomes were read in part", () =>
    Effect.gen(function* () {
      yield* slowly
      const first = UploadMany.uploadAll(three, { parts: 2 }).pipe(
        Stream.take(1),
        Stream.runCollect
      )
      assert.deepStrictEqual(keysOf(yield* inTime(first)), ["c"])
      yield* canBeResumed
    }).pipe(Effect.provide(world))
  )
})

describe("Upload.progress", () => {
  it.effect("holds how far the upload has come, from nothing to all", () =>
    Effect.gen(function* () {
      yield* slowly
      const request = requestFor(fiveParts, { concurrency: 1 })
      const { upload, progress } = yield* Upload.progress(request)
      assert.deepInclude(yield* SubscriptionRef.get(progress), { durable: 0, total: null })
      assert.deepStrictEqual(yield* requests, {})
      const fiber = yield* Effect.forkChild(upload)
      yield* TestClock.adjust("2500 millis")
      assert.deepInclude(yield* SubscriptionRef.get(progress), {
        durable: 2 * partSize,
        total: fiveParts.length
      })
      yield* Fiber.interrupt(fiber)
      const seen: Array<number> = []
      const watching = yield* Effect.forkChild(
        Stream.runForEach(SubscriptionRef.changes(progress), ({ durable }) =>
          Effect.sync(() => seen.push(durable))
        )
      )
      yield* inTime(upload)
      yield* Fiber.interrupt(watching)
      assert.deepStrictEqual(
        seen,
        seen.toSorted((a, b) => a - b)
      )
      assert.strictEqual(seen[0], 2 * partSize)
      assert.strictEqual(seen.at(-1), fiveParts.length)
    }).pipe(Effect.provide(world))
  )
})
