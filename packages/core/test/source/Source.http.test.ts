import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, Crc64, OssClient, Source, Upload } from "@effect-oss/core"
import { OssEmulator } from "@effect-oss/emulator"
import { Effect, Fiber, Layer, Redacted } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import { TestClock } from "effect/testing"
import { assertWhole, contentOf, fiveParts, key, partSize, world } from "../support/world.ts"
import * as Slice from "../../src/internal/source/slice.ts"

const url = "https://user:password@files.test/image.iso?signature=secret#x"

interface Page {
  content: Uint8Array
  etag?: string
  modified?: string
  readonly ranges?: boolean
  readonly length?: boolean
  readonly encoding?: string
  /** What is answered instead, first come first served. */
  readonly failures?: Array<number>
  /** When the server answers. */
  readonly date?: string
}

/** A web server without a network. */
const server = (page: Page) => {
  const asked: Array<{ readonly method: string; readonly range: string | undefined }> = []
  const answer = (method: string, headers: Readonly<Record<string, string | undefined>>) => {
    const { content, etag, modified, date, ranges = true, length = true, encoding } = page
    const given = {
      ...(date === undefined ? {} : { date }),
      ...(etag === undefined ? {} : { etag }),
      ...(modified === undefined ? {} : { "last-modified": modified }),
      ...(ranges ? { "accept-ranges": "bytes" } : {}),
      ...(encoding === undefined ? {} : { "content-encoding": encoding })
    }
    const whole = { ...given, ...(length ? { "content-length": String(content.length) } : {}) }
    if (method === "HEAD") return new Response(null, { headers: whole })
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers["range"] ?? "") ?? []
    const current = [etag, modified].includes(headers["if-range"])
    if (!ranges || from === undefined || to === undefined || !current) {
      return new Response(content.slice(), { headers: whole })
    }
    return new Response(content.slice(Number(from), Number(to) + 1), {
      status: 206,
      headers: { ...given, "content-range": `bytes ${from}-${to}/${content.length}` }
    })
  }
  const client = HttpClient.make((request) =>
    Effect.sync(() => {
      asked.push({ method: request.method, range: request.headers["range"] })
      const failure = page.failures?.shift()
      const response =
        failure === undefined
          ? answer(request.method, request.headers)
          : new Response("no", { status: failure })
      return HttpClientResponse.fromWeb(request, response)
    })
  )
  return { asked, layer: Layer.succeed(HttpClient.HttpClient, client) }
}

const opened = Effect.filterOrElse(
  Source.http(url).open,
  (source) => source._tag === "RandomAccess",
  () => Effect.die(new Error("it is sequential"))
)

const reasonOf = <A, R>(effect: Effect.Effect<A, Source.SourceError, R>) =>
  Effect.map(Effect.flip(effect), (error) => error.reason._tag)

const patiently = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    yield* TestClock.adjust("1 hour")
    return yield* Fiber.join(fiber)
  })

describe("Source.http", () => {
  it.effect("reads any range of a page that has a version", () => {
    const { layer } = server({ content: fiveParts, etag: '"1"' })
    return Effect.gen(function* () {
      const source = yield* opened
      assert.strictEqual(source.size, fiveParts.length)
      const target = new Uint8Array(1_000)
      yield* source.read(target, 77_777)
      assert.deepStrictEqual(target, fiveParts.slice(77_777, 78_777))
      assert.strictEqual(yield* source.currentFingerprint, source.fingerprint)
    }).pipe(Effect.provide(layer))
  })

  it.effect("fetches a part with few requests, in whatever pieces it is read", () => {
    const content = contentOf(5_000_000)
    const { layer, asked } = server({ content, etag: '"1"' })
    return Effect.gen(function* () {
      const source = yield* opened
      assert.strictEqual(
        yield* Slice.crc64(source, 1, 4_999_998),
        Crc64.of(content.subarray(1, 4_999_999))
      )
      assert.deepStrictEqual(
        asked.map(({ range }) => range),
        [undefined, "bytes=1-4194304", "bytes=4194305-4999998"]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect.each([
    { page: { ranges: false }, lacks: "ranges (Accept-Ranges: bytes)" },
    { page: { length: false }, lacks: "a length (Content-Length)" },
    {
      page: { ranges: false, etag: 'W/"1"' },
      lacks:
        "ranges (Accept-Ranges: bytes) and a version (a strong ETag, or a Last-Modified before Date)"
    }
  ])("says that its server lacks $lacks, if an option needs it", ({ page, lacks }) => {
    const { layer } = server({ content: fiveParts, etag: '"1"', ...page })
    return Effect.gen(function* () {
      const request = { key, source: Source.http(url), discover: true }
      const error = yield* Effect.flip(Upload.upload(request))
      assert.strictEqual(
        error.message,
        `discover: parts can't be compared with a source that lacks ${lacks}; leave it out, or give a file, a blob or bytes as the source`
      )
    }).pipe(Effect.provide([world, layer]))
  })

  it.effect("keeps user and query to itself", () => {
    const { layer } = server({ content: fiveParts, etag: '"1"', failures: [403] })
    return Effect.gen(function* () {
      const error = yield* Effect.flip(Source.http(url).open)
      assert.notMatch(JSON.stringify(error) + error.message, /secret|password/)
      assert.include(error.message, "https://files.test/image.iso")
      assert.include(error.message, "403")
      assert.strictEqual((yield* opened).id, "url:https://files.test/image.iso")
      assert.strictEqual((yield* Source.http(url, { id: "iso" }).open).id, "url:iso")
    }).pipe(Effect.provide(layer))
  })

  it.effect.each<[string, (page: Page) => void]>([
    ["ETag", (page) => (page.etag = '"2"')],
    ["length", (page) => (page.content = fiveParts.subarray(1))]
  ])("notices another %s, when it is read and when it is asked", ([, change]) => {
    const page: Page = { content: fiveParts, etag: '"1"' }
    const { layer } = server(page)
    return Effect.gen(function* () {
      const source = yield* opened
      change(page)
      assert.strictEqual(yield* reasonOf(source.read(new Uint8Array(10), 0)), "SourceChanged")
      assert.notStrictEqual(yield* source.currentFingerprint, source.fingerprint)
    }).pipe(Effect.provide(layer))
  })

  it.effect("follows redirects, and gives no keys to another server", () => {
    const seen: Array<string | undefined> = []
    const client = HttpClient.make((request, { host }) =>
      Effect.sync(() => {
        seen.push(`${host} ${request.headers["authorization"]}`)
        const answer =
          host === "files.test"
            ? new Response(null, { status: 302, headers: { location: "https://cdn.test/1" } })
            : new Response(null, { headers: { "content-length": "5" } })
        return HttpClientResponse.fromWeb(request, answer)
      })
    )
    return Effect.gen(function* () {
      const source = Source.http("https://files.test/a", { headers: { authorization: "key" } })
      assert.deepStrictEqual((yield* source.open).size, 5)
      assert.deepStrictEqual(seen, ["files.test key", "cdn.test undefined"])
    }).pipe(Effect.provideService(HttpClient.HttpClient, client))
  })

  it.effect("asks again where that may help", () => {
    const { layer, asked } = server({ content: fiveParts, etag: '"1"', failures: [503, 500, 429] })
    return Effect.gen(function* () {
      const source = yield* patiently(opened)
      assert.strictEqual(source.size, fiveParts.length)
      assert.strictEqual(asked.length, 4)
    }).pipe(Effect.provide(layer))
  })

  it.effect("says what is wrong with a URL", () => {
    const { layer } = server({ content: fiveParts, failures: [404, 410, 403] })
    return Effect.gen(function* () {
      assert.strictEqual(
        (yield* Effect.flip(Source.http(url).open)).message,
        "https://files.test/image.iso: not found: status 404; give a URL that exists"
      )
      assert.strictEqual(yield* reasonOf(Source.http(url).open), "SourceNotFound")
      assert.strictEqual(yield* reasonOf(Source.http(url).open), "SourceUnreadable")
      assert.strictEqual(yield* reasonOf(Source.http("no url").open), "SourceUnreadable")
    }).pipe(Effect.provide(layer))
  })

  it.effect.each<[string, Page]>([
    ["ranges", { content: fiveParts, etag: '"1"', ranges: false }],
    ["length", { content: fiveParts, etag: '"1"', length: false }],
    ["version", { content: fiveParts }],
    ["strong version", { content: fiveParts, etag: 'W/"1"' }],
    ["plain bytes", { content: fiveParts, etag: '"1"', encoding: "identity-like" }]
  ])("takes a page without %s as a sequential source", ([, page]) =>
    Effect.gen(function* () {
      const { layer } = server(page)
      const source = yield* Effect.provide(Source.http(url).open, layer)
      assert.strictEqual(source._tag, "Sequential")
      const upload = Upload.upload({ key, partSize, source: Source.http(url) })
      const result = yield* Effect.provide(upload, layer)
      assert.strictEqual(result.crc64, Crc64.of(fiveParts))
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  const modified = "Sun, 22 Nov 2026 22:22:22 GMT"

  it.effect("takes no time of modification for a version within whose second it may change", () =>
    Effect.gen(function* () {
      const dates = [modified, "Sun, 22 Nov 2026 22:22:21 GMT", "yesterday"]
      for (const date of dates) {
        const { layer } = server({ content: fiveParts, modified, date })
        const source = yield* Effect.provide(Source.http(url).open, layer)
        assert.strictEqual(source._tag, "Sequential", date)
      }
    })
  )

  it.effect("takes the time of modification for a version", () => {
    const date = "Sun, 22 Nov 2026 22:22:23 GMT"
    const { layer } = server({ content: fiveParts, etag: 'W/"1"', modified, date })
    return Effect.gen(function* () {
      const source = yield* opened
      const target = new Uint8Array(5)
      yield* source.read(target, 3)
      assert.deepStrictEqual(target, fiveParts.slice(3, 8))
    }).pipe(Effect.provide(layer))
  })

  it.effect(
    "uploads in parts, and starts afresh when the page is another one at the next run",
    () =>
      Effect.gen(function* () {
        const page: Page = { content: fiveParts, etag: '"1"' }
        const { layer } = server(page)
        const upload = Effect.provide(
          Upload.upload({ key, partSize, source: Source.http(url), concurrency: 1 }),
          layer
        )
        const store = yield* CheckpointStore.CheckpointStore
        const full = CheckpointStore.CheckpointStore.of({
          ...store,
          open: (checkpoint) =>
            Effect.map(store.open(checkpoint), (log) => ({
              ...log,
              append: () => Effect.die("killed")
            }))
        })
        yield* Effect.exit(Effect.provideService(upload, CheckpointStore.CheckpointStore, full))
        page.content = contentOf(fiveParts.length, 7)
        page.etag = '"2"'
        assert.strictEqual((yield* upload).resumed, 0)
        yield* assertWhole(page.content)
      }).pipe(Effect.provide(world))
  )

  it.live("copies from one server to another", () =>
    Effect.gen(function* () {
      const { url } = yield* OssEmulator.OssEmulator
      const client = OssClient.layer({
        bucket: "copies",
        endpoint: url,
        pathStyle: true,
        credentials: { accessKeyId: "id", accessKeySecret: Redacted.make("secret") }
      })
      const content = contentOf(3 * partSize + 17)
      const copied = yield* Effect.gen(function* () {
        const bytes = Source.bytes(content)
        yield* Upload.upload({ key: "original", source: bytes })
        return yield* Upload.upload({
          key,
          partSize,
          source: Source.http(`${url}/copies/original`)
        })
      }).pipe(Effect.provide([client, CheckpointStore.layerMemory]))
      assert.deepInclude(copied, { crc64: Crc64.of(content), verified: true })
    }).pipe(Effect.provide([OssEmulator.layer(), NodeHttpClient.layerNodeHttp]))
  )
})
