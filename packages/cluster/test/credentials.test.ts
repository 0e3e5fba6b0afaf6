/** Keys of runners that come from a service. */
import { assert, describe, it } from "@effect/vitest"
import { Buckets, UploadRunner } from "@effect-oss/cluster"
import type { OssCredentials } from "@effect-oss/core"
import { ConfigProvider, Data, Effect, Fiber, FileSystem, Layer, Redacted } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import { TestClock } from "effect/testing"

const environment = ConfigProvider.layer(
  ConfigProvider.fromEnv({ env: { OSS_REGION: "cn-hangzhou" } })
)

const world = Layer.mergeAll(
  Layer.succeed(
    HttpClient.HttpClient,
    HttpClient.make((request) => {
      const headers = { "x-oss-request-id": "5F0" }
      return Effect.succeed(
        HttpClientResponse.fromWeb(request, new Response("", { status: 404, headers }))
      )
    })
  ),
  environment,
  FileSystem.layerNoop({})
)

const keys: OssCredentials.Credentials = {
  accessKeyId: "STS.1",
  accessKeySecret: Redacted.make("s"),
  securityToken: Redacted.make("t")
}

class Failed extends Data.TaggedError("Failed")<{ readonly isRetryable: boolean }> {
  readonly remedy = "set OSS_ACCESS_KEY_ID"
  override readonly message = "no credentials were found: ~/.aliyun/config.json doesn't exist"
}

const bucketsWith = <E>(credentials: Effect.Effect<OssCredentials.Credentials, E>) =>
  Layer.provideMerge(Buckets.layerConfig({ credentials }), world)

const ready = UploadRunner.preflight({ roots: ["https://mirror.example/"] })

describe("the keys of a runner", () => {
  it.effect("are asked for once, for the clients of all buckets and the preflight", () => {
    let asked = 0
    return Effect.gen(function* () {
      yield* ready
      const { client } = yield* Buckets.Buckets
      for (const bucket of ["first", "second"]) {
        yield* Effect.ignore((yield* client(bucket)).head("k"))
      }
      assert.strictEqual(asked, 1)
    }).pipe(
      Effect.scoped,
      Effect.provide(
        bucketsWith(
          Effect.sync(() => {
            asked++
            return keys
          })
        )
      )
    )
  })

  it.effect("are asked for once more if OSS says that they have expired, young as they are", () => {
    let asked = 0
    const signedWith: Array<string> = []
    const oss = Layer.succeed(
      HttpClient.HttpClient,
      HttpClient.make((request) => {
        const [, key = ""] = /Credential=([^/]*)/.exec(request.headers["authorization"] ?? "") ?? []
        signedWith.push(key)
        const headers = { "x-oss-request-id": "5F0", "content-type": "application/xml" }
        const body =
          "<Error><Code>SecurityTokenExpired</Code><Message>expired</Message><RequestId>5F0</RequestId></Error>"
        return Effect.succeed(
          HttpClientResponse.fromWeb(
            request,
            key === "STS.1"
              ? new Response(body, { status: 403, headers })
              : new Response("<ListPartsResult/>", { status: 200, headers })
          )
        )
      })
    )
    const credentials = Effect.sleep("1 second").pipe(
      Effect.map(() => ({ ...keys, accessKeyId: `STS.${++asked}` }))
    )
    return Effect.gen(function* () {
      const { client } = yield* Buckets.Buckets
      const clients = [yield* client("first"), yield* client("second")]
      const all = Effect.forEach(
        [...clients, ...clients, ...clients, ...clients],
        (client) => Effect.exit(client.listParts({ key: "k", uploadId: "u" })),
        { concurrency: "unbounded" }
      )
      for (const round of [1, 2]) {
        const fiber = yield* Effect.forkChild(all)
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(fiber)
        assert.strictEqual(asked, round)
        assert.deepStrictEqual(
          signedWith.splice(0),
          Array.from({ length: 8 }, () => `STS.${round}`)
        )
      }
    }).pipe(
      Effect.scoped,
      Effect.provide(Buckets.layerConfig({ credentials }).pipe(Layer.provide([oss, environment])))
    )
  })

  it.effect("are missed before work is taken, with what was tried and what to do", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(ready)
      assert.include(error.message, "~/.aliyun/config.json doesn't exist")
      assert.include(error.message, "set OSS_ACCESS_KEY_ID")
    }).pipe(Effect.provide(bucketsWith(Effect.fail(new Failed({ isRetryable: false })))))
  )

  it.effect("are waited for by the uploads if their service is away", () =>
    Effect.provide(ready, bucketsWith(Effect.fail(new Failed({ isRetryable: true }))))
  )
})
