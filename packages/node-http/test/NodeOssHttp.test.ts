import { assert, describe, it } from "@effect/vitest"
import { Body, Crc64, type OssClient } from "@effect-oss/core"
import { Effect, Exit, Fiber, Layer, Option, Scope, Stream } from "effect"
import { HttpBody, HttpClient, HttpClientRequest } from "effect/http"
import { createServer, type IncomingMessage } from "node:http"
import {
  type Answerer,
  clientTo,
  type Reply,
  serve,
  until
} from "../../core/test/support/OssClientServer.ts"
import { NodeOssHttp } from "../src/index.ts"

const MiB = 1024 * 1024
const stored: Reply = { headers: { etag: '"0123456789ABCDEF"' } }

const against = Effect.fnUntraced(function* (answer: Answerer) {
  const server = yield* serve(answer)
  return { server, client: yield* clientTo(server.url, {}, NodeOssHttp.layer()) }
})

/** A body whose bytes tell their place, and a record of the memory it was read into. */
const telling = (size: number) => {
  const places = new Set<string>()
  const content = (target: Uint8Array, offset: number) => {
    // All of them: the memory holds whatever an earlier holder left.
    for (let at = 0; at < target.length; at++) target[at] = (offset + at) >>> (at & 1 ? 16 : 8)
  }
  const body: Body.Body = {
    size,
    read: (target, offset) =>
      Effect.sync(() => {
        places.add(`${target.byteOffset}`)
        content(target, offset)
      })
  }
  const whole = new Uint8Array(size)
  content(whole, 0)
  return { body, places, crc64: Crc64.of(whole) }
}

const putPart = (client: OssClient.OssClient["Service"], body: Body.Body, number = 1) =>
  client.uploadPart({ key: "k", uploadId: "U", number, body })

/** Reads slowly, so that writes wait; tells the CRC64 of what came. */
const slowServer = Effect.acquireRelease(
  Effect.callback<{ readonly url: string; readonly close: () => void }>((resume) => {
    const server = createServer((incoming: IncomingMessage, response) => {
      let crc64 = 0n
      incoming.on("data", (bytes: Uint8Array) => {
        crc64 = Crc64.of(bytes, crc64)
        incoming.pause()
        setTimeout(() => incoming.resume(), 1)
      })
      incoming.on("end", () => {
        response
          .writeHead(200, {
            etag: '"E"',
            "x-oss-hash-crc64ecma": String(crc64),
            connection: "close"
          })
          .end()
      })
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, close: () => server.close() }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

describe("a body", () => {
  it.live("passes through one buffer, whatever its size", () =>
    Effect.gen(function* () {
      const { client, server } = yield* against(() => stored)
      const { body, places } = telling(32 * MiB)
      yield* putPart(client, body)
      assert.strictEqual(places.size, 1)
      assert.strictEqual(server.requests[0]?.bytes, 32 * MiB)
    }).pipe(Effect.scoped)
  )

  it.live("arrives as it was read though its buffer is used again, at a slow server", () =>
    Effect.gen(function* () {
      const { url } = yield* slowServer
      const client = yield* clientTo(url, {}, NodeOssHttp.layer())
      const { body, crc64 } = telling(8 * MiB + 13)
      const receipts = yield* Effect.forEach([1, 2, 3], (number) => putPart(client, body, number), {
        concurrency: 3
      })
      assert.deepStrictEqual(
        receipts.map((receipt) => receipt.crc64),
        Array.from({ length: 3 }, () => Option.some(crc64))
      )
    }).pipe(Effect.scoped)
  )
})

describe("a success before the end of the body", () => {
  it.live("stores nothing", () =>
    Effect.gen(function* () {
      const server = yield* serve((_, response) => {
        response.socket?.pause()
        return stored
      }, "arrival")
      const client = yield* clientTo(server.url, {}, NodeOssHttp.layer())
      const error = yield* Effect.flip(putPart(client, telling(64 * MiB).body))
      assert.strictEqual(error.reason._tag, "Transport")
      assert.include(error.message, "before the body had been sent")
    }).pipe(Effect.scoped)
  )
})

describe("a request that is over", () => {
  it.live("takes its connection with it if the answer came before the end of the body", () =>
    Effect.gen(function* () {
      const server = yield* serve(() => ({ status: 503 }), "arrival")
      const client = yield* clientTo(server.url, {}, NodeOssHttp.layer())
      yield* Effect.flip(putPart(client, telling(64 * MiB).body))
      yield* until(() => server.connections() === 0)
    }).pipe(Effect.scoped)
  )

  it.live.each([10, 64 * MiB])("is off the wire once it is interrupted, with %s bytes", (size) =>
    Effect.gen(function* () {
      // Who doesn't read doesn't see that the other side is gone.
      const server = yield* serve((_, { req }) => void req.resume(), "arrival")
      const client = yield* clientTo(server.url, {}, NodeOssHttp.layer())
      const fiber = yield* Effect.forkChild(putPart(client, telling(size).body))
      yield* until(() => server.requests.length === 1)
      yield* Fiber.interrupt(fiber)
      yield* until(() => server.connections() === 0)
    }).pipe(Effect.scoped)
  )
})

describe("a kept connection", () => {
  /** Breaks the second request of the first connection, before any answer. */
  const stale: Answerer = (_, response, count) => {
    if (count !== 2) return stored
    response.socket?.destroy()
    return undefined
  }

  it.live("is used again", () =>
    Effect.gen(function* () {
      const { client, server } = yield* against(() => stored)
      for (let number = 1; number <= 20; number++) yield* putPart(client, telling(MiB).body, number)
      assert.strictEqual(server.accepted(), 1)
    }).pipe(Effect.scoped)
  )

  it.live("that has gone stale is no error: the request goes over a new one", () =>
    Effect.gen(function* () {
      const { client, server } = yield* against(stale)
      yield* putPart(client, telling(MiB).body)
      yield* putPart(client, telling(MiB).body, 2)
      assert.deepStrictEqual([server.accepted(), server.requests.length], [2, 3])
    }).pipe(Effect.scoped)
  )

  it.live("that has gone stale is an error of what may not be made twice", () =>
    Effect.gen(function* () {
      const { client, server } = yield* against(stale)
      yield* putPart(client, telling(10).body)
      const error = yield* Effect.flip(client.initiate("k"))
      assert.strictEqual(error.reason._tag, "Transport")
      assert.strictEqual(server.requests.length, 2)
    }).pipe(Effect.scoped)
  )

  it.live("is tried once more only", () =>
    Effect.gen(function* () {
      const { client, server } = yield* against((_, response, count) => {
        if (count === 1) return stored
        response.socket?.destroy()
        return undefined
      })
      yield* putPart(client, telling(10).body)
      const error = yield* Effect.flip(putPart(client, telling(10).body, 2))
      assert.strictEqual(error.reason._tag, "Transport")
      assert.strictEqual(server.requests.length, 3)
    }).pipe(Effect.scoped)
  )

  it.live("that breaks the first time it is used is an error at once", () =>
    Effect.gen(function* () {
      const { client, server } = yield* against((_, response) => {
        response.socket?.destroy()
        return undefined
      })
      const error = yield* Effect.flip(putPart(client, telling(10).body))
      assert.strictEqual(error.reason._tag, "Transport")
      assert.strictEqual(server.requests.length, 1)
    }).pipe(Effect.scoped)
  )

  it.live("is closed with the layer, and no listener is left on the way", () =>
    Effect.gen(function* () {
      const warnings: Array<string> = []
      const note = (warning: Error) => void warnings.push(warning.name)
      process.on("warning", note)
      yield* Effect.addFinalizer(() => Effect.sync(() => process.off("warning", note)))
      const server = yield* serve(() => stored)
      const scope = yield* Scope.make()
      const client = yield* clientTo(server.url, {}, NodeOssHttp.layer()).pipe(
        Effect.provideService(Scope.Scope, scope)
      )
      yield* Effect.forEach(
        Array.from({ length: 100 }, (_, index) => index + 1),
        (number) => putPart(client, telling(300_000).body, number),
        { concurrency: 4, discard: true }
      )
      assert.isAtMost(server.accepted(), 4)
      assert.isAbove(server.connections(), 0)
      yield* Scope.close(scope, Exit.void)
      yield* until(() => server.connections() === 0)
      assert.deepStrictEqual(warnings, [])
    }).pipe(Effect.scoped)
  )
})

describe("any other request", () => {
  const form = () => {
    const data = new FormData()
    data.append("a", "b")
    return data
  }
  const bodies: ReadonlyArray<readonly [string, HttpBody.HttpBody, number | undefined]> = [
    ["nothing", HttpBody.empty, 0],
    ["text", HttpBody.text("hello"), 5],
    ["a stream", HttpBody.stream(Stream.make(new Uint8Array(3), new Uint8Array(4))), 7],
    ["a form", HttpBody.formData(form()), undefined]
  ]
  it.live.each(bodies)("may carry %s", ([, body, size]) =>
    Effect.gen(function* () {
      const server = yield* serve(() => ({ body: "answer" }))
      const request = HttpClientRequest.post(server.url).pipe(HttpClientRequest.setBody(body))
      const response = yield* HttpClient.execute(request)
      assert.strictEqual(yield* response.text, "answer")
      assert.strictEqual(response.status, 200)
      const { bytes } = server.requests[0]!
      if (size === undefined) assert.isAbove(bytes, 50)
      else assert.strictEqual(bytes, size)
    }).pipe(Effect.provide(Layer.fresh(NodeOssHttp.layer())), Effect.scoped)
  )

  it.live("with what HTTP can't carry is an error, not a defect", () =>
    Effect.gen(function* () {
      const request = HttpClientRequest.get("http://127.0.0.1:1/", { headers: { a: "x\ny" } })
      const error = yield* Effect.flip(HttpClient.execute(request))
      assert.strictEqual(error.reason._tag, "EncodeError")
    }).pipe(Effect.provide(NodeOssHttp.layer()))
  )
})
