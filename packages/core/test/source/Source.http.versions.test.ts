/** Servers behind one address that hold other versions, or say other things than they do. */
import { assert, describe, it } from "@effect/vitest"
import { Source, Upload } from "@effect-oss/core"
import { OssEmulator } from "@effect-oss/emulator"
import { Effect, Layer, Option } from "effect"
import { FetchHttpClient, HttpClient, HttpClientResponse } from "effect/http"
import { assertWhole, bucket, contentOf, inTime, key, partSize, world } from "../support/world.ts"

const url = "https://files.test/f"
const content = contentOf(3 * partSize)

interface Asked {
  readonly method: string
  readonly host: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly first: number
  readonly last: number
  /** Which GET it is, from 0. */
  readonly number: number
}

type Headers = Record<string, string>
const version: Headers = { etag: '"A"', "last-modified": "Mon, 01 Jan 2024 00:00:00 GMT" }

/** What a good server answers; a test changes it. */
const good = ({ first, last }: Asked) => ({
  status: 206,
  headers: { ...version, "content-range": `bytes ${first}-${last}/${content.length}` } as Headers,
  body: content.slice(first, last + 1) as Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>
})
type Answer = ReturnType<typeof good>

const server = (get: (asked: Asked) => Answer, head: Headers = version) => {
  let gets = 0
  const client = HttpClient.make((request, { host }) =>
    Effect.sync(() => {
      const { method, headers } = request
      if (method === "HEAD") {
        const all = { ...head, "accept-ranges": "bytes", "content-length": `${content.length}` }
        return HttpClientResponse.fromWeb(request, new Response(null, { headers: all }))
      }
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers["range"] ?? "") ?? []
      const asked = {
        method,
        host,
        headers,
        first: Number(first),
        last: Number(last),
        number: gets++
      }
      const { status, headers: answered, body } = get(asked)
      return HttpClientResponse.fromWeb(request, new Response(body, { status, headers: answered }))
    })
  )
  return Layer.succeed(HttpClient.HttpClient, client)
}

const upload = Upload.upload({ key, partSize, concurrency: 1, source: Source.http(url) })

const broken = (piece: Uint8Array) =>
  new ReadableStream<Uint8Array>({
    pull: (controller) => {
      if (piece.length === 0) controller.error(new Error("connection reset"))
      controller.enqueue(piece)
      piece = new Uint8Array(0)
    }
  })

const cases: ReadonlyArray<
  [
    string,
    (answer: Answer, asked: Asked) => Partial<Answer>,
    "SourceChanged" | "SourceUnreadable",
    string
  ]
> = [
  [
    "of another ETag, from one of two servers",
    ({ headers }, { number }) => ({
      headers: number === 1 ? { ...headers, etag: '"B"' } : headers
    }),
    "SourceChanged",
    'its ETag was "A" and is "B"'
  ],
  [
    "without an ETag, of another time",
    ({ headers: { etag: _, ...headers } }) => ({
      headers: { ...headers, "last-modified": "Tue, 02 Jan 2024 00:00:00 GMT" }
    }),
    "SourceChanged",
    "its time of modification was Mon, 01 Jan 2024"
  ],
  [
    "that doesn't show its version",
    ({ headers }) => ({ headers: { "content-range": headers["content-range"]! } }),
    "SourceUnreadable",
    "doesn't tell which version a range is of"
  ],
  [
    "of another range",
    ({ headers }, { first }) => ({
      headers: {
        ...headers,
        "content-range": `bytes ${first + 1}-${first + partSize}/${content.length}`
      }
    }),
    "SourceUnreadable",
    "another range than was asked for"
  ],
  [
    "of several ranges",
    ({ headers: { "content-range": _, ...headers } }) => ({ headers }),
    "SourceUnreadable",
    "another range than was asked for"
  ],
  [
    "of another length of the whole",
    ({ headers }, { first, last }) => ({
      headers: { ...headers, "content-range": `bytes ${first}-${last}/${content.length + 1}` }
    }),
    "SourceChanged",
    `its size was ${content.length} bytes and is ${content.length + 1} bytes`
  ],
  [
    "that is encoded",
    ({ headers }) => ({ headers: { ...headers, "content-encoding": "x-packed" } }),
    "SourceUnreadable",
    "encodes it"
  ],
  [
    "that is longer than it says",
    () => ({ body: content.slice(0, partSize + 1) }),
    "SourceUnreadable",
    "not as long as it says"
  ],
  [
    "that is shorter than it says",
    () => ({ body: content.slice(0, partSize - 1) }),
    "SourceUnreadable",
    "not as long as it says"
  ],
  [
    "with 200 and the whole of the same version",
    () => ({ status: 200, headers: version, body: content.slice() }),
    "SourceUnreadable",
    "says that it knows ranges, and doesn't"
  ],
  [
    "with 200 and another version",
    () => ({ status: 200, headers: { etag: '"B"' }, body: content.slice() }),
    "SourceChanged",
    'its ETag was "A" and is "B"'
  ],
  ["with 416", () => ({ status: 416 }), "SourceChanged", "another version"],
  ["with 412", () => ({ status: 412 }), "SourceChanged", "another version"]
]

describe("a range that is answered", () => {
  it.effect.each(cases)("%s is not made part of an object", ([, change, reason, problem]) =>
    Effect.gen(function* () {
      const layer = server((asked) => {
        const answer = good(asked)
        return { ...answer, ...change(answer, asked) }
      })
      const error = yield* inTime(Effect.flip(Effect.provide(upload, layer)))
      if (error._tag !== "SourceError") return assert.fail(error.message)
      assert.strictEqual(error.reason._tag, reason)
      assert.include(error.message, problem)
      const emulator = yield* OssEmulator.OssEmulator
      assert.isTrue(Option.isNone(yield* emulator.object(bucket, key)))
    }).pipe(Effect.provide(world))
  )

  it.effect.each<[string, (answer: Answer, asked: Asked) => Partial<Answer>, Headers]>([
    ["well", () => ({}), version],
    [
      "with a total that isn't told",
      (_, { first, last }) => ({
        headers: { ...version, "content-range": `bytes ${first}-${last}/*` }
      }),
      version
    ],
    [
      "by servers that disagree about the time, but not about a strong ETag",
      ({ headers }, { number }) => ({
        headers: { ...headers, "last-modified": `Mon, 0${number + 1} Jan 2024 00:00:00 GMT` }
      }),
      version
    ],
    [
      "with a time of modification only",
      ({ headers: { etag: _, ...headers } }) => ({ headers }),
      version
    ],
    [
      "once its connection has been reset",
      (_, { number, first }) =>
        number === 1 ? { body: broken(content.slice(first, first + 100)) } : {},
      version
    ]
  ])("%s is uploaded", ([, change, head]) =>
    Effect.gen(function* () {
      const layer = server((asked) => {
        const answer = good(asked)
        return { ...answer, ...change(answer, asked) }
      }, head)
      yield* inTime(Effect.provide(upload, layer))
      yield* assertWhole(content)
    }).pipe(Effect.provide(world))
  )

  it.effect("with the whole is taken, if the whole was asked for", () =>
    Effect.gen(function* () {
      const layer = server(() => ({ status: 200, headers: version, body: content.slice() }))
      const whole = Upload.upload({ key, source: Source.http(url) })
      yield* inTime(Effect.provide(whole, layer))
      yield* assertWhole(content)
    }).pipe(Effect.provide(world))
  )
})

describe("headers of your own", () => {
  const own = { "x-api-key": "secret", authorization: "secret" }
  const open = Source.http("https://files.test/a", { headers: own }).open

  it.effect("go to the server of the URL, by whatever path, and to no other", () => {
    const seen: Array<string> = []
    const targets = new Map([
      ["/a", "https://files.test/b"],
      ["/b", "https://cdn.test/c"]
    ])
    const client = HttpClient.make((request, { host, pathname }) =>
      Effect.sync(() => {
        const {
          "x-api-key": key,
          authorization,
          range,
          "accept-encoding": encoding
        } = request.headers
        seen.push([host, pathname, key, authorization, range, encoding].filter(Boolean).join(" "))
        const location = targets.get(pathname)
        const answer =
          location === undefined
            ? new Response(null, { headers: { "content-length": "5" } })
            : new Response(null, { status: 307, headers: { location } })
        return HttpClientResponse.fromWeb(request, answer)
      })
    )
    return Effect.gen(function* () {
      yield* open
      assert.deepStrictEqual(seen, [
        "files.test /a secret secret identity",
        "files.test /b secret secret identity",
        "cdn.test /c identity"
      ])
    }).pipe(Effect.scoped, Effect.provideService(HttpClient.HttpClient, client))
  })

  const fetching = (answer: (redirect: string | undefined) => Response) =>
    FetchHttpClient.layer.pipe(
      Layer.provideMerge(
        Layer.succeed(FetchHttpClient.Fetch, (_, init) => Promise.resolve(answer(init?.redirect)))
      )
    )

  it.effect("are not given to other servers by fetch, which would follow redirects", () =>
    Effect.gen(function* () {
      const seen: Array<string | undefined> = []
      const layer = fetching((redirect) => {
        seen.push(redirect)
        return new Response(null, { headers: { "content-length": "5" } })
      })
      yield* Effect.provide(open, layer)
      yield* Effect.provide(Source.http("https://files.test/a").open, layer)
      assert.deepStrictEqual(seen, ["manual", undefined])
    }).pipe(Effect.scoped)
  )

  it.effect("don't make a redirect that a browser hides into an empty source", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        Effect.provide(
          open,
          fetching(() => Response.error())
        )
      )
      assert.include(error.message, "HEAD is redirected; give the URL that it is redirected to")
    }).pipe(Effect.scoped)
  )
})
