import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { OssClient, Source, Upload } from "@effect-oss/core"
import type { UploadEvent } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Fiber, FileSystem, Layer, Schedule, Stream } from "effect"
import { HttpClient } from "effect/http"
import {
  assertWhole,
  assertWholeBesides,
  bucket,
  contentOf,
  fiveParts,
  inject,
  key,
  partSize,
  requestFor
} from "../support/world.ts"
import { permanent, keysOf, httpWorld, quick } from "../support/httpWorld.ts"

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
      yield* assertWholeBesides(1, fiveParts)
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

  it.live("gives a part up that stalls on the wire, and sends it again", () =>
    Effect.gen(function* () {
      const content = contentOf(3 * 1024 * 1024)
      const part = { operation: "uploadPart", partNumber: 2 } as const
      yield* inject(Fault.stall({ ...part, at: { bytes: 500_000 } }))
      const events: Array<UploadEvent.UploadEvent> = []
      const request = requestFor(content, { partSize: 2 ** 20, stallTimeout: "1 second" })
      yield* Stream.runForEach(Upload.events({ ...request, retry: quick }), (event) =>
        Effect.sync(() => events.push(event))
      )
      const retries = events.flatMap((event) =>
        event._tag === "Retrying" ? [[event.partNumber, event.reason._tag]] : []
      )
      assert.deepInclude(retries, [2, "Stalled"])
      yield* assertWhole(content)
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

describe("an answer of success that can't be read", () => {
  const pages = [
    ["nothing", ""],
    ["cut-off XML", "<?xml version='1.0'?><ListPartsResult><IsTruncated>fal"],
    ["a proxy's page", "<html><body>please log in</body></html>"]
  ] as const
  const operations = ["initiate", "uploadPart", "listParts", "complete"] as const
  const cases = pages.flatMap(([name, body]) =>
    operations.map((operation) => [name, operation, body] as const)
  )
  it.live.each(cases)("but is %s, to %s, is asked for again", ([_, operation, body]) =>
    Effect.gen(function* () {
      const request = requestFor(fiveParts, { retry: quick, concurrency: 1 })
      if (operation === "listParts") {
        yield* inject(Fault.answer({ operation: "complete", status: 403, code: "AccessDenied" }))
        yield* Effect.flip(Upload.upload(request))
      }
      yield* inject(Fault.raw({ operation, body }))
      const events: Array<UploadEvent.UploadEvent> = []
      yield* Stream.runForEach(Upload.events(request), (event) =>
        Effect.sync(() => events.push(event))
      )
      const retries = events.flatMap((event) =>
        event._tag === "Retrying" ? [[event.operation, event.reason._tag]] : []
      )
      assert.deepStrictEqual(retries, [[operation, "UnreadableResponse"]])
      yield* assertWholeBesides(operation === "initiate" ? 1 : 0, fiveParts)
    }).pipe(Effect.provide(httpWorld()))
  )
})

describe("what an object is to have", () => {
  const all = {
    mime: "application/x-mine",
    headers: { "Cache-Control": "no-cache" },
    meta: { owner: "me" },
    storageClass: "IA",
    acl: "private",
    tagging: { project: "x" },
    serverSideEncryption: { algorithm: "KMS", keyId: "id-1" },
    forbidOverwrite: true,
    callback: { url: "http://callback.test/", body: "done", variables: { job: "7" } }
  } as const
  const initiating = [
    "cache-control",
    "content-type",
    "x-oss-forbid-overwrite",
    "x-oss-meta-owner",
    "x-oss-server-side-encryption",
    "x-oss-server-side-encryption-key-id",
    "x-oss-storage-class",
    "x-oss-tagging"
  ]
  const completing = [
    "x-oss-callback",
    "x-oss-callback-var",
    "x-oss-forbid-overwrite",
    "x-oss-object-acl"
  ]
  const common =
    /^(accept|accept-encoding|authorization|connection|content-length|content-type|content-md5|date|host|traceparent|b3|user-agent|x-oss-date|x-oss-content-sha256|x-oss-user-agent)$/

  /** Names of the headers of each request on the wire, but for those that each has, by method. */
  const watching = Layer.effect(
    HttpClient.HttpClient,
    Effect.map(HttpClient.HttpClient, (http) =>
      HttpClient.tapRequest(http, (request) =>
        Effect.sync(() => {
          const names = Object.keys(request.headers).filter((name) => !common.test(name))
          const type = request.headers["content-type"] === all.mime ? ["content-type"] : []
          wire.push([request.method, [...names, ...type].toSorted()])
        })
      )
    )
  ).pipe(Layer.provide(NodeHttpClient.layerNodeHttp))
  const wire: Array<readonly [string, ReadonlyArray<string>]> = []

  it.live("goes with the request that OSS reads it from, and with no other", () =>
    Effect.gen(function* () {
      wire.length = 0
      const { url } = yield* OssEmulator.OssEmulator
      const wanted = { ...all, callback: { ...all.callback, url: `${url}/-/health` } }
      yield* Upload.upload(requestFor(fiveParts, wanted))
      const ofParts = Array.from({ length: 5 }, () => ["PUT", []] as const)
      assert.deepStrictEqual(wire, [["POST", initiating], ...ofParts, ["POST", completing]])
      wire.length = 0
      yield* Upload.upload(requestFor(contentOf(10), { ...wanted, key: "small" }))
      assert.deepStrictEqual(wire, [
        ["PUT", [...new Set([...initiating, ...completing])].toSorted()]
      ])
    }).pipe(Effect.provide(httpWorld({}, [permanent], watching)))
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
      yield* Effect.repeat(emulator.log, {
        until: (log) =>
          log.some(({ operation, key: at }) => operation === "uploadPart" && at === key),
        schedule: Schedule.spaced("1 millis")
      })
      yield* Fiber.interrupt(first)
      yield* Upload.abort({ key })
      yield* Fiber.join(second)
      assert.deepStrictEqual(yield* emulator.uploads(bucket), [])
      yield* assertWhole(other, "other")
    }).pipe(Effect.provide(httpWorld()))
  )
})
