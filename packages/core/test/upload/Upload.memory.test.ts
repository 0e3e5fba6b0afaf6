/** Uploads that share one budget of memory: streams, sinks and URLs wait, and all of them end. */
import { assert, describe, it } from "@effect/vitest"
import { OssClient, Part, Source, Upload, UploadDefaults } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Fiber, Layer, Stream } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import { TestClock } from "effect/testing"
import * as Memory from "../../src/internal/source/memory.ts"
import * as Defaults from "../../src/internal/upload/defaults.ts"
import { assertWhole, contentOf, key, world } from "../support/world.ts"

const partSize = Memory.blockSize
const content = contentOf(2 * partSize + 1_000)
const names = Array.from({ length: 20 }, (_, index) => `${key}-${index}`)

const chunks = Stream.fromIterable(
  Array.from({ length: Math.ceil(content.length / 50_000) }, (_, index) =>
    content.subarray(index * 50_000, (index + 1) * 50_000)
  )
)

/** A page in ranges. */
const page = HttpClient.make((request) =>
  Effect.sync(() => {
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers["range"] ?? "") ?? []
    const headers = { etag: '"1"', "accept-ranges": "bytes" }
    const all = { ...headers, "content-length": `${content.length}` }
    if (request.method === "HEAD") {
      return HttpClientResponse.fromWeb(request, new Response(null, { headers: all }))
    }
    const range = `bytes ${first}-${last}/${content.length}`
    const body = content.slice(Number(first), Number(last) + 1)
    const answer = { status: 206, headers: { ...headers, "content-range": range } }
    return HttpClientResponse.fromWeb(request, new Response(body, answer))
  })
)

const kinds = {
  sinks: (key: string) => Stream.run(chunks, Upload.sink({ key, partSize })),
  streams: (key: string) => Upload.upload({ key, partSize, source: Source.stream(key, chunks) }),
  URLs: (key: string) =>
    Upload.upload({ key, partSize, source: Source.http("https://files.test/page", { id: key }) })
}
type Kind = keyof typeof kinds

/** Lets time pass a second at a turn of the event loop, which the body of a page needs. */
const inTurns = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    const turn = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    yield* TestClock.adjust("1 second").pipe(
      Effect.andThen(turn),
      Effect.repeat({ until: () => fiber.pollUnsafe() !== undefined })
    )
    return yield* Fiber.join(fiber)
  })

/** Runs twenty uploads at once; yields the most memory that they had together, in bytes. */
const together = Effect.fnUntraced(function* (kind: (index: number) => Kind, budget: number) {
  const memory = Memory.make(budget)
  const emulator = yield* OssEmulator.OssEmulator
  yield* emulator.inject(Fault.delay({ operation: "uploadPart", times: 1_000, millis: 1_000 }))
  let most = 0
  const client = yield* OssClient.OssClient
  const watched = OssClient.OssClient.of({
    ...client,
    uploadPart: (request) =>
      Effect.suspend(() => {
        most = Math.max(most, memory.taken())
        return client.uploadPart(request)
      })
  })
  yield* inTurns(
    Effect.forEach(names, (name, index) => kinds[kind(index)](name), { concurrency: "unbounded" })
  ).pipe(
    Effect.provideService(OssClient.OssClient, watched),
    Effect.provideService(Defaults.Current, { memory }),
    Effect.provideService(HttpClient.HttpClient, page)
  )
  yield* Effect.forEach(names, (name) => assertWhole(content, name))
  assert.strictEqual(memory.taken(), 0)
  return most
})

describe("twenty uploads that share memory", () => {
  it.effect.each<[string, (index: number) => Kind]>([
    ["sinks", () => "sinks"],
    ["streams", () => "streams"],
    ["URLs", () => "URLs"],
    ["of all kinds", (index) => (["sinks", "streams", "URLs"] as const)[index % 3]!]
  ])("use all of it and no more, and all of them end: %s", ([, kind]) =>
    Effect.gen(function* () {
      const budget = 6 * Memory.blockSize
      const most = yield* together(kind, budget)
      assert.isAtMost(most, budget)
      assert.isAbove(most, budget / 2)
    }).pipe(Effect.provide(world))
  )

  it.effect("end even if only one part fits", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* together(() => "sinks", partSize), partSize)
    }).pipe(Effect.provide(world))
  )
})

describe("UploadDefaults.memory", () => {
  const limited = (memory: number) => Effect.provide(UploadDefaults.layer({ memory }))

  it.effect("is not taken by a stream that yields nothing for a while", () =>
    Effect.gen(function* () {
      const silent = yield* Effect.forkChild(
        Stream.run(Stream.never, Upload.sink({ key: `${key}-silent`, partSize }))
      )
      yield* kinds.sinks(key)
      yield* assertWhole(content)
      yield* Fiber.interrupt(silent)
    }).pipe(limited(partSize), Effect.provide(world))
  )

  it.effect("refuses parts that don't fit, before any request", () =>
    Effect.gen(function* () {
      const upload = Stream.run(chunks, Upload.sink({ key, partSize: partSize + 1 }))
      const error = yield* Effect.flip(limited(partSize)(upload))
      assert.include(error.message, "more memory to UploadDefaults")
      const emulator = yield* OssEmulator.OssEmulator
      assert.deepStrictEqual(yield* emulator.log, [])
    }).pipe(Effect.provide(world))
  )

  it.effect("has to hold a block", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        Effect.scoped(Layer.build(UploadDefaults.layer({ memory: Part.minPartSize })))
      )
      assert.strictEqual(error.field, "memory")
    })
  )
})
