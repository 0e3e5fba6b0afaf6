import { Crc64 } from "@effect-oss/core"
import { OssEmulator } from "@effect-oss/emulator"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { content, open, request, put, elementOf } from "./http.ts"
import { aliOss, bucket, rejection, withServer } from "./support.ts"

describe("lists", () => {
  it.live("objects come in pages, in both versions, with prefixes", () =>
    Effect.gen(function* () {
      const client = aliOss((yield* OssEmulator.OssEmulator).url)
      const keys = ["a", "b & <c>/1", "b & <c>/2", "d", "e"]
      for (const key of keys) yield* Effect.promise(() => client.put(key, Buffer.from("x")))
      const first = yield* Effect.promise(() => client.list({ "max-keys": 2, delimiter: "/" }, {}))
      const second = yield* Effect.promise(() =>
        client.list({ "max-keys": 10, delimiter: "/", marker: first.nextMarker }, {})
      )
      assert.deepStrictEqual(
        [first, second].map(({ objects, prefixes, isTruncated }) => [
          objects.map(({ name }) => name),
          prefixes,
          isTruncated
        ]),
        [
          [["a"], ["b & <c>/"], true],
          [["d", "e"], null, false]
        ] as never
      )
      const one = yield* Effect.promise(() => client.listV2({ "max-keys": "2" }, {}))
      const rest = yield* Effect.promise(() =>
        client.listV2(
          { "max-keys": "10", "continuation-token": Reflect.get(one, "nextContinuationToken") },
          {}
        )
      )
      assert.deepStrictEqual(
        [...one.objects, ...rest.objects].map(({ name }) => name),
        keys
      )
    }).pipe(withServer())
  )

  it.live("keys are percent-encoded if the client asks for it", () =>
    Effect.gen(function* () {
      yield* put("a%01b%20%2Bc/d", content)
      const { body } = yield* request(`${bucket}?encoding-type=url`)
      assert.strictEqual(elementOf(body, "Key"), "a%01b%20%2Bc/d")
    }).pipe(open)
  )

  it.live("ali-oss finds open uploads and their parts, and aborts them", () =>
    Effect.gen(function* () {
      const client = aliOss((yield* OssEmulator.OssEmulator).url)
      const ids: Array<string> = []
      for (const key of ["a", "b", "c"]) {
        const { uploadId } = yield* Effect.promise(() => client.initMultipartUpload(key))
        ids.push(uploadId)
      }
      const listed = yield* Effect.promise(() =>
        client.listUploads({ "max-uploads": 2, "key-marker": "a" }, {})
      )
      assert.deepStrictEqual(
        listed.uploads.map((upload) => Reflect.get(upload, "uploadId")),
        ids.slice(1)
      )
      const part = Buffer.from(content)
      for (const number of [2, 1]) {
        yield* Effect.promise(() =>
          client.uploadPart("a", ids[0] ?? "", number, part, 0, part.length)
        )
      }
      const { parts } = yield* Effect.promise(() =>
        client.listParts(
          "a",
          ids[0] ?? "",
          { "max-parts": 10, "part-number-marker": 1, "encoding-type": "url" },
          {}
        )
      )
      assert.deepInclude(parts as object, {
        PartNumber: "2",
        Size: "300000",
        HashCrc64ecma: String(Crc64.of(content))
      })
      yield* Effect.promise(() => client.abortMultipartUpload("a", ids[0] ?? ""))
      const error = yield* rejection(() => client.listParts("a", ids[0] ?? "", {} as never, {}))
      assert.strictEqual(error["code"], "NoSuchUpload")
    }).pipe(withServer())
  )

  it.live.each([
    "k?uploadId=U&max-parts=0",
    "k?uploadId=U&max-parts=x",
    "?uploads&max-uploads=1001",
    "?max-keys=-1",
    "?encoding-type=base64"
  ])("%s is refused", (path) =>
    Effect.gen(function* () {
      const { status, body } = yield* request(`${bucket}/${path}`)
      assert.deepStrictEqual([status, elementOf(body, "Code")], [400, "InvalidArgument"])
    }).pipe(open)
  )
})
