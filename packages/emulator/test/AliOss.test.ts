import { Crc64 } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { assert, describe, it } from "@effect/vitest"
import type OSS from "ali-oss"
import { Effect, Option } from "effect"
import {
  aliOss,
  type AliOssOptions,
  bucket,
  bytesOf,
  credential,
  rejection,
  withServer
} from "./support.ts"

/** Ways to address and to sign; all must behave the same. */
const styles: ReadonlyArray<{
  readonly name: string
  readonly client: (url: string, options?: AliOssOptions) => OSS
}> = [
  { name: "V1, host style", client: (url, options) => aliOss(url, options) },
  {
    name: "V4, host style",
    client: (url, options) => aliOss(url, { authorizationV4: true, ...options })
  },
  {
    name: "V1, path style",
    client: (url, options) => aliOss(atLocalhost(url), { sldEnable: true, ...options })
  },
  {
    name: "V4, path style",
    client: (url, options) =>
      aliOss(atLocalhost(url), { sldEnable: true, authorizationV4: true, ...options })
  }
]

const atLocalhost = (url: string) => url.replace("127.0.0.1", "localhost")

const keys = ["plain.txt", "a/b c/d+e.txt", "中文/ключ/😀", "100%/%2F?&=#'()*!~", "x".repeat(1023)]

for (const { name, client: connect } of styles) {
  describe(name, () => {
    it.live.each(keys)("an object named %s is put, read, described, listed and deleted", (key) =>
      Effect.gen(function* () {
        const client = connect((yield* OssEmulator.OssEmulator).url)
        const content = Buffer.from("hello")
        yield* Effect.promise(() => client.put(key, content, { meta: { uid: 1, pid: 2 } }))
        const got = yield* Effect.promise(() => client.get(key))
        assert.deepStrictEqual(got.content, content)
        const head = yield* Effect.promise(() => client.head(key))
        assert.deepStrictEqual(head.meta, { uid: "1", pid: "2" } as never)
        assert.strictEqual(
          Reflect.get(head.res.headers, "x-oss-hash-crc64ecma"),
          String(Crc64.of(content))
        )
        const listed = yield* Effect.promise(() => client.listV2({ prefix: key }, {}))
        assert.deepStrictEqual(
          listed.objects.map((object) => object.name),
          [key]
        )
        yield* Effect.promise(() => client.delete(key))
        const error = yield* rejection(() => client.get(key))
        assert.strictEqual(error["code"], "NoSuchKey")
      }).pipe(withServer())
    )

    it.live("an upload in parts that fails carries on from its checkpoint", () =>
      Effect.gen(function* () {
        const emulator = yield* OssEmulator.OssEmulator
        const client = connect(emulator.url)
        const content = Buffer.from(bytesOf(5 * 102_400 + 7))
        const fractions: Array<number> = []
        let checkpoint: OSS.Checkpoint | undefined
        const upload = () =>
          client.multipartUpload("big.bin", content, {
            partSize: 102_400,
            parallel: 1,
            ...(checkpoint && { checkpoint }),
            progress: async (fraction, cpt: OSS.Checkpoint | undefined) => {
              fractions.push(fraction)
              if (cpt !== undefined) checkpoint = JSON.parse(JSON.stringify({ ...cpt, file: null }))
              if (checkpoint !== undefined) checkpoint = { ...checkpoint, file: content }
            }
          })
        yield* emulator.inject(Fault.answer({ partNumber: 4, status: 500, code: "InternalError" }))
        const error = yield* rejection(upload)
        assert.strictEqual(error["status"], 500)
        assert.lengthOf((yield* emulator.uploads(bucket))[0]?.parts ?? [], 3)
        const result = yield* Effect.promise(upload)
        assert.match(result.etag, /^"[0-9A-F]{32}-6"$/)
        assert.deepStrictEqual(fractions.at(-1), 1)
        const object = Option.getOrThrow(yield* emulator.object(bucket, "big.bin"))
        assert.strictEqual(object.crc64, Crc64.of(content))
        const sent = (yield* emulator.log).filter(({ operation }) => operation === "uploadPart")
        assert.deepStrictEqual(
          sent.map(({ partNumber }) => partNumber),
          [1, 2, 3, 4, 4, 5, 6]
        )
      }).pipe(withServer())
    )

    it.live("metadata may be in any script: on the wire it is UTF-8", () =>
      Effect.gen(function* () {
        const emulator = yield* OssEmulator.OssEmulator
        const client = connect(emulator.url, { headerEncoding: "latin1" })
        const headers = { "x-oss-meta-owner": "中文 é" }
        yield* Effect.promise(() => client.put("k", Buffer.from("x"), { headers }))
        const object = Option.getOrThrow(yield* emulator.object(bucket, "k"))
        assert.strictEqual(object.headers["x-oss-meta-owner"], "中文 é")
        const { meta } = yield* Effect.promise(() => client.head("k"))
        const owner = Buffer.from(String(Reflect.get(meta ?? {}, "owner")), "latin1")
        assert.strictEqual(owner.toString(), "中文 é")
      }).pipe(withServer())
    )

    it.live("a wrong secret is refused", () =>
      Effect.gen(function* () {
        const client = connect((yield* OssEmulator.OssEmulator).url)
        const error = yield* rejection(() => client.put("k", Buffer.from("x")))
        assert.deepStrictEqual([error["code"], error["status"]], ["SignatureDoesNotMatch", 403])
      }).pipe(withServer({ credentials: [{ ...credential, accessKeySecret: "another" }] }))
    )
  })
}
