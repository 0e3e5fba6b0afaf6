import { OssEmulator } from "@effect-oss/emulator"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { bucket, bytesOf, withServer } from "./support.ts"
import { elementOf, request, stored } from "./http.ts"

interface Called {
  readonly type: string
  readonly host: string
  readonly body: string
}

/** A server of the user's; it notes what it is sent and says the same to all. */
const listening = (status: number, text: string) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly url: string; readonly calls: Array<Called>; close: () => void }>(
      (resume) => {
        const calls: Array<Called> = []
        const server = createServer((incoming, outgoing) => {
          let body = ""
          incoming.on("data", (data) => (body += data))
          incoming.on("end", () => {
            const { "content-type": type = "", host = "" } = incoming.headers
            calls.push({ type, host, body })
            outgoing.writeHead(status, { "content-type": "application/json" }).end(text)
          })
        }).listen(0, "127.0.0.1", () => {
          const { port } = server.address() as AddressInfo
          resume(
            Effect.succeed({
              url: `http://127.0.0.1:${port}/`,
              calls,
              close: () => server.close()
            })
          )
        })
      }
    ),
    ({ close }) => Effect.sync(close)
  )

const base64 = (json: unknown) => Buffer.from(JSON.stringify(json)).toString("base64")

const putWith = (callback: unknown, variables?: unknown) =>
  request(`${bucket}/a%20b`, {
    method: "PUT",
    body: Buffer.from(bytesOf(10)),
    headers: {
      "content-type": "text/plain",
      "x-oss-callback": base64(callback),
      ...(variables !== undefined && { "x-oss-callback-var": base64(variables) })
    }
  })

const open = withServer({ credentials: [] })

describe("a callback", () => {
  it.live("is posted as a form, and its answer takes the place of OSS's", () =>
    Effect.gen(function* () {
      const server = yield* listening(200, '{"Status":"OK"}')
      const answer = yield* putWith(
        { callbackUrl: server.url, callbackBody: "o=${object}&s=${size}&m=${mimeType}&v=${x:job}" },
        { "x:job": "a&b" }
      )
      assert.deepStrictEqual([answer.status, answer.body.toString()], [200, '{"Status":"OK"}'])
      assert.match(answer.headers["etag"] ?? "", /^"[0-9A-F]{32}"$/)
      assert.deepInclude(server.calls[0], {
        type: "application/x-www-form-urlencoded",
        body: "o=a%20b&s=10&m=text%2Fplain&v=a%26b"
      })
    }).pipe(Effect.scoped, open)
  )

  it.live("is posted as JSON if it says so, to the host that it names", () =>
    Effect.gen(function* () {
      const server = yield* listening(200, "{}")
      yield* putWith({
        callbackUrl: server.url,
        callbackHost: "callback.test",
        callbackBody: '{"b":${bucket},"s":${size},"no":${nothing}}',
        callbackBodyType: "application/json"
      })
      assert.deepInclude(server.calls[0], { type: "application/json" })
      assert.deepStrictEqual(JSON.parse(server.calls[0]?.body ?? ""), {
        b: bucket,
        s: 10,
        no: ""
      })
    }).pipe(Effect.scoped, open)
  )

  it.live.each([
    ["answers with another status", 500, "{}"],
    ["answers with no JSON", 200, "hello"]
  ] as const)("whose server %s has failed; the object is stored", ([, status, text]) =>
    Effect.gen(function* () {
      const server = yield* listening(status, text)
      const answer = yield* putWith({ callbackUrl: server.url, callbackBody: "x" })
      assert.deepStrictEqual(
        [answer.status, elementOf(answer.body, "Code")],
        [203, "CallbackFailed"]
      )
      assert.isTrue(Option.isSome(yield* stored("a b")))
      const emulator = yield* OssEmulator.OssEmulator
      assert.deepInclude((yield* emulator.log)[0], { code: "CallbackFailed" })
    }).pipe(Effect.scoped, open)
  )

  it.live("has failed if nobody listens; the next URL is tried", () =>
    Effect.gen(function* () {
      const server = yield* listening(200, "{}")
      const nobody = "http://127.0.0.1:1/"
      const alone = yield* putWith({ callbackUrl: nobody, callbackBody: "x" })
      assert.strictEqual(alone.status, 203)
      const both = yield* putWith({ callbackUrl: `${nobody};${server.url}`, callbackBody: "x" })
      assert.strictEqual(both.status, 200)
    }).pipe(Effect.scoped, open)
  )

  it.live("that is no base64 of JSON is refused, and nothing is stored", () =>
    Effect.gen(function* () {
      for (const text of ["{}", "bm8=", base64({ callbackUrl: "http://a.test/" })]) {
        const answer = yield* request(`${bucket}/k`, {
          method: "PUT",
          body: "x",
          headers: { "x-oss-callback": text }
        })
        assert.deepStrictEqual(
          [answer.status, elementOf(answer.body, "Code")],
          [400, "InvalidArgument"]
        )
      }
      assert.isTrue(Option.isNone(yield* stored("k")))
    }).pipe(open)
  )
})
