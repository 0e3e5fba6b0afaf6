import { NodeHttpClient, NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, OssClient, OssCredentials, Source, Upload } from "@effect-oss/core"
import { Fault, OssEmulator, Signature } from "@effect-oss/emulator"
import { FsCheckpointStore } from "@effect-oss/node-fs-store"
import {
  Effect,
  Fiber,
  FileSystem,
  Layer,
  Logger,
  Redacted,
  Schedule,
  Stream,
  Tracer
} from "effect"
import { assertWhole, bucket, contentOf, fiveParts, key, partSize, requestFor } from "./world.ts"

const permanent: Signature.Credential = { accessKeyId: "id", accessKeySecret: "s3cr3t-of-the-key" }
const keysOf = (credential: Signature.Credential): OssCredentials.Credentials => ({
  accessKeyId: credential.accessKeyId,
  accessKeySecret: Redacted.make(credential.accessKeySecret),
  ...(credential.securityToken && { securityToken: Redacted.make(credential.securityToken) })
})

/** The real client over HTTP to an emulator that checks signatures. */
const httpWorld = <E = never>(
  options: Partial<OssClient.Options<E>> = {},
  credentials: ReadonlyArray<Signature.Credential> = [permanent]
) =>
  Layer.unwrap(
    Effect.map(OssEmulator.OssEmulator, ({ url }) =>
      OssClient.layer({ bucket, endpoint: url, credentials: keysOf(permanent), ...options })
    )
  ).pipe(
    Layer.provideMerge(OssEmulator.layer({ credentials, buckets: [bucket] })),
    Layer.provideMerge(CheckpointStore.layerMemory),
    Layer.provideMerge(Layer.merge(NodeHttpClient.layerNodeHttp, NodeServices.layer))
  )

const quick = Schedule.spaced("10 millis").pipe(Schedule.upTo({ times: 4 }))
const inject = (...faults: ReadonlyArray<Fault.Fault>) =>
  OssEmulator.OssEmulator.use((emulator) => emulator.inject(...faults))
const statuses = Effect.gen(function* () {
  const log = yield* (yield* OssEmulator.OssEmulator).log
  return log.map(({ outcome }) => (outcome._tag === "Answered" ? outcome.status : outcome._tag))
})

describe("an upload over HTTP", () => {
  const clients: ReadonlyArray<[string, Partial<OssClient.Options>]> = [
    ["V4, host style", {}],
    ["V4, path style", { pathStyle: true }],
    ["V1, host style", { signature: "v1" }],
    ["V1, path style", { signature: "v1", pathStyle: true }]
  ]
  it.live.each(clients)("is whole: %s", ([_, options]) =>
    Effect.gen(function* () {
      const result = yield* Upload.upload(
        requestFor(fiveParts, {
          meta: { owner: "müller" },
          acl: "private",
          mime: "application/x-tar"
        })
      )
      assert.isTrue(result.verified)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(httpWorld(options)))
  )

  it.live("survives refusals, resets and damage on the way", () =>
    Effect.gen(function* () {
      const part = (partNumber: number) => ({ operation: "uploadPart" as const, partNumber })
      yield* inject(
        Fault.answer({ ...part(1), status: 503, code: "ServiceUnavailable" }),
        Fault.drop({ ...part(2), at: { bytes: 70_000 } }),
        Fault.damage(part(3)),
        Fault.drop({ ...part(4), at: "after" }),
        Fault.raw({ ...part(5), status: 502, body: "<html>Bad Gateway</html>" }),
        Fault.drop({ operation: "initiate", at: "after" }),
        Fault.drop({ operation: "complete", at: "after" })
      )
      yield* Upload.upload(requestFor(fiveParts, { retry: quick }))
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(httpWorld()))
  )

  it.live("learns how far the clock is off, at the cost of one request", () =>
    Effect.gen(function* () {
      yield* inject(Fault.skew({ millis: 20 * 60_000, times: Infinity }))
      yield* Upload.upload(requestFor(fiveParts, { retry: Schedule.recurs(0), concurrency: 1 }))
      const seen = yield* statuses
      assert.strictEqual(seen.filter((status) => status === 403).length, 1)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(httpWorld()))
  )

  it.live("is off the wire once its interruption returns, and carries on", () =>
    Effect.gen(function* () {
      yield* inject(
        Fault.stall({ operation: "uploadPart", at: { bytes: 65_536 }, skip: 2, times: 3 })
      )
      const request = requestFor(fiveParts)
      const twoDurable = Upload.events(request).pipe(
        Stream.filter(({ _tag }) => _tag === "PartUploaded"),
        Stream.take(2),
        Stream.runDrain
      )
      yield* twoDurable
      const emulator = yield* OssEmulator.OssEmulator
      yield* Effect.repeat(emulator.inFlight, {
        until: (count) => count === 0,
        schedule: Schedule.spaced("5 millis").pipe(Schedule.upTo({ duration: "2 seconds" }))
      })
      const before = (yield* emulator.log).length
      yield* Effect.sleep("50 millis")
      assert.strictEqual((yield* emulator.log).length, before)
      const result = yield* Upload.upload(request)
      assert.isAtLeast(result.resumed, 2 * partSize)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(httpWorld()))
  )

  it.live("to a wrong secret, an unknown bucket or no server fails with what it is", () =>
    Effect.gen(function* () {
      const { url } = yield* OssEmulator.OssEmulator
      const reason = (options: Partial<OssClient.Options>) =>
        Upload.upload(requestFor(fiveParts, { retry: Schedule.recurs(0) })).pipe(
          Effect.provide(
            OssClient.layer({ bucket, endpoint: url, credentials: keysOf(permanent), ...options })
          ),
          Effect.flip,
          Effect.map((error) => (error._tag === "OssError" ? error.reason._tag : error._tag))
        )
      const wrong = keysOf({ ...permanent, accessKeySecret: "wrong" })
      assert.strictEqual(yield* reason({ credentials: wrong }), "AccessDenied")
      assert.strictEqual(yield* reason({ bucket: "no-such-bucket" }), "NoSuchBucket")
      assert.strictEqual(yield* reason({ endpoint: "http://127.0.0.1:1" }), "Transport")
    }).pipe(Effect.provide(httpWorld()))
  )
})

describe("temporary keys", () => {
  const first = { accessKeyId: "STS.1", accessKeySecret: "one", securityToken: "t1" }
  const second = { accessKeyId: "STS.2", accessKeySecret: "two", securityToken: "t2" }
  const expired = { ...first, expiresAt: 0 }

  it.live("that expire under 20 parallel parts are refreshed once, and cost no attempt", () => {
    let handedOut = 0
    const credentials = Effect.sync(() => keysOf(handedOut++ === 0 ? first : second))
    return Effect.gen(function* () {
      const content = contentOf(20 * partSize)
      const expiry = { status: 403, code: "SecurityTokenExpired", operation: "uploadPart" } as const
      yield* inject(Fault.answer({ ...expiry, times: 20 }))
      yield* Upload.upload(requestFor(content, { concurrency: 20, retry: Schedule.recurs(0) }))
      assert.strictEqual(handedOut, 2)
      yield* assertWhole(content)
    }).pipe(Effect.provide(httpWorld({ credentials }, [first, second])))
  })

  it.live("that are expired are not sent again once OSS has said so", () => {
    let handedOut = 0
    const credentials = Effect.sync(() => keysOf(handedOut++ === 0 ? expired : second))
    return Effect.gen(function* () {
      yield* Upload.upload(requestFor(fiveParts))
      assert.strictEqual((yield* statuses).filter((status) => status === 403).length, 1)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(httpWorld({ credentials }, [expired, second])))
  })

  it.live("that can't be refreshed fail the upload, and keep its state", () => {
    let handedOut = 0
    const credentials = Effect.suspend(() =>
      handedOut++ === 0 ? Effect.succeed(keysOf(first)) : Effect.fail("STS is down" as const)
    )
    return Effect.gen(function* () {
      const expiry = { status: 403, code: "SecurityTokenExpired", operation: "uploadPart" } as const
      yield* inject(Fault.answer({ ...expiry, partNumber: 4, times: Infinity }))
      const request = requestFor(fiveParts, { concurrency: 1, retry: quick })
      const error = yield* Effect.flip(Upload.upload(request))
      assert.isTrue(error._tag === "OssError" && error.reason._tag === "CredentialsExpired")
      assert.include(error.message, "STS is down")
      const [left] = yield* Stream.runCollect(Upload.pending)
      assert.strictEqual(left?.parts, 3)
    }).pipe(Effect.provide(httpWorld({ credentials }, [first, second])))
  })
})

describe("secrets", () => {
  it.live("appear in no event, error, log, span or checkpoint", () => {
    const token = { ...permanent, securityToken: "t0ken-of-the-session" }
    const seen: Array<unknown> = []
    const watching = Layer.mergeAll(
      Logger.layer([Logger.make(({ message }) => void seen.push(message))]),
      Layer.succeed(
        Tracer.Tracer,
        Tracer.make({
          span: (options) => {
            const span = new Tracer.NativeSpan(options)
            seen.push({ name: span.name, attributes: span.attributes })
            return span
          }
        })
      )
    )
    return Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      yield* inject(
        Fault.answer({
          operation: "uploadPart",
          partNumber: 2,
          status: 500,
          code: "InternalError"
        }),
        Fault.answer({ operation: "uploadPart", partNumber: 3, status: 403, code: "AccessDenied" })
      )
      const request = requestFor(fiveParts, {
        concurrency: 1,
        retry: quick,
        headers: { "x-oss-meta-k": "v" }
      })
      yield* Upload.events(request).pipe(
        Stream.runForEach((event) => Effect.sync(() => seen.push(event))),
        Effect.tapError((error) => Effect.logError("failed", error)),
        Effect.tapError((error) => Effect.sync(() => seen.push(error, String(error), error.stack))),
        Effect.ignore,
        Effect.provide(FsCheckpointStore.layer({ directory }))
      )
      for (const name of yield* fs.readDirectory(directory)) {
        seen.push(yield* fs.readFileString(`${directory}/${name}`))
      }
      const text = seen
        .map((value) => (typeof value === "string" ? value : inspect(value)))
        .join("\n")
      assert.include(text, "PartUploaded")
      assert.include(text, "effect-oss checkpoint")
      assert.include(text, "Upload.part")
      assert.include(text, "AccessDenied")
      assert.notInclude(text, token.accessKeySecret)
      assert.notInclude(text, token.securityToken)
    }).pipe(
      Effect.provide(Layer.merge(watching, httpWorld({ credentials: keysOf(token) }, [token]))),
      Effect.scoped
    )
  })
})

const inspect = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    inner instanceof Map
      ? Object.fromEntries(inner)
      : typeof inner === "bigint"
        ? String(inner)
        : inner
  )

describe("files with awkward names", () => {
  const names = ["ünïcödé 文件.bin", "with space", "plus+and%2Fpercent", "quote'\"s"]
  it.live.each(names)("upload as they are: %s", (name) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      yield* fs.writeFile(`${directory}/${name}`, fiveParts)
      const at = `dir/${name}`
      yield* Upload.upload({ key: at, source: Source.file(`${directory}/${name}`), partSize })
      yield* assertWhole(fiveParts, at)
    }).pipe(Effect.scoped, Effect.provide(httpWorld()))
  )
})

describe("two uploads on one client", () => {
  it.live("don't disturb each other when one is given up", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* inject(Fault.delay({ operation: "uploadPart", millis: 50, times: Infinity }))
      const other = contentOf(6 * partSize, 7)
      const first = yield* Effect.forkChild(Upload.upload(requestFor(fiveParts)))
      const second = yield* Effect.forkChild(
        Upload.upload(requestFor(other, { key: "other", concurrency: 1 }))
      )
      yield* Effect.sleep("30 millis")
      yield* Fiber.interrupt(first)
      yield* Upload.abort({ key })
      yield* Fiber.join(second)
      assert.deepStrictEqual(yield* emulator.uploads(bucket), [])
      yield* assertWhole(other, "other")
    }).pipe(Effect.provide(httpWorld()))
  )
})
