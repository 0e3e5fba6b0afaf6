/** What a runner takes on, and for how long it remembers it. */
import { assert, describe, it } from "@effect/vitest"
import { Buckets, UploadRunner, Uploads } from "@effect-oss/cluster"
import { Fault } from "@effect-oss/emulator"
import { Effect, FileSystem, Layer } from "effect"
import { HttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import {
  assertNothingLeft,
  bucket,
  content,
  ended,
  ground,
  inject,
  inTime,
  openUploads,
  request,
  requests,
  roots,
  runner,
  until,
  write
} from "./world.ts"

const everywhere = Layer.succeed(
  FileSystem.FileSystem,
  FileSystem.makeNoop({
    stat: () => Effect.succeed({ type: "Directory" } as FileSystem.File.Info),
    access: () => Effect.void
  })
)

/** What the runner lacks, as texts. */
const lacks = (options: Partial<UploadRunner.Options>) =>
  inTime(UploadRunner.preflight({ roots, ...options })).pipe(
    Effect.as([]),
    Effect.catchTag("NotReady", ({ problems }) =>
      Effect.succeed(problems.map(({ message }) => message))
    )
  )

describe("targets", () => {
  const ours = [{ bucket, prefix: "backups/" }]

  it.effect("are where a runner stores objects, and no other place is", () =>
    Effect.gen(function* () {
      yield* write(content)
      const error = yield* Effect.flip(inTime(Uploads.upload({ ...request, key: "elsewhere" })))
      assert.match(error.message, /oss:\/\/test-bucket\/elsewhere is not below a target/)
      assert.deepStrictEqual(yield* requests, {})
      yield* inTime(Uploads.upload(request))
    }).pipe(Effect.provide(Layer.provideMerge(runner({ targets: ours }), ground)))
  )

  it.effect("are each tried before a runner takes work, and nothing is left there", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* lacks({ targets: ours }), [])
      assert.deepStrictEqual(yield* requests, { initiate: 1, abort: 1 })
      yield* assertNothingLeft
      yield* inject(Fault.answer({ operation: "initiate", status: 403, code: "AccessDenied" }))
      const [problem = ""] = yield* lacks({ targets: ours })
      assert.match(problem, /AccessDenied/)
      assert.deepStrictEqual(yield* openUploads, [])
    }).pipe(Effect.provide(Layer.merge(ground, everywhere)))
  )

  it.effect("may be away for a moment", () =>
    Effect.gen(function* () {
      yield* inject(Fault.answer({ operation: "initiate", status: 503, times: 3 }))
      assert.deepStrictEqual(yield* lacks({ targets: ours }), [])
    }).pipe(Effect.provide(Layer.merge(ground, everywhere)))
  )
})

describe("a runner that lacks keys", () => {
  it.effect("says which setting is missing, and shows none", () =>
    Effect.gen(function* () {
      const [problem = ""] = yield* lacks({})
      assert.match(problem, /OSS_ACCESS_KEY_ID is not set/)
    }).pipe(
      Effect.provide(
        Layer.merge(
          everywhere,
          Layer.provide(
            Buckets.layerConfig({ region: "cn-hangzhou" }),
            Layer.succeed(
              HttpClient.HttpClient,
              HttpClient.make(() => Effect.die(new Error("nothing is asked for")))
            )
          )
        )
      )
    )
  )
})

describe("retention", () => {
  it.effect("forgets what ended longer ago, and nothing else", () =>
    Effect.gen(function* () {
      yield* write(content)
      const id = yield* Uploads.submit(request)
      yield* until(ended(id))
      yield* TestClock.adjust("50 minutes")
      assert.strictEqual((yield* Uploads.status(id))._tag, "Completed")
      yield* TestClock.adjust("3 hours")
      assert.strictEqual((yield* Effect.flip(Uploads.status(id)))._tag, "UnknownUpload")
    }).pipe(Effect.provide(Layer.provideMerge(runner({ retention: "2 hours" }), ground)))
  )
})
