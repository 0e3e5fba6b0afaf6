/** Connections that can't be: each is final at the first attempt, and says what to do. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createServer as createTlsServer } from "node:https"
import { createServer } from "node:net"
import type { AddressInfo, Server } from "node:net"
import { clientTo, serve } from "../../core/test/support/OssClientServer.ts"
import { type Layer } from "effect"
import type { HttpClient } from "effect/http"
import { NodeOssHttp } from "../src/index.ts"
import * as Certificates from "./certificates.ts"

const portOf = (server: Server) =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        resume(Effect.succeed(port))
      })
    }),
    () => Effect.sync(() => server.close())
  )

const secure = (certificate: Certificates.Certificate) =>
  portOf(
    createTlsServer(certificate, (_, response) => {
      response.writeHead(200, { etag: '"E"', "content-length": "5" }).end()
    })
  )

const headOf = (
  endpoint: string,
  http: Layer.Layer<HttpClient.HttpClient>,
  options: { readonly pathStyle?: boolean } = {}
) => Effect.flatMap(clientTo(endpoint, options, http), (client) => client.head("k"))

const trusting = ({ cert }: Certificates.Certificate) => NodeOssHttp.layer({ ca: cert })

describe("an HTTPS endpoint at an IP address", () => {
  it.live("is checked against that address", () =>
    Effect.gen(function* () {
      const port = yield* secure(Certificates.address)
      for (const pathStyle of [true, false]) {
        const { etag } = yield* headOf(
          `https://127.0.0.1:${port}`,
          trusting(Certificates.address),
          { pathStyle }
        )
        assert.strictEqual(etag, '"E"')
      }
    }).pipe(Effect.scoped)
  )

  it.live("is not believed for the name in the header Host", () =>
    Effect.gen(function* () {
      const port = yield* secure(Certificates.name)
      for (const pathStyle of [true, false]) {
        const head = headOf(`https://127.0.0.1:${port}`, trusting(Certificates.name), { pathStyle })
        const { reason, remedy } = yield* Effect.flip(head)
        assert.strictEqual(reason._tag, "Misconnected")
        assert.include(remedy, "endpoint that the certificate names")
      }
    }).pipe(Effect.scoped)
  )
})

describe("a certificate", () => {
  it.live("that nobody vouches for is refused for good, with the variable that trusts it", () =>
    Effect.gen(function* () {
      const port = yield* secure(Certificates.address)
      const error = yield* Effect.flip(headOf(`https://127.0.0.1:${port}`, NodeOssHttp.layer()))
      assert.strictEqual(error.reason._tag, "Misconnected")
      assert.isFalse(error.isRetryable)
      assert.include(error.remedy, "NODE_EXTRA_CA_CERTS")
    }).pipe(Effect.scoped)
  )

  it.live("that has expired is refused for good", () =>
    Effect.gen(function* () {
      const port = yield* secure(Certificates.old)
      const error = yield* Effect.flip(
        headOf(`https://127.0.0.1:${port}`, trusting(Certificates.old))
      )
      assert.strictEqual(error.reason._tag, "Misconnected")
      assert.include(error.remedy, "renewed")
    }).pipe(Effect.scoped)
  )
})

describe("a scheme", () => {
  it.live("with TLS, of a server that speaks none, is refused in words", () =>
    Effect.gen(function* () {
      const server = yield* serve(() => ({ status: 200 }))
      const error = yield* Effect.flip(
        headOf(server.url.replace("http:", "https:"), NodeOssHttp.layer())
      )
      assert.strictEqual(error.reason._tag, "Misconnected")
      assert.include(error.remedy, "with http://")
    }).pipe(Effect.scoped)
  )

  it.live("without TLS, of a server that speaks it, is refused in words", () =>
    Effect.gen(function* () {
      // What OpenSSL answers to plain text: the alert "unexpected message".
      const alert = Buffer.from([0x15, 0x03, 0x01, 0, 2, 2, 10])
      const port = yield* portOf(createServer((socket) => socket.end(alert)))
      const error = yield* Effect.flip(headOf(`http://127.0.0.1:${port}`, NodeOssHttp.layer()))
      assert.strictEqual(error.reason._tag, "Misconnected")
      assert.include(error.remedy, "with https://")
    }).pipe(Effect.scoped)
  )
})
