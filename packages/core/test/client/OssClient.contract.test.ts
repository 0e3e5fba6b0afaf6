import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { OssEmulator } from "@effect-oss/emulator"
import AliOss from "ali-oss"
import { Arbitrary, Effect, Layer, Redacted, Result, Schema } from "effect"
import type { HttpClient } from "effect/http"
import * as Body from "../../src/Body.ts"
import * as ObjectKey from "../../src/internal/objectKey.ts"
import * as OssClient from "../../src/OssClient.ts"
import { ossClientContract, ossClientLaws } from "../support/OssClientContract.ts"
import { clientTo, type Received, serve } from "../support/OssClientServer.ts"
import { verify } from "../../../emulator/src/internal/signature/verify.ts"
import * as Router from "../../../emulator/src/internal/wire/router.ts"

const secret = { accessKeyId: "test-id", accessKeySecret: "test-secret" }
const temporary = {
  accessKeyId: "STS.test-id",
  accessKeySecret: "other-secret",
  securityToken: "token"
}

const keysOf = (credential: typeof secret & { readonly securityToken?: string }) => ({
  accessKeyId: credential.accessKeyId,
  accessKeySecret: Redacted.make(credential.accessKeySecret),
  securityToken:
    credential.securityToken === undefined ? undefined : Redacted.make(credential.securityToken)
})

/** An emulator that checks signatures, and a client of it. */
const world = (
  make: (endpoint: string) => Layer.Layer<OssClient.OssClient, unknown, HttpClient.HttpClient>
) =>
  Layer.unwrap(Effect.map(OssEmulator.OssEmulator, ({ url }) => make(url))).pipe(
    Layer.provideMerge(OssEmulator.layer({ credentials: [secret, temporary] })),
    Layer.provide(NodeHttpClient.layerNodeHttp)
  )

const bucket = "test-bucket"

const overHttp = (options: Partial<OssClient.Options> = {}) =>
  world((endpoint) =>
    OssClient.layer({ bucket, endpoint, credentials: keysOf(secret), ...options })
  )

const byWebCrypto = (options: Partial<OssClient.Options> = {}) =>
  world((endpoint) =>
    OssClient.layerWebCrypto({ bucket, endpoint, credentials: keysOf(secret), ...options })
  )

/** Its published types lack the path style. */
const aliOss = (options: Partial<AliOss.Options>) => {
  const all = { ...secret, bucket, sldEnable: true, ...options }
  return new AliOss(all)
}

/** Signed by a client of the user's own. */
const byTheirs = (options: Partial<AliOss.Options>) =>
  world((url) => {
    const endpoint = url.replace("127.0.0.1", "localhost")
    return OssClient.fromAliOss(aliOss({ endpoint, ...options }))
  })

const presigned = world((url) => {
  const endpoint = url.replace("127.0.0.1", "localhost")
  const oss = aliOss({ endpoint, region: "oss-cn-hangzhou" })
  return OssClient.layerPresigned({
    bucket,
    endpoint,
    sign: ({ method, key = "", query, headers }) =>
      Effect.promise(() =>
        oss.signatureUrlV4(
          method as AliOss.HTTPMethods,
          60,
          { headers: { ...headers }, queries: { ...query } },
          key
        )
      )
  })
})

ossClientContract("the fake", OssEmulator.layerClient(), true)
ossClientContract("signed with V4, bucket in the host", overHttp({ pathStyle: false }), false)
ossClientContract(
  "signed by ali-oss with V1, bucket in the path",
  overHttp({ signature: "v1" }),
  false
)
ossClientContract("signed by Web Crypto", byWebCrypto(), false)
ossClientLaws("signed by somebody else", presigned)
ossClientLaws(
  "signed by a client of the user's own",
  byTheirs({ authorizationV4: true, region: "oss-cn-hangzhou" })
)

describe("a signature", () => {
  const variants = (["v4", "v1"] as const).flatMap((signature) =>
    [false, true].flatMap((pathStyle) =>
      [secret, temporary].map((credential) => ({
        signature,
        pathStyle,
        credentials: keysOf(credential)
      }))
    )
  )
  it.effect.each(variants)("is accepted: %o", (options) =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const body = Body.fromBytes(new Uint8Array(10))
      yield* client.put({ key: "a b/中.txt", body, options: { meta: { note: "grüße, 中 voilà" } } })
      const { uploadId } = yield* client.initiate("k", { tagging: { "a b": "中" } })
      yield* client.listParts({ key: "k", uploadId, after: 3 })
      yield* client.listUploads({ prefix: "k+'", after: { key: "k", uploadId } })
      yield* client.abort({ key: "k", uploadId })
      assert.strictEqual((yield* client.head("a b/中.txt")).size, 10)
      yield* client.listObjects({ prefix: "k+'", delimiter: "/", after: "k+' 中" })
      yield* client.delete("a b/中.txt")
    }).pipe(Effect.provide(overHttp(options)))
  )

  it.effect.each(variants.filter(({ signature }) => signature === "v4"))(
    "of Web Crypto is accepted: %o",
    (options) =>
      Effect.gen(function* () {
        const client = yield* OssClient.OssClient
        const body = Body.fromBytes(new Uint8Array(10))
        yield* client.put({
          key: "a b/中.txt",
          body,
          options: { meta: { note: "grüße, 中 voilà" } }
        })
        assert.strictEqual((yield* client.head("a b/中.txt")).size, 10)
      }).pipe(Effect.provide(byWebCrypto(options)))
  )

  it.effect("with a wrong secret is refused, also to HEAD", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      for (const call of [Effect.asVoid(client.head("k")), Effect.asVoid(client.initiate("k"))]) {
        const error = yield* Effect.flip(call)
        assert.deepStrictEqual(
          [error.reason._tag, error.code],
          ["AccessDenied", "SignatureDoesNotMatch"]
        )
      }
    }).pipe(
      Effect.provide(overHttp({ credentials: keysOf({ ...secret, accessKeySecret: "wrong" }) }))
    )
  )

  const texts = Schema.Struct({ key: Schema.String, prefix: Schema.String, note: Schema.String })
  it.effect.each([["v4" as const], ["v1" as const]])(
    "by %s covers any key, prefix and metadata, as the bytes that arrive",
    ([signature]) =>
      Effect.gen(function* () {
        let accepted = 0
        const server = yield* serve((request) => {
          const head = { method: request.method, url: request.url, headers: utf8(request.headers) }
          const checked = Result.flatMap(Router.route(head), (route) =>
            verify({ ...head, ...route }, [secret], 0)
          )
          if (Result.isSuccess(checked)) accepted++
          return { body: "<R><UploadId>U</UploadId><IsTruncated>false</IsTruncated></R>" }
        })
        const client = yield* clientTo(server.url, { signature, credentials: keysOf(secret) })
        const property = Arbitrary.checkEffect(
          Arbitrary.schema(texts),
          Effect.fnUntraced(function* ({ key, prefix, note }) {
            if (Result.isFailure(ObjectKey.validate(key)) || /\p{Surrogate}/u.test(prefix))
              return true
            const text = note.replaceAll(/\p{Cc}|\p{Surrogate}/gu, "")
            const before = accepted
            yield* client.initiate(key, { meta: { note: text }, tagging: { [text]: text } })
            yield* client.listUploads({ prefix, after: { key, uploadId: "U" } })
            return accepted === before + 2
          }),
          { runs: 150, seed: 1 }
        )
        const result = yield* property
        assert.strictEqual(result._tag, "Passed", JSON.stringify(result))
        assert.isAbove(accepted, 150)
      })
  )
})

/** Node reads header values as Latin-1; OSS takes and signs their bytes as UTF-8. */
const utf8 = (headers: Received["headers"]): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Buffer.from(String(value), "latin1").toString("utf8")
    ])
  )
