import { assert, describe, it } from "@effect/vitest"
import { Locator, Uploads, UploadWorkflow } from "@effect-oss/cluster"
import { Part } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Exit, Fiber, Layer, Option, Scope } from "effect"
import * as Begin from "../src/internal/begin.ts"
import * as Ranges from "../src/internal/ranges.ts"
import {
  assertNothingLeft,
  assertWhole,
  bucket,
  content,
  contentOf,
  ended,
  ground,
  inTime,
  key,
  large,
  partSize,
  partsSent,
  pass,
  path,
  request,
  requests,
  runner,
  Shared,
  until,
  world
} from "./world.ts"

const write = (bytes: Uint8Array, to = path) => Shared.use((shared) => shared.write(to, bytes))
const inject = (...faults: ReadonlyArray<Fault.Fault>) =>
  OssEmulator.OssEmulator.use((emulator) => emulator.inject(...faults))
const openUploads = OssEmulator.OssEmulator.use((emulator) => emulator.uploads(bucket))

/** Each part takes ten seconds. */
const slowly = Fault.delay({ operation: "uploadPart", times: Infinity, millis: 10_000 })

const failureOf = (id: string) =>
  Effect.map(Uploads.status(id), (status) =>
    status._tag === "Failed" ? status.error : assert.fail(`it is ${status._tag}`)
  )

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1)
const sorted = (numbers: ReadonlyArray<number>) => numbers.toSorted((a, b) => a - b)

describe("UploadWorkflow", () => {
  it.effect("uploads a file in ranges of parts, each part once", () =>
    Effect.gen(function* () {
      yield* write(large)
      const result = yield* inTime(Uploads.upload(request))
      assert.strictEqual(result.size, large.length)
      assert.isTrue(result.verified)
      assert.deepStrictEqual([result.sent, result.resumed], [large.length, 0])
      yield* assertWhole(large)
      assert.deepStrictEqual(sorted(yield* partsSent), numbers(80))
    }).pipe(Effect.provide(world))
  )

  it.effect("uploads a small file with one request", () =>
    Effect.gen(function* () {
      const small = contentOf(partSize - 1)
      yield* write(small)
      yield* inTime(Uploads.upload(request))
      yield* assertWhole(small)
      assert.deepStrictEqual(yield* requests, { put: 1 })
    }).pipe(Effect.provide(world))
  )

  it.effect("joins who submits the same upload again, also after its end", () =>
    Effect.gen(function* () {
      yield* write(content)
      const [one, two] = yield* inTime(
        Effect.all([Uploads.upload(request), Uploads.upload(request)], { concurrency: 2 })
      )
      assert.deepStrictEqual(one, two)
      assert.deepStrictEqual(yield* inTime(Uploads.upload(request)), one)
      const { initiate, uploadPart, complete } = yield* requests
      assert.deepStrictEqual(
        { initiate, uploadPart, complete },
        { initiate: 1, uploadPart: 9, complete: 1 }
      )
    }).pipe(Effect.provide(world))
  )

  it.effect("uploads a changed file as another upload", () =>
    Effect.gen(function* () {
      yield* write(content)
      const first = yield* Uploads.submit(request)
      yield* until(ended(first))
      const changed = contentOf(content.length, 2)
      yield* write(changed)
      const second = yield* Uploads.submit(request)
      assert.notStrictEqual(second, first)
      yield* until(ended(second))
      yield* assertWhole(changed)
    }).pipe(Effect.provide(world))
  )

  it.effect("uploads with other options as another upload", () =>
    Effect.gen(function* () {
      yield* write(content)
      const first = yield* Uploads.submit(request)
      yield* until(ended(first))
      const second = yield* Uploads.submit({ ...request, options: { meta: { owner: "shop" } } })
      assert.notStrictEqual(second, first)
      yield* until(ended(second))
      yield* assertWhole(content)
      const object = yield* (yield* OssEmulator.OssEmulator).object(bucket, key)
      assert.strictEqual(Option.getOrThrow(object).headers["x-oss-meta-owner"], "shop")
    }).pipe(Effect.provide(world))
  )

  it.effect("settles answers that were lost: one object, no upload left behind", () =>
    Effect.gen(function* () {
      yield* write(content)
      yield* inject(
        Fault.drop({ operation: "initiate", at: "after" }),
        Fault.drop({ operation: "uploadPart", partNumber: 3, at: "after" }),
        Fault.drop({ operation: "complete", at: "after" })
      )
      yield* inTime(Uploads.upload(request))
      yield* assertWhole(content)
    }).pipe(Effect.provide(world))
  )

  it.effect("outlasts a server that is down for ten minutes", () =>
    Effect.gen(function* () {
      yield* write(content)
      yield* inject(Fault.answer({ status: 503, times: Infinity }))
      const id = yield* Uploads.submit(request)
      yield* pass(600)
      const emulator = yield* OssEmulator.OssEmulator
      assert.isAbove((yield* emulator.log).length, 10)
      yield* emulator.clearFaults
      yield* until(ended(id))
      yield* assertWhole(content)
    }).pipe(Effect.provide(world))
  )
})

describe("a source that changes", () => {
  it.effect("before its ranges are sent, fails typed, and leaves nothing behind", () =>
    Effect.gen(function* () {
      yield* write(large)
      yield* inject(slowly)
      const id = yield* Uploads.submit(request)
      yield* until(Effect.map(partsSent, (sent) => sent.length > 20))
      yield* write(contentOf(large.length, 2))
      yield* until(ended(id))
      const error = yield* failureOf(id)
      assert.strictEqual(error._tag === "SourceError" && error.reason._tag, "SourceChanged")
      yield* assertNothingLeft
    }).pipe(Effect.provide(world))
  )

  it.effect("once all parts are durable, is not completed", () =>
    Effect.gen(function* () {
      yield* write(content)
      yield* inject(
        Fault.delay({ operation: "uploadPart", partNumber: 9, millis: 60_000, at: "after" })
      )
      const id = yield* Uploads.submit(request)
      yield* until(Effect.map(partsSent, (sent) => sent.length === 9))
      yield* write(contentOf(content.length, 2))
      yield* until(ended(id))
      const error = yield* failureOf(id)
      assert.strictEqual(error._tag === "SourceError" && error.reason._tag, "SourceChanged")
      assert.isUndefined((yield* requests).complete)
      yield* assertNothingLeft
    }).pipe(Effect.provide(world))
  )

  it.effect("that is gone, fails typed", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Uploads.submit(request))
      assert.strictEqual(error._tag === "SourceError" && error.reason._tag, "SourceNotFound")
    }).pipe(Effect.provide(world))
  )
})

describe("an upload that fails", () => {
  const denied = Fault.answer({
    operation: "uploadPart",
    partNumber: 40,
    status: 403,
    code: "AccessDenied"
  })

  it.effect("keeps its parts, and the next attempt sends only what is missing", () =>
    Effect.gen(function* () {
      yield* write(large)
      yield* inject(denied)
      const first = yield* Uploads.submit(request)
      yield* until(ended(first))
      const error = yield* failureOf(first)
      assert.strictEqual(error._tag === "OssError" && error.reason._tag, "AccessDenied")
      assert.lengthOf(yield* openUploads, 1)
      const second = yield* Uploads.submit(request)
      assert.notStrictEqual(second, first)
      yield* until(ended(second))
      yield* assertWhole(large)
      assert.strictEqual((yield* requests).initiate, 1)
      assert.deepStrictEqual(sorted(yield* partsSent), numbers(80))
    }).pipe(Effect.provide(world))
  )

  it.effect("begins afresh if what it left is gone", () =>
    Effect.gen(function* () {
      yield* write(large)
      yield* inject(denied)
      const first = yield* Uploads.submit(request)
      yield* until(ended(first))
      const emulator = yield* OssEmulator.OssEmulator
      for (const { uploadId } of yield* openUploads) {
        yield* emulator.abortUpload({ bucket, key, uploadId })
      }
      yield* until(ended(yield* Uploads.submit(request)))
      yield* assertWhole(large)
    }).pipe(Effect.provide(world))
  )

  it.effect("begins afresh with parts of another size, and aborts what it left", () =>
    Effect.gen(function* () {
      yield* write(large)
      yield* inject(denied)
      yield* until(ended(yield* Uploads.submit(request)))
      yield* until(ended(yield* Uploads.submit({ ...request, partSize: 2 * partSize })))
      yield* assertWhole(large)
      assert.strictEqual((yield* requests).initiate, 2)
    }).pipe(Effect.provide(world))
  )

  it.effect("aborts its parts if asked to, when no part is on its way any more", () =>
    Effect.gen(function* () {
      yield* write(large)
      yield* inject(slowly, denied)
      const id = yield* Uploads.submit({ ...request, onFailure: "abort" })
      yield* until(ended(id))
      yield* assertNothingLeft
      const log = yield* (yield* OssEmulator.OssEmulator).log
      const abort = log.find(({ operation }) => operation === "abort")
      assert.strictEqual(abort?.inFlight, 1)
      assert.isBelow((yield* partsSent).length, 80)
    }).pipe(Effect.provide(world))
  )
})

describe("signals", () => {
  it.effect("pause finishes the parts on their way and sends no further ones, resume goes on", () =>
    Effect.gen(function* () {
      yield* write(large)
      yield* inject(slowly)
      const id = yield* Uploads.submit(request)
      yield* until(Effect.map(partsSent, (sent) => sent.length > 20))
      yield* Uploads.pause(id)
      yield* pass(30)
      const sent = yield* partsSent
      assert.strictEqual(yield* (yield* OssEmulator.OssEmulator).inFlight, 0)
      yield* pass(100)
      assert.deepStrictEqual(yield* partsSent, sent)
      assert.deepStrictEqual(yield* Uploads.status(id), {
        _tag: "Sending",
        durable: sent.length * partSize,
        total: large.length,
        paused: true
      })
      yield* Uploads.resume(id)
      yield* until(ended(id))
      yield* assertWhole(large)
      assert.deepStrictEqual(sorted(yield* partsSent), numbers(80))
    }).pipe(Effect.provide(world))
  )

  it.effect("pause and resume, again and again, send each part once", () =>
    Effect.gen(function* () {
      yield* write(large)
      yield* inject(slowly)
      const id = yield* Uploads.submit(request)
      for (let time = 1; time <= 3; time++) {
        yield* until(Effect.map(partsSent, (sent) => sent.length > 15 * time))
        yield* Uploads.pause(id)
        yield* Uploads.pause(id)
        yield* pass(30)
        yield* Uploads.resume(id)
        yield* Uploads.resume(id)
      }
      yield* until(ended(id))
      yield* assertWhole(large)
      assert.deepStrictEqual(sorted(yield* partsSent), numbers(80))
    }).pipe(Effect.provide(world))
  )

  it.effect("cancel interrupts the parts on their way, then aborts the upload", () =>
    Effect.gen(function* () {
      yield* write(large)
      yield* inject(slowly)
      const id = yield* Uploads.submit(request)
      yield* until(Effect.map(partsSent, (sent) => sent.length > 20))
      yield* Uploads.cancel(id)
      yield* until(ended(id))
      assert.strictEqual((yield* failureOf(id))._tag, "Cancelled")
      yield* assertNothingLeft
      const log = yield* (yield* OssEmulator.OssEmulator).log
      assert.strictEqual(log.find(({ operation }) => operation === "abort")?.inFlight, 1)
    }).pipe(Effect.provide(world))
  )

  it.effect("cancel ends a paused upload, too", () =>
    Effect.gen(function* () {
      yield* write(large)
      yield* inject(slowly)
      const id = yield* Uploads.submit(request)
      yield* until(Effect.map(partsSent, (sent) => sent.length > 20))
      yield* Uploads.pause(id)
      yield* pass(30)
      yield* Uploads.cancel(id)
      yield* until(ended(id))
      assert.strictEqual((yield* failureOf(id))._tag, "Cancelled")
      yield* assertNothingLeft
    }).pipe(Effect.provide(world))
  )

  it.effect("the engine's own interrupt leaves nothing behind, either", () =>
    Effect.gen(function* () {
      yield* write(large)
      yield* inject(slowly)
      const id = yield* Uploads.submit(request)
      yield* until(Effect.map(partsSent, (sent) => sent.length > 20))
      yield* UploadWorkflow.UploadWorkflow.interrupt(id)
      yield* until(ended(id))
      yield* pass(60)
      yield* assertNothingLeft
    }).pipe(Effect.provide(world))
  )
})

describe("a runner that goes away", () => {
  /** A runner for as long as the effect, which talks to it. */
  const during = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const context = yield* inTime(Scope.provide(Layer.build(runner()), scope))
      const result = yield* Effect.provideContext(effect, context)
      yield* inTime(Scope.close(scope, Exit.void))
      return result
    })

  it.effect("is followed by one that sends only what isn't durable", () =>
    Effect.gen(function* () {
      yield* write(large)
      yield* inject(slowly)
      const id = yield* during(
        Effect.tap(Uploads.submit(request), () =>
          until(Effect.map(partsSent, (sent) => sent.length > 20))
        )
      )
      const before = yield* partsSent
      assert.isBelow(before.length, 50)
      yield* pass(100)
      assert.deepStrictEqual(yield* partsSent, before)
      const result = yield* during(Effect.andThen(until(ended(id)), Uploads.status(id)))
      assert.strictEqual(result._tag, "Completed")
      yield* assertWhole(large)
      const sent = sorted(yield* partsSent)
      assert.deepStrictEqual([...new Set(sent)], numbers(80))
      // Those that were on their way, at most: four ranges of two parts.
      assert.isAtMost(sent.length, 88)
    }).pipe(Effect.provide(ground))
  )

  it.effect("while it asks for an upload id, leaves none behind", () =>
    Effect.gen(function* () {
      yield* write(content)
      yield* inject(Fault.delay({ operation: "initiate", millis: 60_000, at: "after" }))
      const id = yield* during(
        Effect.tap(Uploads.submit(request), () =>
          until(Effect.map(openUploads, (uploads) => uploads.length === 1))
        )
      )
      assert.lengthOf(yield* openUploads, 1)
      yield* during(until(ended(id)))
      yield* assertWhole(content)
      assert.strictEqual((yield* requests).initiate, 2)
    }).pipe(Effect.provide(ground))
  )

  it.effect("and wakes after another has taken over, doesn't keep an upload id of its own", () =>
    Effect.gen(function* () {
      yield* write(content)
      const job = yield* Uploads.prepare(request)
      const id = yield* UploadWorkflow.UploadWorkflow.executionId(job)
      // Both have found that there is no upload id; the first one's answer is late.
      yield* inject(Fault.delay({ operation: "initiate", millis: 60_000, at: "after" }))
      const suspended = yield* Effect.forkChild(Begin.begin(job, id))
      yield* until(Effect.map(openUploads, (uploads) => uploads.length === 1))
      const other = yield* inTime(Begin.begin(job, id))
      const woken = yield* inTime(Fiber.join(suspended))
      assert.deepStrictEqual(woken, other)
      assert.deepStrictEqual(
        (yield* openUploads).map(({ uploadId }) => uploadId),
        [other.uploadId]
      )
    }).pipe(Effect.provide(world))
  )
})

describe("ranges", () => {
  const plan = (count: number) =>
    numbers(count).map((number): Part.Part => ({ number, offset: 0, size: 1 }))

  it("are all parts, in order", () => {
    assert.deepStrictEqual(Ranges.missing(plan(5), new Set(), 2), [
      { first: 1, last: 2 },
      { first: 3, last: 4 },
      { first: 5, last: 5 }
    ])
  })

  it("leave out what is done, and are cut at the same places", () => {
    assert.deepStrictEqual(Ranges.missing(plan(9), new Set([1, 2, 3, 4, 9]), 4), [
      { first: 5, last: 8 }
    ])
    assert.deepStrictEqual(Ranges.missing(plan(8), new Set([1, 5, 6]), 4), [
      { first: 2, last: 4 },
      { first: 7, last: 8 }
    ])
  })

  it("are few enough for the database, however many parts", () => {
    assert.deepStrictEqual([1, 64, 65, 4_096, 10_000].map(Ranges.partsPerRange), [1, 1, 2, 64, 64])
  })
})

describe("locators", () => {
  it("are named without what may be secret", () => {
    assert.strictEqual(
      Locator.nameOf(Locator.http("https://user:pass@files.test/a.iso?sig=secret")),
      "https://files.test/a.iso"
    )
  })
})
