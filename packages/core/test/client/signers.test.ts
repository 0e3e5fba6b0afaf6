/** ali-oss as a second witness: what our own signer makes is what ali-oss makes, byte by byte. */
import { assert, describe, it } from "@effect/vitest"
import AliOss from "ali-oss"
import { Arbitrary, Effect, Redacted, Result, Schema } from "effect"
import { resolve } from "../../src/internal/client/endpoint.ts"
import * as Request from "../../src/internal/client/request.ts"
import * as Hmac from "../../src/internal/client/hmacSigner.ts"
import type { Keys } from "../../src/internal/client/signer.ts"
import * as WebCrypto from "../../src/internal/client/webCryptoSigner.ts"
import type { Credentials } from "../../src/OssCredentials.ts"

const connection = Result.getOrThrow(
  resolve({ bucket: "bucket", region: "cn-beijing", requestPayer: true, trafficLimit: 819_200 })
)

const secrets = { accessKeyId: "test-id", accessKeySecret: "test-secret" }
const credentials: Credentials = {
  accessKeyId: secrets.accessKeyId,
  accessKeySecret: Redacted.make(secrets.accessKeySecret),
  securityToken: Redacted.make("token+/=")
}

const keysOf = (current: () => Credentials): Keys => ({
  current: () => Effect.sync(current),
  expired: () => Effect.void,
  unknown: () => Effect.succeed(false)
})

const hashes = Hmac.hashModule()!
const { subtle } = globalThis.crypto

const signers = [
  ["node:crypto", (keys: Keys) => Hmac.make(connection, keys, hashes)],
  ["Web Crypto", (keys: Keys) => WebCrypto.make(connection, keys, subtle)]
] as const

interface Methods {
  readonly authorizationV4: (
    method: string,
    request: { readonly headers: object; readonly queries: object },
    bucket: string,
    key: string | undefined
  ) => string
}

const theirs: Methods = Object(
  new AliOss({ ...secrets, bucket: "bucket", region: "oss-cn-beijing" })
)

const day = 86_400_000
const texts = Schema.Struct({
  key: Schema.String,
  text: Schema.String,
  uploadId: Schema.NonEmptyString,
  number: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 })),
  time: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100_000 * day }))
})

describe.each(signers)("the signer of %s", (_, signerOf) => {
  it.effect("signs any request as ali-oss does", () =>
    Effect.gen(function* () {
      const signer = signerOf(keysOf(() => credentials))
      let compared = 0
      const result = yield* Arbitrary.checkEffect(
        Arbitrary.schema(texts),
        Effect.fnUntraced(function* ({ key, text, uploadId, number, time }) {
          const options = { meta: { text }, tagging: { [text]: text }, mime: `a/b; c="${text}"` }
          const made = [
            Request.initiate(connection, key, options),
            Request.uploadPart(connection, key, uploadId, number, number),
            Request.listParts(connection, key, uploadId, number),
            Request.complete(connection, key, uploadId, [], { forbidOverwrite: true }),
            Request.abort(connection, key, uploadId),
            Request.listUploads(connection, text, { key: text, uploadId }),
            Request.head(connection, key),
            Request.put(connection, key, number, options),
            Request.listObjects(connection, text, "/", text),
            Request.remove(connection, key)
          ]
          for (const request of made.filter(Result.isSuccess)) {
            const { method, query, key } = request.success
            const { headers } = yield* signer.sign(request.success, time)
            const { authorization, ...signed } = headers
            const expected = theirs.authorizationV4(
              method,
              { headers: signed, queries: query },
              "bucket",
              key
            )
            if (authorization !== expected) return false
            compared++
          }
          return true
        }),
        { runs: 250, seed: 1 }
      )
      assert.strictEqual(result._tag, "Passed", JSON.stringify(result))
      assert.isAbove(compared, 800)
    })
  )
})

describe("a day's key", () => {
  const request = Result.getOrThrow(Request.head(connection, "k"))

  it.effect("is derived once by node:crypto, and anew for another day or other credentials", () =>
    Effect.gen(function* () {
      let derived = 0
      const counting: Hmac.HashModule = {
        ...hashes,
        createSecretKey: (bytes) => {
          derived++
          return hashes.createSecretKey(bytes)
        }
      }
      let current = credentials
      const signer = Hmac.make(
        connection,
        keysOf(() => current),
        counting
      )
      const derivedAt = (time: number) =>
        Effect.suspend(() => {
          const before = derived
          return Effect.map(signer.sign(request, time), () => derived - before)
        })
      assert.deepStrictEqual(
        [yield* derivedAt(0), yield* derivedAt(day - 1), yield* derivedAt(day)],
        [5, 0, 5]
      )
      current = { ...credentials }
      assert.strictEqual(yield* derivedAt(day), 5)
    })
  )

  it.effect("is imported once by Web Crypto, and anew for another day or other credentials", () =>
    Effect.gen(function* () {
      let imports = 0
      const counting: typeof subtle = new Proxy(subtle, {
        get: (target, name) => {
          if (name === "importKey") imports++
          const method = Reflect.get(target, name)
          return typeof method === "function" ? method.bind(target) : method
        }
      })
      let current = credentials
      const signer = WebCrypto.make(
        connection,
        keysOf(() => current),
        counting
      )
      const importsOf = (time: number) =>
        Effect.suspend(() => {
          const before = imports
          return Effect.map(signer.sign(request, time), () => imports - before)
        })
      assert.deepStrictEqual(
        [yield* importsOf(0), yield* importsOf(day - 1), yield* importsOf(day)],
        [5, 0, 5]
      )
      current = { ...credentials }
      assert.strictEqual(yield* importsOf(day), 5)
    })
  )
})
