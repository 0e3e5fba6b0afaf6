import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { against, bytes, MiB, part, refusal, stored, verbs } from "../support/OssClientReplies.ts"
import { clientTo, serve, until } from "../support/OssClientServer.ts"

const keepAlive = NodeHttpClient.layerNodeHttpOptions({ keepAlive: true })

describe("a request", () => {
  const addresses = [
    [{}, "127.0.0.1", "/bucket/k?uploads=", "cn-hangzhou"],
    [
      { region: "eu-central-1", pathStyle: false },
      "bucket.oss-eu-central-1.aliyuncs.com",
      "/k?uploads=",
      "eu-central-1"
    ],
    [{ pathStyle: true, region: "oss-cn-beijing" }, "127.0.0.1", "/bucket/k?uploads=", "cn-beijing"]
  ] as const
  it.effect.each(addresses)("names bucket, key and region: %o", ([options, host, path, region]) =>
    Effect.gen(function* () {
      const server = yield* serve(() => ({ body: "<R><UploadId>U</UploadId></R>" }))
      const client = yield* clientTo(server.url, options)
      yield* client.initiate("k")
      const [request] = server.requests
      assert.deepStrictEqual(
        [request?.headers.host?.replace(/:\d+$/, ""), request?.url],
        [host, path]
      )
      assert.include(request?.headers.authorization, `/${region}/oss/aliyun_v4_request`)
    })
  )

  it.effect("says who pays, and how fast OSS may take bytes, wherever OSS documents that", () =>
    Effect.gen(function* () {
      const server = yield* serve(() => ({ status: 500 }))
      const limits = { requestPayer: true, trafficLimit: 819_200 }
      const client = yield* clientTo(server.url, limits)
      for (const verb of Object.values(verbs(client))) yield* Effect.flip(verb)
      assert.deepStrictEqual(
        server.requests.map(({ method, headers }) => [
          method,
          headers["x-oss-request-payer"],
          headers["x-oss-traffic-limit"]
        ]),
        [
          ["POST", "requester", undefined],
          ["PUT", "requester", "819200"],
          ["GET", "requester", undefined],
          ["POST", "requester", undefined],
          ["DELETE", "requester", undefined],
          ["GET", "requester", undefined],
          ["HEAD", "requester", undefined],
          ["PUT", "requester", "819200"],
          ["GET", "requester", undefined],
          ["DELETE", "requester", undefined]
        ]
      )
    })
  )

  it.effect("has a Content-MD5 or a Content-Type only where there is content to describe", () =>
    Effect.gen(function* () {
      const server = yield* serve(() => ({ status: 500 }))
      const client = yield* clientTo(server.url)
      for (const verb of Object.values(verbs(client))) yield* Effect.flip(verb)
      assert.deepStrictEqual(
        server.requests.flatMap(({ headers }) => headers["content-md5"] ?? []),
        []
      )
      assert.deepStrictEqual(
        server.requests.flatMap(({ headers }) => headers["content-type"] ?? []),
        ["application/xml"]
      )
    })
  )

  it.effect("guesses the Content-Type from the key unless it is given", () =>
    Effect.gen(function* () {
      const { client, server } = yield* against(() => stored)
      const options = [{}, { mime: "a/b" }, { headers: { "Content-Type": "c/d" } }]
      yield* Effect.forEach(options, (options) =>
        client.put({ key: "k.json", body: bytes(1), options })
      )
      yield* client.put({ key: "k", body: bytes(1) })
      assert.deepStrictEqual(
        server.requests.map(({ headers }) => headers["content-type"]),
        ["application/json", "a/b", "c/d", undefined]
      )
    })
  )

  it.effect("to Complete names each part's ETag, whatever characters it has", () =>
    Effect.gen(function* () {
      let sent = ""
      const { client } = yield* against((_, response) => {
        response.req.setEncoding("utf8").on("data", (text: string) => (sent += text))
        response.req.on("end", () => response.end("<R><ETag>whole</ETag></R>"))
      }, "arrival")
      const parts = [
        { number: 1, etag: '"0123456789ABCDEF"' },
        { number: 2, etag: "a&<b>]]>c" }
      ]
      yield* client.complete({ key: "k", uploadId: "U", parts })
      assert.deepStrictEqual(sent.match(/<Part>.*<\/Part>/g), [
        '<Part><PartNumber>1</PartNumber><ETag>"0123456789ABCDEF"</ETag></Part>',
        "<Part><PartNumber>2</PartNumber><ETag>a&#38;&#60;b&#62;]]&#62;c</ETag></Part>"
      ])
    })
  )

  it.effect("leaves the options that it was given as they are", () =>
    Effect.gen(function* () {
      const { client } = yield* against(() => stored)
      const options = { headers: { "Cache-Control": "no-cache" }, meta: { a: "1" } }
      const before = structuredClone(options)
      yield* client.put({ key: "k", body: bytes(1), options })
      assert.deepStrictEqual(options, before)
    })
  )

  const unsendable = [
    ["a line break in metadata", { meta: { a: "x\ny" } }],
    ["a reserved header", { headers: { Host: "elsewhere" } }],
    ["a name that is none", { meta: { "a:b": "1" } }]
  ] as const
  it.effect.each(unsendable)("with %s is refused before anything is sent", ([, options]) =>
    Effect.gen(function* () {
      const { client, server } = yield* against(() => stored)
      const error = yield* Effect.flip(client.put({ key: "k", body: bytes(1), options }))
      assert.deepStrictEqual([error.reason._tag, error.status], ["Rejected", undefined])
      assert.strictEqual(server.requests.length, 0)
    })
  )

  it.effect(
    "for a key that can't be carried is refused before anything is sent, by each method",
    () =>
      Effect.gen(function* () {
        const { client, server } = yield* against(() => stored)
        for (const key of ["", "a/../b", "/a"]) {
          const { reason } = yield* Effect.flip(client.put({ key, body: bytes(1) }))
          assert.strictEqual(reason._tag, "Rejected")
        }
        assert.strictEqual(server.requests.length, 0)
      })
  )
})

describe("a connection", () => {
  it.effect("that is kept alive is used again, but not after an early answer", () =>
    Effect.gen(function* () {
      const server = yield* serve(() => stored)
      const client = yield* clientTo(server.url, {}, keepAlive)
      yield* Effect.repeat(client.uploadPart(part(bytes(MiB))), { times: 4 })
      assert.strictEqual(server.accepted(), 1)
      const stubborn = yield* serve(() => refusal(403, "AccessDenied"), "arrival")
      const other = yield* clientTo(stubborn.url, {}, keepAlive)
      const errors = yield* Effect.forEach([1, 2, 3], () =>
        Effect.flip(other.uploadPart(part(bytes(64 * MiB))))
      )
      assert.deepStrictEqual(
        errors.map(({ reason }) => reason._tag),
        ["AccessDenied", "AccessDenied", "AccessDenied"]
      )
      yield* until(() => stubborn.connections() === 0)
    })
  )

  it.effect("that is refused is a transport error that names the address", () =>
    Effect.gen(function* () {
      const client = yield* clientTo("http://127.0.0.1:1")
      const error = yield* Effect.flip(client.uploadPart(part(bytes(MiB))))
      assert.strictEqual(error.reason._tag, "Transport")
      assert.include(error.message, "ECONNREFUSED 127.0.0.1:1")
      assert.isUndefined(error.status)
    })
  )

  it.live("to a host that doesn't exist is a transport error that names the host", () =>
    Effect.gen(function* () {
      const client = yield* clientTo("http://nowhere.test", { pathStyle: true })
      const error = yield* Effect.flip(client.head("k"))
      assert.strictEqual(error.reason._tag, "Transport")
      assert.match(error.message, /(ENOTFOUND|EAI_AGAIN) nowhere\.test/)
    })
  )

  it.effect("that is reset before the answer is a transport error", () =>
    Effect.gen(function* () {
      const { client } = yield* against((_, response) => void response.socket?.destroy())
      for (const verb of Object.values(verbs(client))) {
        const { reason } = yield* Effect.flip(verb)
        assert.strictEqual(reason._tag, "Transport")
        assert.match(reason._tag === "Transport" ? reason.description : "", /ECONNRESET/)
      }
    })
  )

  it.effect("that breaks in the middle of the answer is a transport error", () =>
    Effect.gen(function* () {
      const { client } = yield* against((_, response) => {
        response.writeHead(200, { "content-length": "1000" }).write("<half")
        setImmediate(() => response.socket?.destroy())
      })
      const error = yield* Effect.flip(client.initiate("k"))
      assert.strictEqual(error.reason._tag, "Transport")
      assert.include(error.message, "the answer broke off")
    })
  )
})
