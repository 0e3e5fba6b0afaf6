import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, OssClient, Source, Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import AliOss from "ali-oss"
import { Data, Effect, Fiber, Layer, Option, Schedule, Tracer } from "effect"
import { inspect } from "node:util"
import {
  assertWhole,
  bucket,
  fiveParts,
  inject,
  key,
  partSize,
  partsSent,
  requestFor
} from "../support/world.ts"

class Unreachable extends Data.TaggedError("Unreachable")<{ readonly message: string }> {}

const keys = { accessKeyId: "id", accessKeySecret: "s3cr3t-of-the-key" }

/** What a server does that has keys. */
const signers = {
  V4: (oss: AliOss, { method, key = "", query, headers }: OssClient.PresignRequest) =>
    Effect.promise(() =>
      oss.signatureUrlV4(
        method as AliOss.HTTPMethods,
        60,
        { headers: { ...headers }, queries: { ...query } },
        key
      )
    ),
  V1: (oss: AliOss, { method, key = "", query, headers }: OssClient.PresignRequest) =>
    Effect.sync(() =>
      oss.signatureUrl(key, {
        method: method as AliOss.HTTPMethods,
        expires: 60,
        subResource: { ...query },
        ...headers
      })
    )
}

/** As if it had been signed long ago. OSS looks at the time before it looks at the signature. */
const expired = (url: string) =>
  url
    .replace(/x-oss-date=\d{8}T/, "x-oss-date=20200101T")
    .replace(/Expires=\d+/, "Expires=1600000000")

/** A client without keys, over HTTP to an emulator that checks signatures. */
const world = <E>(
  how: keyof typeof signers = "V4",
  around: (
    signed: Effect.Effect<string>,
    request: OssClient.PresignRequest
  ) => Effect.Effect<string | undefined, E> = (signed) => signed
) =>
  Layer.unwrap(
    Effect.map(OssEmulator.OssEmulator, ({ url }) => {
      const endpoint = url.replace("127.0.0.1", "localhost")
      const options = { ...keys, bucket, endpoint, sldEnable: true, region: "oss-cn-hangzhou" }
      const oss = new AliOss(options)
      return OssClient.layerPresigned({
        bucket,
        endpoint,
        sign: (request) => around(signers[how](oss, request), request)
      })
    })
  ).pipe(
    Layer.provideMerge(OssEmulator.layer({ credentials: [keys], buckets: [bucket] })),
    Layer.provideMerge(CheckpointStore.layerMemory),
    Layer.provideMerge(NodeHttpClient.layerNodeHttp)
  )

const retry = Schedule.spaced("10 millis").pipe(Schedule.upTo({ times: 4 }))

describe("a client without keys", () => {
  it.live.each(["V4", "V1"] as const)("uploads in parts, signed by %s", (how) =>
    Effect.gen(function* () {
      const { verified } = yield* Upload.upload(
        requestFor(fiveParts, {
          mime: "text/plain; charset=utf-8",
          meta: { owner: "müller & co" },
          storageClass: "IA",
          acl: "private",
          forbidOverwrite: true
        })
      )
      assert.isTrue(verified)
      yield* assertWhole(fiveParts)
      const emulator = yield* OssEmulator.OssEmulator
      const { headers } = Option.getOrThrow(yield* emulator.object(bucket, key))
      assert.strictEqual(headers["content-type"], "text/plain; charset=utf-8")
      assert.strictEqual(headers["x-oss-storage-class"], "IA")
      assert.strictEqual(headers["x-oss-meta-owner"], "müller & co")
    }).pipe(Effect.provide(world(how)))
  )

  it.live.each(["V4", "V1"] as const)(
    "uploads small objects with awkward keys, signed by %s",
    (how) =>
      Effect.gen(function* () {
        for (const key of ["a b/+%.txt", "ü/日本", "q?x=1&y"]) {
          yield* Upload.upload({ key, source: Source.bytes(new TextEncoder().encode(key)) })
          yield* assertWhole(new TextEncoder().encode(key), key)
        }
      }).pipe(Effect.provide(world(how)))
  )

  it.live("asks for a new URL for each attempt, and carries on after an interruption", () => {
    const asked: Array<string> = []
    return Effect.gen(function* () {
      yield* inject(
        Fault.answer({ operation: "uploadPart", partNumber: 2, status: 503, code: "ServerBusy" }),
        Fault.delay({ operation: "uploadPart", partNumber: 5, millis: 60_000 })
      )
      const request = requestFor(fiveParts, { retry, concurrency: 1 })
      const fiber = yield* Effect.forkChild(Upload.upload(request))
      yield* partsSent.pipe(
        Effect.repeat({ until: (sent) => sent.includes(5), schedule: Schedule.spaced("5 millis") })
      )
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(asked.filter((what) => what === "uploadPart 2").length, 2)
      assert.strictEqual((yield* Upload.upload(request)).resumed, 4 * partSize)
      yield* assertWhole(fiveParts)
    }).pipe(
      Effect.provide(
        world("V4", (signed, { operation, query }) => {
          asked.push(`${operation} ${query["partNumber"]}`)
          return signed
        })
      )
    )
  })

  it.live("needs but three kinds of requests signed", () => {
    const enough = new Set<string>(["initiate", "uploadPart", "complete"])
    return Effect.gen(function* () {
      yield* Upload.upload(requestFor(fiveParts))
      yield* assertWhole(fiveParts)
    }).pipe(
      Effect.provide(
        world("V4", (signed, { operation }) => (enough.has(operation) ? signed : Effect.undefined))
      )
    )
  })

  it.live("is denied what is not signed, without a request", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Upload.upload(requestFor(fiveParts)))
      assert.strictEqual(error._tag === "OssError" && error.reason._tag, "AccessDenied")
      assert.include(error.message, "did not sign")
      const log = yield* (yield* OssEmulator.OssEmulator).log
      assert.deepStrictEqual(log, [])
    }).pipe(Effect.provide(world("V4", () => Effect.undefined)))
  )

  it.live("asks again where signing failed, and says what went wrong if it goes on failing", () => {
    let failures = 2
    const sometimes = world("V4", (signed) =>
      failures-- > 0 ? new Unreachable({ message: "the server is down" }) : signed
    )
    const never = world("V4", () => new Unreachable({ message: "the server is down" }))
    return Effect.gen(function* () {
      yield* Effect.andThen(
        Upload.upload(requestFor(fiveParts, { retry })),
        assertWhole(fiveParts)
      ).pipe(Effect.provide(sometimes))
      const error = yield* Effect.flip(
        Effect.provide(Upload.upload(requestFor(fiveParts, { retry })), never)
      )
      assert.strictEqual(error._tag === "OssError" && error.reason._tag, "CredentialsExpired")
      assert.include(error.message, "the server is down")
    })
  })

  it.live.each(["V4", "V1"] as const)(
    "asks again for a URL that has expired, signed by %s",
    (how) => {
      let asked = 0
      const slow = world(how, (signed, { operation }) =>
        // The first URL of each part is an hour old.
        operation === "uploadPart" && asked++ % 2 === 0
          ? Effect.map(signed, (url) => expired(url))
          : signed
      )
      return Effect.gen(function* () {
        yield* Upload.upload(requestFor(fiveParts, { retry, concurrency: 1 }))
        yield* assertWhole(fiveParts)
        assert.strictEqual(asked, 10)
      }).pipe(Effect.provide(slow))
    }
  )

  it.live("fails with what OSS says of a URL that is signed for something else", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Upload.upload(requestFor(fiveParts)))
      assert.strictEqual(error._tag === "OssError" && error.code, "SignatureDoesNotMatch")
    }).pipe(
      Effect.provide(
        world("V4", (signed) =>
          Effect.map(signed, (url) => url.replace("x-oss-expires=60", "x-oss-expires=61"))
        )
      )
    )
  )

  it.live("shows no signature in spans", () => {
    const spans: Array<Tracer.Span> = []
    const tracer = Tracer.make({
      span: (options) => {
        const span = new Tracer.NativeSpan(options)
        // The emulator's own are not the client's business.
        if (options.kind !== "server") spans.push(span)
        return span
      }
    })
    return Effect.gen(function* () {
      yield* Upload.upload(requestFor(fiveParts))
      const shown = inspect(
        spans.map(({ attributes, status }) => [attributes, status]),
        { depth: 20, showHidden: true, maxArrayLength: null }
      )
      assert.include(shown, "uploadPart")
      assert.notMatch(shown, /[0-9a-f]{64}/)
    }).pipe(Effect.provide(world()), Effect.provideService(Tracer.Tracer, tracer))
  })
})
