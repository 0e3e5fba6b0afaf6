import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Redacted } from "effect"
import * as OssClient from "../../src/OssClient.ts"
import { serve } from "../support/OssClientServer.ts"

const full = {
  OSS_BUCKET: "env-bucket",
  OSS_REGION: "cn-beijing",
  OSS_ACCESS_KEY_ID: "env-id",
  OSS_ACCESS_KEY_SECRET: "env-secret"
}

/** The client that `layerConfig` makes out of an environment. */
const configured = (
  env: Readonly<Record<string, string>>,
  given: Partial<OssClient.Options> = {}
) =>
  Effect.provide(
    OssClient.OssClient,
    OssClient.layerConfig(given).pipe(
      Layer.provide(NodeHttpClient.layerNodeHttp),
      Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
    )
  )

describe("the client that the environment describes", () => {
  const places: ReadonlyArray<
    readonly [string, Record<string, string>, Partial<OssClient.Options>, string, string]
  > = [
    ["its region", {}, {}, "env-bucket", "https://oss-cn-beijing.aliyuncs.com"],
    [
      "its endpoint",
      { OSS_ENDPOINT: "http://127.0.0.1:9" },
      {},
      "env-bucket",
      "http://127.0.0.1:9"
    ],
    [
      "the endpoint given",
      { OSS_ENDPOINT: "a.test" },
      { endpoint: "http://b.test" },
      "env-bucket",
      "http://b.test"
    ],
    [
      "the bucket and region given",
      {},
      { bucket: "given", region: "cn-hangzhou" },
      "given",
      "https://oss-cn-hangzhou.aliyuncs.com"
    ],
    [
      "no endpoint that is set to nothing",
      { OSS_ENDPOINT: "", OSS_PATH_STYLE: "" },
      {},
      "env-bucket",
      "https://oss-cn-beijing.aliyuncs.com"
    ]
  ]
  it.effect.each(places)("has %s", ([, env, given, bucket, endpoint]) =>
    Effect.gen(function* () {
      const client = yield* configured({ ...full, ...env }, given)
      assert.deepStrictEqual([client.bucket, client.endpoint], [bucket, endpoint])
    })
  )

  it.effect("signs with its keys, in the style that it says", () =>
    Effect.gen(function* () {
      const server = yield* serve(() => ({ status: 204 }))
      const client = yield* configured({
        ...full,
        OSS_ENDPOINT: server.url,
        OSS_PATH_STYLE: "true",
        OSS_SESSION_TOKEN: "env-token"
      })
      yield* client.abort({ key: "k", uploadId: "U" })
      const [request] = server.requests
      assert.strictEqual(request?.url, "/env-bucket/k?uploadId=U")
      assert.strictEqual(request?.headers["x-oss-security-token"], "env-token")
      assert.include(request?.headers.authorization, "Credential=env-id/")
    })
  )

  it.effect("has a domain of the bucket's own as endpoint if OSS_CNAME says so", () =>
    Effect.gen(function* () {
      const server = yield* serve(() => ({ status: 204 }))
      const client = yield* configured({ ...full, OSS_ENDPOINT: server.url, OSS_CNAME: "true" })
      yield* client.abort({ key: "k", uploadId: "U" })
      const [request] = server.requests
      assert.strictEqual(request?.url, "/k?uploadId=U")
      assert.strictEqual(request?.headers.host, new URL(server.url).host)
    })
  )

  const local = ["127.0.0.1", "localhost", "[::1]"]
  it.effect.each(local.map((host) => [host]))("has the bucket in the path at %s", ([host]) =>
    Effect.gen(function* () {
      const server = yield* serve(() => ({ status: 204 }))
      const endpoint = `http://${host}:${new URL(server.url).port}`
      const client = yield* configured({ ...full, OSS_ENDPOINT: endpoint })
      assert.strictEqual(client.endpoint, endpoint)
      if (host === "[::1]") return
      yield* client.abort({ key: "k", uploadId: "U" })
      assert.strictEqual(server.requests[0]?.url, "/env-bucket/k?uploadId=U")
    })
  )

  it.effect("needs no keys in the environment if they are given", () =>
    Effect.gen(function* () {
      const credentials = { accessKeyId: "id", accessKeySecret: Redacted.make("secret") }
      const client = yield* configured({}, { bucket: "given", region: "cn-beijing", credentials })
      assert.strictEqual(client.bucket, "given")
    })
  )

  const missing: ReadonlyArray<readonly [string, Record<string, string>]> = [
    ["OSS_BUCKET", { OSS_BUCKET: "" }],
    ["OSS_ACCESS_KEY_ID", { OSS_ACCESS_KEY_ID: "" }],
    ["OSS_ACCESS_KEY_SECRET", { OSS_ACCESS_KEY_SECRET: "" }],
    ["OSS_PATH_STYLE", { OSS_PATH_STYLE: "maybe" }],
    ["OSS_CNAME", { OSS_CNAME: "sometimes" }]
  ]
  it.effect.each(missing)("cannot be without a proper %s", ([name, env]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(configured({ ...full, ...env }))
      assert.strictEqual(error._tag, "ConfigError")
      assert.include(error.message, name)
      assert.notInclude(error.message, "env-secret")
    })
  )

  it.effect("must be somewhere", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(configured({ ...full, OSS_REGION: "" }))
      assert.strictEqual(error._tag, "InvalidRequest")
      assert.include(error.message, "neither a region nor an endpoint is given")
    })
  )
})
