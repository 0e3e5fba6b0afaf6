import { assert, describe, it } from "@effect/vitest"
import { Part, RetryPolicy, Source, Upload, UploadDefaults, UploadMany } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Duration, Effect, Layer, Result, Schedule, Stream } from "effect"
import {
  assertWhole,
  bucket,
  collect,
  fiveParts,
  inTime,
  key,
  partsSent,
  requestFor,
  requests,
  world
} from "../support/world.ts"
import * as MultipartUpload from "../../src/internal/upload/multipart.ts"

const busy = (times: number) =>
  OssEmulator.OssEmulator.use((emulator) =>
    emulator.inject(
      Fault.answer({
        operation: "uploadPart",
        partNumber: 1,
        times,
        status: 503,
        code: "ServerBusy"
      })
    )
  )

const patient = RetryPolicy.backoff({ attempts: 8 })

/** The most parts that were on their way at once. */
const mostAtOnce = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const emulator = yield* OssEmulator.OssEmulator
  yield* emulator.inject(Fault.delay({ operation: "uploadPart", times: 1_000, millis: 1_000 }))
  let most = 0
  const watch = Effect.forever(
    Effect.andThen(
      Effect.tap(emulator.inFlight, (now) => Effect.sync(() => (most = Math.max(most, now)))),
      Effect.sleep("100 millis")
    )
  )
  yield* inTime(Effect.raceFirst(effect, watch))
  return most
})

const uploadsOf = (count: number) =>
  Effect.forEach(
    Array.from({ length: count }, (_, index) => `${key}-${index}`),
    (key) => Upload.upload(requestFor(fiveParts, { key })),
    { concurrency: "unbounded" }
  )

describe("what is asked for once", () => {
  it.effect("is how all uploads are retried", () =>
    Effect.gen(function* () {
      yield* busy(7)
      yield* inTime(Upload.upload(requestFor(fiveParts)))
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide([world, UploadDefaults.layer({ retry: patient })]))
  )

  it.effect("doesn't count where a request says otherwise", () =>
    Effect.gen(function* () {
      yield* busy(1)
      const request = requestFor(fiveParts, { retry: RetryPolicy.never })
      assert.strictEqual((yield* Effect.flip(Upload.upload(request)))._tag, "OssError")
    }).pipe(Effect.provide([world, UploadDefaults.layer({ retry: patient })]))
  )

  it.effect("counts as a whole where it is asked for again, further in", () =>
    Effect.gen(function* () {
      yield* busy(1)
      const inner = UploadDefaults.layer({ concurrency: 1 })
      const upload = Effect.provide(Upload.upload(requestFor(fiveParts)), inner)
      yield* inTime(upload)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide([world, UploadDefaults.layer({ retry: RetryPolicy.never })]))
  )

  it.effect("is a budget that all uploads share", () =>
    Effect.gen(function* () {
      yield* busy(100)
      const exits = yield* inTime(
        Effect.forEach(["a", "b", "c"], (key) =>
          Effect.exit(Upload.upload(requestFor(fiveParts, { key, concurrency: 1 })))
        )
      )
      assert.isTrue(exits.every(({ _tag }) => _tag === "Failure"))
      // Each upload's first attempt; three retries, and those that one request of each later one earned.
      assert.strictEqual((yield* partsSent).length, 3 + 3 + 2 * 1)
    }).pipe(
      Effect.provide([
        world,
        UploadDefaults.layer({ retry: patient, retryBudget: RetryPolicy.budgetUnsafe(3) })
      ])
    )
  )

  it.effect("is how long nothing may move", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(Fault.stall({ operation: "uploadPart", partNumber: 1, at: "before" }))
      const [elapsed, events] = yield* inTime(Effect.timed(collect(requestFor(fiveParts))))
      assert.isBelow(Duration.toSeconds(elapsed), 5)
      assert.isTrue(events.some(({ _tag }) => _tag === "Retrying"))
    }).pipe(Effect.provide([world, UploadDefaults.layer({ stallTimeout: "2 seconds" })]))
  )

  it.effect.each([1, 3])("is that each upload has %i parts on their way", (concurrency) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* mostAtOnce(uploadsOf(2)), 2 * concurrency)
    }).pipe(Effect.provide([world, UploadDefaults.layer({ concurrency })]))
  )

  it.effect.each([1, 3, 7])("is that all uploads together have %i parts on their way", (parts) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* mostAtOnce(uploadsOf(3)), parts)
    }).pipe(Effect.provide([world, UploadDefaults.layer({ parts })]))
  )

  it.effect("holds for uploadAll too, beside its own limit", () =>
    Effect.gen(function* () {
      const many = (parts: number, prefix: string) =>
        Stream.range(1, 3).pipe(
          Stream.map((n) => requestFor(fiveParts, { key: `${prefix}${n}` })),
          (requests) => UploadMany.uploadAll(requests, { parts }),
          Stream.runDrain
        )
      const both = Effect.all([many(2, "a"), many(4, "b")], { concurrency: 2 })
      assert.strictEqual(yield* mostAtOnce(both), 5)
    }).pipe(Effect.provide([world, UploadDefaults.layer({ parts: 5 })]))
  )

  it.effect("leaves the limit of uploadAll as it is where it is the lower one", () =>
    Effect.gen(function* () {
      const requests = Stream.make(requestFor(fiveParts), requestFor(fiveParts, { key: "b" }))
      const most = yield* mostAtOnce(Stream.runDrain(UploadMany.uploadAll(requests, { parts: 2 })))
      assert.strictEqual(most, 2)
    }).pipe(Effect.provide([world, UploadDefaults.layer({ parts: 9 })]))
  )

  it.effect("holds for sinks", () =>
    Effect.gen(function* () {
      const bytes = Stream.make(fiveParts)
      const sink = Upload.sink({ key, partSize: Part.minPartSize })
      assert.strictEqual(yield* mostAtOnce(Stream.run(bytes, sink)), 2)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide([world, UploadDefaults.layer({ parts: 2 })]))
  )

  it.effect("holds for steps, and for giving up", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      const refuse = (operation: Fault.Scope["operation"]) =>
        emulator.inject(Fault.answer({ operation, status: 503, code: "ServerBusy" }))
      const source = yield* Source.bytes(fiveParts).open
      const steps = yield* MultipartUpload.open({ key, source, sourceName: "bytes" })
      yield* refuse("put")
      assert.strictEqual((yield* Effect.flip(steps.put))._tag, "OssError")
      yield* refuse("uploadPart")
      yield* Effect.flip(Upload.upload(requestFor(fiveParts)))
      yield* refuse("abort")
      assert.strictEqual((yield* Effect.flip(Upload.abort({ key })))._tag, "OssError")
      assert.strictEqual((yield* requests)["abort"], 1)
      assert.strictEqual((yield* emulator.uploads(bucket)).length, 1)
    }).pipe(
      Effect.scoped,
      Effect.provide([world, UploadDefaults.layer({ retry: Schedule.recurs(0) })])
    )
  )

  it.effect.each([
    ["concurrency", { concurrency: 0 }],
    ["parts", { parts: 1.5 }],
    ["stallTimeout", { stallTimeout: -1 }]
  ] as const)("is refused if it makes no sense: %s", ([field, options]) =>
    Effect.gen(function* () {
      const layer = Layer.build(UploadDefaults.layer(options))
      const result = yield* Effect.result(Effect.scoped(layer))
      assert.strictEqual(Result.isFailure(result) && result.failure.field, field)
    })
  )
})
