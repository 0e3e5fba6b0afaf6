/** Proxies as the environment names them, against one out of npm. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { Server } from "proxy-chain"
import { clientTo, serve } from "../../core/test/support/OssClientServer.ts"
import * as Body from "@effect-oss/core/Body"
import { NodeOssHttp } from "../src/index.ts"
import { canProxy, proxyFor } from "../src/internal/proxy.ts"
import * as Certificates from "./certificates.ts"
import { toThisMachine } from "./thisMachine.ts"

const stored = { headers: { etag: '"E"', "x-oss-request-id": "5F0" } }

/** Knows this machine as `oss.test`, and lets in who has the password. */
const proxy = Effect.acquireRelease(
  Effect.promise(async () => {
    const targets: Array<string> = []
    const server = new Server({
      port: 0,
      host: "127.0.0.1",
      prepareRequestFunction: ({ username, password, hostname, port }) => {
        targets.push(`${hostname}:${port}`)
        return {
          requestAuthentication: username !== "me" || password !== "p@ss",
          dnsLookup: toThisMachine
        }
      }
    })
    await server.listen()
    return { server, targets, address: `127.0.0.1:${server.port}` }
  }),
  ({ server }) => Effect.promise(() => server.close(true))
)

const variables = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"]
const names = [...variables, ...variables.map((name) => name.toLowerCase())]

/** The environment has these proxies, and no others, until the scope closes. */
const environment = (env: Readonly<Record<string, string>>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = Object.fromEntries(names.map((name) => [name, process.env[name]]))
      for (const name of names) delete process.env[name]
      Object.assign(process.env, env)
      return before
    }),
    (before) =>
      Effect.sync(() => {
        for (const name of names) {
          if (before[name] === undefined) delete process.env[name]
          else process.env[name] = before[name]
        }
      })
  )

const part = { key: "k", uploadId: "U", number: 1, body: Body.fromBytes(new Uint8Array(300_000)) }

describe("requests go through the proxy", () => {
  it.live.each([["HTTP_PROXY"], ["http_proxy"], ["ALL_PROXY"], ["all_proxy"]])(
    "that %s names, with user and password",
    ([name = ""]) =>
      Effect.gen(function* () {
        const { address, targets } = yield* proxy
        yield* environment({ [name]: `http://me:p%40ss@${address}` })
        const server = yield* serve(() => stored)
        const { port } = new URL(server.url)
        const endpoint = `http://oss.test:${port}`
        const client = yield* clientTo(endpoint, { pathStyle: true }, NodeOssHttp.layer())
        yield* client.uploadPart(part)
        yield* client.uploadPart(part)
        assert.deepStrictEqual(targets, [`oss.test:${port}`, `oss.test:${port}`])
        assert.strictEqual(server.requests[0]?.bytes, 300_000)
        assert.strictEqual(server.requests[0]?.headers.host, `oss.test:${port}`)
        assert.notProperty(server.requests[0]?.headers, "proxy-authorization")
      }).pipe(Effect.scoped)
  )

  it.live("that HTTPS_PROXY names, by a tunnel that is used again", () =>
    Effect.gen(function* () {
      const { address, targets } = yield* proxy
      yield* environment({ HTTPS_PROXY: `http://me:p%40ss@${address}` })
      const server = createServer(Certificates.name, (request, response) => {
        request.resume().on("end", () => response.writeHead(200, stored.headers).end())
      })
      yield* Effect.acquireRelease(
        Effect.callback<void>((resume) => {
          server.listen(0, "127.0.0.1", () => resume(Effect.void))
        }),
        () => Effect.sync(() => server.close())
      )
      const { port } = server.address() as AddressInfo
      const client = yield* clientTo(
        `https://oss-cn-hangzhou.aliyuncs.com:${port}`,
        {},
        NodeOssHttp.layer({ ca: Certificates.name.cert })
      )
      yield* client.uploadPart(part)
      yield* client.uploadPart(part)
      assert.deepStrictEqual(targets, [`bucket.oss-cn-hangzhou.aliyuncs.com:${port}`])
    }).pipe(Effect.scoped)
  )

  it.live.each([["http"], ["https"]])(
    "and say that it wants a password, over %s",
    ([scheme = ""]) =>
      Effect.gen(function* () {
        const { address } = yield* proxy
        yield* environment({ ALL_PROXY: `http://me:wrong@${address}` })
        const endpoint = `${scheme}://oss.test`
        const client = yield* clientTo(endpoint, { pathStyle: true }, NodeOssHttp.layer())
        for (const verb of [client.uploadPart(part), client.head("k")]) {
          const error = yield* Effect.flip<unknown, Error & { remedy?: string }, never>(verb)
          assert.include(error.message, "407")
          assert.include(error.remedy, "HTTPS_PROXY=http://user:password@")
          assert.notInclude(error.message, "wrong")
        }
      }).pipe(Effect.scoped)
  )

  it.live("that the layer is given, whatever the environment says", () =>
    Effect.gen(function* () {
      const { address, targets } = yield* proxy
      yield* environment({ NO_PROXY: "*", HTTP_PROXY: "http://127.0.0.1:1" })
      const server = yield* serve(() => stored)
      const http = NodeOssHttp.layer({ proxy: `http://me:p%40ss@${address}` })
      const client = yield* clientTo(server.url, {}, http)
      yield* client.head("k").pipe(Effect.ignore)
      assert.strictEqual(targets.length, 1)
      const direct = yield* clientTo(server.url, {}, NodeOssHttp.layer({ proxy: false }))
      yield* direct.head("k").pipe(Effect.ignore)
      assert.strictEqual(targets.length, 1)
    }).pipe(Effect.scoped)
  )

  it.live("and fail for good, without telling its password, if its address is none", () =>
    Effect.gen(function* () {
      yield* environment({ HTTP_PROXY: "socks5://me:s3cret@a.test" })
      const client = yield* clientTo("http://oss.test", {}, NodeOssHttp.layer())
      const error = yield* Effect.flip(client.head("k"))
      assert.strictEqual(error.reason._tag, "Misconnected")
      assert.include(error.remedy, "http://proxy:3128")
      assert.notInclude(error.message, "s3cret")
    }).pipe(Effect.scoped)
  )
})

describe("the proxy of a URL", () => {
  it("needs a Node whose agents know proxies", () => {
    const versions = ["22.19.0", "22.21.0", "23.11.0", "24.4.1", "24.5.0", "26.0.0"]
    assert.deepStrictEqual(versions.filter(canProxy), ["22.21.0", "24.5.0", "26.0.0"])
  })

  const proxies = { HTTP_PROXY: "http://a:1", HTTPS_PROXY: "http://b:2", ALL_PROXY: "http://c:3" }
  const table: ReadonlyArray<readonly [string, Record<string, string>, string | undefined]> = [
    ["http://oss.test/", proxies, "http://a:1"],
    ["https://oss.test/", proxies, "http://b:2"],
    ["https://oss.test/", { ALL_PROXY: "http://c:3" }, "http://c:3"],
    ["https://oss.test/", { https_proxy: "http://d:4", HTTPS_PROXY: "http://b:2" }, "http://d:4"],
    ["https://oss.test/", { HTTP_PROXY: "http://a:1" }, undefined],
    ["https://oss.test/", { ...proxies, NO_PROXY: "oss.test" }, undefined],
    ["https://b.oss.test/", { ...proxies, NO_PROXY: "x,.oss.test" }, undefined],
    ["https://b.oss.test/", { ...proxies, no_proxy: "*.test" }, undefined],
    ["https://oss.test:8443/", { ...proxies, no_proxy: "oss.test:443" }, "http://b:2"],
    ["https://oss.test/", { ...proxies, no_proxy: "*" }, undefined],
    ["http://localhost:9000/", proxies, undefined],
    ["http://127.0.0.1:9000/", proxies, undefined],
    ["http://[::1]:9000/", proxies, undefined],
    // Of the metadata service: a proxy's machine would give its own role.
    ["http://100.100.100.200/latest/", proxies, undefined]
  ]
  it.effect.each(table)("%s, where the environment is %o", ([url, env, expected]) =>
    Effect.gen(function* () {
      yield* environment(env)
      assert.strictEqual(yield* proxyFor(new URL(url), undefined), expected)
    })
  )
})
