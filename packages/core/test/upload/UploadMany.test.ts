import { assert, describe, it } from "@effect/vitest"
import { OssClient, Source, Upload, UploadMany } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Clock, Effect, Layer, Option, Stream } from "effect"
import { TestClock } from "effect/testing"
import { inject, keysOf, large, slowly, small } from "../support/many.ts"
import { bucket, contentOf, inTime, pending, requests, world } from "../support/world.ts"

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
        "Completed one 2",
        "Completed two 3",
        "Completed ten 4"
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
      assert.deepStrictEqual(outcomes.slice(0, 2), ["Completed c 3", "Completed d 3"])
    }).pipe(Effect.provide(world))
  )

  it.effect("shares the slots evenly among large files, whichever came first", () =>
    Effect.gen(function* () {
      yield* slowly
      const first = Stream.make(large("first", 9))
      const later = Stream.fromEffect(Effect.as(Effect.sleep("1500 millis"), large("later", 3)))
      const all = Stream.concat(first, later)
      assert.deepStrictEqual(yield* timed(UploadMany.uploadAll(all, { parts: 2 })), [
        "Completed later 5",
        "Completed first 6"
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
        ["Completed", "Completed"]
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
      assert.deepStrictEqual(seen, ["Completed a"])
      assert.deepStrictEqual(yield* pending, [])
    }).pipe(Effect.provide(world))
  )

  it.effect("has the second of two requests for one key fail, in whatever form of Unicode", () =>
    Effect.gen(function* () {
      const [nfc, nfd] = ["caf\u00E9", "cafe\u0301"]
      const sources = ["2025/db", "2026/db", "first", "second"].map((name) =>
        Source.bytes(contentOf(100, name.length), name)
      )
      const keys = ["db", "db", nfc, nfd]
      const all = keys.map((key, index) => ({ key, source: sources[index]! }))
      const outcomes = yield* Stream.runCollect(UploadMany.uploadAll(all, { concurrency: 1 }))
      assert.deepStrictEqual(
        outcomes.map((one) => (one._tag === "Failed" ? one.error.message : one._tag)),
        [
          "Completed",
          "key: two sources go to db: 2025/db and 2026/db; give each source a key of its own, or upload them one after the other",
          "Completed",
          `key: two sources go to ${nfd}: first and second; give each source a key of its own, or upload them one after the other`
        ]
      )
      const emulator = yield* OssEmulator.OssEmulator
      const object = yield* Effect.fromOption(yield* emulator.object(bucket, "db"))
      assert.deepStrictEqual(yield* object.bytes, contentOf(100, "2025/db".length))
    }).pipe(Effect.provide(world))
  )

  it.effect("uploads to one key again and again if asked to, but not at the same time", () =>
    Effect.gen(function* () {
      yield* slowly
      const twice = Stream.make(large("a", 2), large("a", 2))
      const tagsWith = (concurrency: number) =>
        UploadMany.uploadAll(twice, { repeatedKeys: "allow", concurrency }).pipe(
          Stream.map(({ _tag }) => _tag),
          Stream.runCollect,
          inTime
        )
      assert.deepStrictEqual(yield* tagsWith(1), ["Completed", "Completed"])
      assert.deepStrictEqual(yield* tagsWith(2), ["Failed", "Completed"])
    }).pipe(Effect.provide(world))
  )

  it.effect.each([
    { status: 403, code: "InvalidAccessKeyId", most: 4 },
    { status: 403, code: "SignatureDoesNotMatch", most: 4 },
    { status: 404, code: "NoSuchBucket", most: 4 },
    { status: 403, code: "AccessDenied", most: 14 }
  ])("stops after a refusal that concerns all: $code", ({ status, code, most }) =>
    Effect.gen(function* () {
      yield* inject(Fault.answer({ status, code, times: Infinity }))
      const all = Array.from({ length: 500 }, (_, index) => small(`${index}`))
      const outcomes = UploadMany.uploadAll(all, { concurrency: 4 })
      const error = yield* Effect.flip(inTime(Stream.runDrain(outcomes)))
      assert.deepInclude(error, { _tag: "OssError", code })
      const { put = 0 } = yield* requests
      assert.isAtMost(put, most)
    }).pipe(Effect.provide(world))
  )

  it.effect("goes on after a refusal once an upload has succeeded", () =>
    Effect.gen(function* () {
      const all = Array.from({ length: 30 }, (_, index) => small(`${index}`))
      yield* inject(
        Fault.answer({
          operation: "put",
          status: 403,
          code: "SignatureDoesNotMatch",
          skip: 1,
          times: 20
        })
      )
      const outcomes = yield* Stream.runCollect(UploadMany.uploadAll(all, { concurrency: 1 }))
      assert.lengthOf(
        outcomes.filter(({ _tag }) => _tag === "Completed"),
        10
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
