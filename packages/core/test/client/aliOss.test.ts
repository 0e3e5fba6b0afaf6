/** The real ali-oss and this library take turns, on one emulator over HTTP. */
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Checkpoint, CheckpointStore, Crc64, OssClient, Source, Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import AliOss from "ali-oss"
import { Effect, Fiber, Layer, Option, Result, Schema } from "effect"
import { contentOf, fiveParts, key, partSize } from "../support/world.ts"

const bucket = "neighbours"
const keys = { accessKeyId: "id", accessKeySecret: "secret" }
const world = Layer.mergeAll(
  OssEmulator.layer({ credentials: [keys] }),
  NodeHttpClient.layerNodeHttp,
  CheckpointStore.layerMemory
)

const clientTo = (endpoint: string, options: Partial<AliOss.Options> = {}) => {
  const all = { bucket, endpoint, sldEnable: true, ...keys, ...options }
  return new AliOss(all)
}

/** At an IP address ali-oss would put the bucket into the host and the path. */
const endpoint = Effect.map(OssEmulator.OssEmulator, ({ url }) =>
  url.replace("127.0.0.1", "localhost")
)
const client = Effect.map(endpoint, (endpoint) => clientTo(endpoint))

const request = { key, source: Source.bytes(fiveParts, "source"), partSize }

const partNumbers = Effect.gen(function* () {
  const log = yield* (yield* OssEmulator.OssEmulator).log
  return log.flatMap(({ operation, partNumber }) =>
    operation === "uploadPart" ? [partNumber ?? 0] : []
  )
})

const assertWhole = Effect.fnUntraced(function* (content: Uint8Array) {
  const emulator = yield* OssEmulator.OssEmulator
  const object = Option.getOrThrow(yield* emulator.object(bucket, key))
  assert.deepStrictEqual(yield* object.bytes, content)
  assert.deepStrictEqual(yield* emulator.uploads(bucket), [])
})

/** What the documented loop of ali-oss has in its checkpoint.json after so many parts. */
const aliOssStopsAfter = (client: AliOss, content: Uint8Array, parts: number) =>
  Effect.gen(function* () {
    let saved = ""
    const progress = async (_: number, checkpoint: AliOss.Checkpoint) => {
      // JSON as documented: without the bytes, which a path would stand for.
      saved = JSON.stringify({ ...checkpoint, file: "source.bin" })
      if (checkpoint.doneParts.length === parts) client.cancel()
    }
    const upload = client.multipartUpload(key, Buffer.from(content), {
      partSize,
      parallel: 1,
      progress
    })
    const exit = yield* Effect.exit(Effect.tryPromise(() => upload))
    assert.strictEqual(exit._tag, "Failure")
    return saved
  })

/** The properties that ali-oss itself may have written. */
const snapshot = ({ options, urllib }: { options?: object; urllib?: unknown }) => ({
  options: { ...options },
  urllib
})

describe("OssClient.fromAliOss", () => {
  it.live.each<[string, Partial<AliOss.Options>]>([
    ["version 1", {}],
    ["version 4", { authorizationV4: true, region: "oss-cn-hangzhou" }]
  ])("uploads with a client that signs with %s, and leaves it as it is", ([, options]) =>
    Effect.gen(function* () {
      const client = clientTo(yield* endpoint, options)
      const before = snapshot(Object(client))
      const layer = OssClient.fromAliOss(client)
      const result = yield* Effect.provide(Upload.upload({ ...request, meta: { a: "ü" } }), layer)
      assert.deepInclude(result, { bucket, verified: true, crc64: Crc64.of(fiveParts) })
      yield* Effect.provide(
        Effect.flip(OssClient.OssClient.use((oss) => oss.abort({ key, uploadId: "none" }))),
        layer
      )
      assert.deepStrictEqual(snapshot(Object(client)), before)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.live("does not disturb an upload that the client is at, when it gives up one of its own", () =>
    Effect.gen(function* () {
      const ali = yield* client
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(Fault.delay({ operation: "uploadPart", millis: 300, times: 5 }))
      const theirs = Effect.promise(() =>
        ali.multipartUpload(key, Buffer.from(fiveParts), { partSize, parallel: 2 })
      )
      const ours = Effect.gen(function* () {
        const oss = yield* OssClient.OssClient
        yield* Effect.sleep("100 millis")
        const { uploadId } = yield* oss.initiate("other")
        yield* oss.abort({ key: "other", uploadId })
      }).pipe(Effect.provide(OssClient.fromAliOss(ali)))
      yield* Effect.all([theirs, ours], { concurrency: 2 })
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.live(
    "signs with keys that the client refreshes, and has them refreshed once they expire",
    () =>
      Effect.gen(function* () {
        const emulator = yield* OssEmulator.OssEmulator
        let refreshes = 0
        const ali = clientTo(yield* endpoint, {
          stsToken: "token-0",
          refreshSTSTokenInterval: 3_600_000,
          refreshSTSToken: async () => {
            refreshes++
            return { ...keys, stsToken: `token-${refreshes}` }
          }
        })
        yield* emulator.inject(
          Fault.answer({ operation: "head", status: 403, code: "SecurityTokenExpired" })
        )
        const oss = Effect.provide(
          Effect.gen(function* () {
            const oss = yield* OssClient.OssClient
            return yield* Effect.forEach([1, 2, 3], () =>
              Effect.map(Effect.flip(oss.head(key)), (error) => error.reason._tag)
            )
          }),
          OssClient.fromAliOss(ali)
        )
        const reasons = yield* oss
        assert.strictEqual(reasons[0], "CredentialsExpired")
        assert.strictEqual(refreshes, 1)
        assert.propertyVal(Object(ali).options, "stsToken", "token-1")
      }).pipe(
        Effect.provide(
          Layer.merge(
            OssEmulator.layer({
              credentials: [
                { ...keys, securityToken: "token-0" },
                { ...keys, securityToken: "token-1" }
              ]
            }),
            NodeHttpClient.layerNodeHttp
          )
        )
      )
  )

  it.live("has one refresh for eight parts that find the token expired at once", () =>
    Effect.gen(function* () {
      let refreshes = 0
      const refreshed = { ...keys, stsToken: "token-1" }
      const slowly = Promise.withResolvers<typeof refreshed>()
      const ali = clientTo(yield* endpoint, {
        stsToken: "token-0",
        refreshSTSTokenInterval: 3_600_000,
        refreshSTSToken: () => {
          refreshes++
          return slowly.promise
        }
      })
      const emulator = yield* OssEmulator.OssEmulator
      yield* Effect.gen(function* () {
        const oss = yield* OssClient.OssClient
        const head = Effect.flip(oss.head(key))
        // The emulator knows the new token only.
        Object(ali).stsTokenFreshTime = new Date(0)
        const waiting = yield* Effect.forkChild(
          Effect.forEach(Array.from({ length: 8 }), () => head, { concurrency: "unbounded" })
        )
        yield* Effect.yieldNow
        slowly.resolve(refreshed)
        const reasons = (yield* Fiber.join(waiting)).map(({ reason }) => reason._tag)
        assert.deepStrictEqual(new Set(reasons), new Set(["NoSuchKey"]))
        assert.strictEqual(refreshes, 1)
        assert.strictEqual((yield* emulator.log).length, 8)
      }).pipe(Effect.provide(OssClient.fromAliOss(ali)))
    }).pipe(
      Effect.provide(
        Layer.merge(
          OssEmulator.layer({ credentials: [{ ...keys, securityToken: "token-1" }] }),
          NodeHttpClient.layerNodeHttp
        )
      )
    )
  )

  it.effect.each([
    ["without options", { multipartUpload: undefined }],
    ["without a bucket", new AliOss({ ...keys, region: "oss-cn-hangzhou" })]
  ])("refuses a client %s", ([, client]) =>
    Effect.gen(function* () {
      const layer = OssClient.fromAliOss(Object(client))
      const error = yield* Effect.flip(Effect.provide(OssClient.OssClient, layer))
      assert.deepInclude(error, { _tag: "InvalidRequest", field: "client" })
    }).pipe(Effect.provide(NodeHttpClient.layerNodeHttp))
  )
})

describe("a checkpoint of ali-oss", () => {
  it.live("is carried on with: what OSS has is compared, and only the rest is sent", () =>
    Effect.gen(function* () {
      const ali = yield* client
      const saved = yield* aliOssStopsAfter(ali, fiveParts, 3)
      assert.deepStrictEqual(yield* partNumbers, [1, 2, 3])
      const from = Checkpoint.fromAliOss(JSON.parse(saved))
      const result = yield* Effect.provide(
        Upload.upload({ ...request, partSize: undefined, from }),
        OssClient.fromAliOss(ali)
      )
      assert.deepStrictEqual((yield* partNumbers).toSorted(), [1, 2, 3, 4, 5])
      assert.deepInclude(result, { resumed: 3 * partSize, sent: partSize + 1_000, verified: true })
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.live("is not trusted: parts of other bytes are sent again", () =>
    Effect.gen(function* () {
      const ali = yield* client
      const other = Uint8Array.from(fiveParts)
      other[partSize]! ^= 1
      const saved = yield* aliOssStopsAfter(ali, other, 3)
      const from = Checkpoint.fromAliOss(JSON.parse(saved))
      const result = yield* Effect.provide(
        Upload.upload({ ...request, from }),
        OssClient.fromAliOss(ali)
      )
      assert.strictEqual(result.resumed, 2 * partSize)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.live("is given up when the source has another size, or another part size is asked for", () =>
    Effect.gen(function* () {
      const ali = yield* client
      const layer = OssClient.fromAliOss(ali)
      for (const options of [
        { source: Source.bytes(contentOf(5 * partSize), "source") },
        { partSize: 2 * partSize }
      ]) {
        const saved = yield* aliOssStopsAfter(ali, fiveParts, 2)
        const from = Checkpoint.fromAliOss(JSON.parse(saved))
        const result = yield* Effect.provide(Upload.upload({ ...request, ...options, from }), layer)
        assert.strictEqual(result.resumed, 0)
      }
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.live("of an upload that OSS no longer knows is no hindrance", () =>
    Effect.gen(function* () {
      const ali = yield* client
      const saved = yield* aliOssStopsAfter(ali, fiveParts, 2)
      const from = Checkpoint.fromAliOss(JSON.parse(saved))
      const { uploadId } = Result.getOrThrow(from)
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.abortUpload({ bucket, key, uploadId })
      yield* Effect.provide(Upload.upload({ ...request, from }), OssClient.fromAliOss(ali))
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.live("is only used where the store has none: then the store's is carried on with", () =>
    Effect.gen(function* () {
      const ali = yield* client
      const layer = OssClient.fromAliOss(ali)
      const emulator = yield* OssEmulator.OssEmulator
      const saved = yield* aliOssStopsAfter(ali, fiveParts, 1)
      yield* emulator.inject(
        Fault.answer({ operation: "uploadPart", partNumber: 4, status: 403, code: "AccessDenied" })
      )
      const first = Upload.upload({ ...request, concurrency: 1 })
      yield* Effect.provide(Effect.flip(first), layer)
      const from = Checkpoint.fromAliOss(JSON.parse(saved))
      const result = yield* Effect.provide(Upload.upload({ ...request, from }), layer)
      assert.strictEqual(result.resumed, 3 * partSize)
      const left = (yield* emulator.uploads(bucket)).map(({ uploadId }) => uploadId)
      assert.deepStrictEqual(left, [Result.getOrThrow(from).uploadId])
    }).pipe(Effect.provide(world))
  )

  it.live("whose name begins with a slash, and whose parts have no ETags, is carried on with", () =>
    Effect.gen(function* () {
      const ali = yield* client
      const saved = JSON.parse(yield* aliOssStopsAfter(ali, fiveParts, 3))
      const from = Checkpoint.fromAliOss({
        ...saved,
        name: `/${saved.name}`,
        doneParts: saved.doneParts.map(({ number }: { readonly number: number }) => ({ number }))
      })
      const result = yield* Effect.provide(
        Upload.upload({ ...request, partSize: undefined, from }),
        OssClient.fromAliOss(ali)
      )
      assert.strictEqual(result.resumed, 3 * partSize)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect.each([null, "{}", {}, { name: key, uploadId: "", doneParts: [] }, { doneParts: 5 }])(
    "that is none is refused before anything is sent: %j",
    (checkpoint) =>
      Effect.gen(function* () {
        const from = Checkpoint.fromAliOss(checkpoint)
        const error = yield* Effect.flip(
          Upload.upload({ ...request, from }).pipe(
            Effect.provide([OssEmulator.layerClient(), CheckpointStore.layerMemory])
          )
        )
        assert.deepInclude(error, { _tag: "InvalidRequest", field: "from" })
      })
  )

  it.effect("of another key is refused", () =>
    Effect.gen(function* () {
      const from = Checkpoint.fromAliOss({
        file: "x",
        name: "another",
        fileSize: 1,
        partSize,
        uploadId: "u",
        doneParts: []
      })
      const error = yield* Effect.flip(Upload.upload({ ...request, from }))
      assert.include(error.message, "another")
    }).pipe(Effect.provide([OssEmulator.layerClient(), CheckpointStore.layerMemory]))
  )
})

describe("Checkpoint.toAliOss", () => {
  const stopped = Effect.gen(function* () {
    const ali = yield* client
    const emulator = yield* OssEmulator.OssEmulator
    yield* emulator.inject(
      Fault.answer({ operation: "uploadPart", partNumber: 4, status: 403, code: "AccessDenied" })
    )
    const upload = Upload.upload({ ...request, concurrency: 1 })
    yield* Effect.provide(Effect.flip(upload), OssClient.fromAliOss(ali))
    const store = yield* CheckpointStore.CheckpointStore
    const checkpointKey = Checkpoint.keyOf({
      endpoint: yield* endpoint,
      bucket,
      key,
      sourceId: "bytes:source"
    })
    const { recovered } = yield* Effect.scoped(store.open(checkpointKey))
    return { ali, checkpoint: Option.getOrThrow(recovered) }
  })

  it.live("gives ali-oss what it needs to carry on", () =>
    Effect.gen(function* () {
      const { ali, checkpoint } = yield* stopped
      const file = Buffer.from(fiveParts)
      const theirs = Option.getOrThrow(Checkpoint.toAliOss(checkpoint, file))
      const before = (yield* partNumbers).length
      yield* Effect.promise(() => ali.multipartUpload(key, file, { checkpoint: theirs }))
      assert.deepStrictEqual((yield* partNumbers).slice(before).toSorted(), [4, 5])
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.live("comes back unchanged by fromAliOss, through JSON as well", () =>
    Effect.gen(function* () {
      const { checkpoint } = yield* stopped
      const theirs = Option.getOrThrow(Checkpoint.toAliOss(checkpoint, "source.bin"))
      const json = JSON.parse(JSON.stringify(theirs))
      assert.deepStrictEqual(Checkpoint.fromAliOss(json), Result.succeed(theirs))
    }).pipe(Effect.provide(world))
  )

  it.effect("gives nothing for what ali-oss can't carry on with", () =>
    Effect.gen(function* () {
      const header = {
        endpoint: "http://oss.test",
        bucket,
        key,
        sourceId: "stream:x",
        fingerprint: "",
        size: null,
        partSize,
        options: "",
        createdAt: 0,
        uploadId: "u"
      }
      const decode = Schema.decodeUnknownEffect(Checkpoint.Header)
      const unknownSize = yield* decode(header)
      assert.deepStrictEqual(
        Checkpoint.toAliOss({ header: unknownSize, parts: [] }, "x"),
        Option.none()
      )
    })
  )
})
