import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import type { OssError } from "../../src/OssError.ts"
import { against, bytes, etag, part, stored, verbs } from "../support/OssClientReplies.ts"

const listed = (numbers: ReadonlyArray<number>, more = "") =>
  `<ListPartsResult><IsTruncated>${more === "" ? "false" : "true"}</IsTruncated>${more}${numbers
    .map(
      (n) =>
        `<Part><PartNumber>${n}</PartNumber><ETag>${etag}</ETag><Size>${n * 10}</Size><HashCrc64ecma>18446744073709551615</HashCrc64ecma></Part>`
    )
    .join("")}</ListPartsResult>`

/** A page of no uploads that goes on behind a position. */
const positioned = (key: string, uploadId: string) => ({
  headers: { date: "Sun, 22 Nov 2026 10:00:00 GMT" },
  body: `<R><IsTruncated>true</IsTruncated><NextKeyMarker>${key}</NextKeyMarker><NextUploadIdMarker>${uploadId}</NextUploadIdMarker></R>`
})

describe("an answer of success", () => {
  const broken: ReadonlyArray<readonly [string, string]> = [
    ["nothing", ""],
    ["cut-off XML", "<?xml version='1.0'?><ListPartsResult><IsTruncated>fal"],
    ["other XML", "<hello/>"],
    ["no XML", "OK"]
  ]
  it.effect.each(broken)("that has %s in place of XML is unreadable", ([, body]) =>
    Effect.gen(function* () {
      const { client } = yield* against(() => ({ ...stored, body }))
      const { initiate, listParts, complete, listUploads, listObjects } = verbs(client)
      const verbsWithXml = [initiate, listParts, complete, listUploads, listObjects].map(
        (verb) => verb ?? Effect.void
      )
      const errors = yield* Effect.forEach(verbsWithXml, (verb) => Effect.flip(verb))
      assert.deepStrictEqual(
        errors.map((error) => (error as OssError).reason._tag),
        Array.from({ length: 5 }, () => "UnreadableResponse")
      )
    })
  )

  it.effect("without an ETag is unreadable", () =>
    Effect.gen(function* () {
      const { client } = yield* against(() => ({ status: 200 }))
      for (const verb of [
        client.uploadPart(part(bytes(1))),
        client.put({ key: "k", body: bytes(1) }),
        client.head("k")
      ]) {
        assert.strictEqual((yield* Effect.flip(verb)).reason._tag, "UnreadableResponse")
      }
    })
  )

  it.effect("with a CRC64 that is no number is unreadable", () =>
    Effect.gen(function* () {
      const { client } = yield* against(() => ({
        headers: { etag, "x-oss-hash-crc64ecma": "0x1g" }
      }))
      const error = yield* Effect.flip(client.uploadPart(part(bytes(1))))
      assert.strictEqual(error.reason._tag, "UnreadableResponse")
    })
  )

  it.effect("may lack a CRC64", () =>
    Effect.gen(function* () {
      const { client } = yield* against(() => ({ headers: { etag } }))
      const receipt = yield* client.uploadPart(part(bytes(1)))
      assert.deepStrictEqual(receipt, { etag, crc64: Option.none() })
    })
  )

  it.effect("to Complete has the object's ETag in its body", () =>
    Effect.gen(function* () {
      const { client } = yield* against(() => ({
        headers: { "x-oss-hash-crc64ecma": "42" },
        body: `<CompleteMultipartUploadResult><ETag>${etag}</ETag></CompleteMultipartUploadResult>`
      }))
      const parts = [{ number: 1, etag }]
      const receipt = yield* client.complete({ key: "k", uploadId: "U", parts })
      assert.deepStrictEqual([receipt.etag, receipt.crc64], [etag, Option.some(42n)])
    })
  )

  const texts: ReadonlyArray<readonly [string, string]> = [
    ["in one", "a&amp;b"],
    ["as raw text between others", "a<![CDATA[&]]>b"],
    ["around a comment", "a&#38;<!-- and -->b"]
  ]
  it.effect.each(texts)("has the whole of a text that comes %s", ([, text]) =>
    Effect.gen(function* () {
      const { client } = yield* against(() => ({ body: `<R><UploadId>${text}</UploadId></R>` }))
      assert.deepStrictEqual(yield* client.initiate("k"), { uploadId: "a&b" })
    })
  )

  it.effect("has the whole of a text, wherever the pieces end that it is read in", () =>
    Effect.gen(function* () {
      const uploadId = "0123456789abcdef".repeat(2_000)
      const { client } = yield* against(() => ({ body: `<R><UploadId>${uploadId}</UploadId></R>` }))
      assert.deepStrictEqual(yield* client.initiate("k"), { uploadId })
    })
  )

  const nested = (depth: number): string => (depth === 0 ? "" : `<a>${nested(depth - 1)}</a>`)
  const large: ReadonlyArray<readonly [string, string, string]> = [
    ["eight levels", nested(7), nested(8)],
    ["20,000 elements", "<a/>".repeat(19_998), "<a/>".repeat(19_999)]
  ]
  it.effect.each(large)("may be XML of %s, and no more", ([, most, more]) =>
    Effect.gen(function* () {
      const { client } = yield* against(({ url }) => ({
        body: `<R><UploadId>U</UploadId>${url?.includes("more") ? more : most}</R>`
      }))
      assert.deepStrictEqual(yield* client.initiate("most"), { uploadId: "U" })
      const error = yield* Effect.flip(client.initiate("more"))
      assert.strictEqual(error.reason._tag, "UnreadableResponse")
    })
  )

  it.effect.each([[0], [1], [2]])("lists %d parts as a list", ([count]) =>
    Effect.gen(function* () {
      const numbers = Array.from({ length: count ?? 0 }, (_, index) => index + 1)
      const { client } = yield* against(() => ({ body: listed(numbers) }))
      const page = yield* client.listParts({ key: "k", uploadId: "U" })
      assert.deepStrictEqual(page, {
        parts: numbers.map((number) => ({
          number,
          size: number * 10,
          etag,
          crc64: Option.some(18446744073709551615n)
        })),
        next: Option.none()
      })
    })
  )

  it.effect("says where the list of parts goes on, and never asks from part 0", () =>
    Effect.gen(function* () {
      const { client, server } = yield* against((_, __, count) => ({
        body: listed([count], "<NextPartNumberMarker>1</NextPartNumberMarker>")
      }))
      const page = yield* client.listParts({ key: "k", uploadId: "U", after: 0 })
      assert.deepStrictEqual(page.next, Option.some(1))
      const stuck = yield* Effect.flip(client.listParts({ key: "k", uploadId: "U", after: 1 }))
      assert.strictEqual(stuck.reason._tag, "UnreadableResponse")
      assert.deepStrictEqual(
        server.requests.map(({ url }) => url),
        ["/bucket/k?uploadId=U", "/bucket/k?part-number-marker=1&uploadId=U"]
      )
    })
  )

  it.effect("lists uploads whose keys XML can't express", () =>
    Effect.gen(function* () {
      const date = "Sun, 22 Nov 2026 10:00:00 GMT"
      const { client, server } = yield* against(() => ({
        headers: { date },
        body: `<ListMultipartUploadsResult><EncodingType>url</EncodingType><NextKeyMarker>a%01%2B</NextKeyMarker><NextUploadIdMarker>U2</NextUploadIdMarker><IsTruncated>true</IsTruncated><Upload><Key>a%01%2B%20+b</Key><UploadId>U1</UploadId><Initiated>2026-11-22T09:00:00.000Z</Initiated></Upload></ListMultipartUploadsResult>`
      }))
      const page = yield* client.listUploads({
        prefix: "a'+&",
        after: { key: "a\u0001", uploadId: "U0" }
      })
      assert.deepStrictEqual(page, {
        uploads: [
          { key: "a\u0001+  b", uploadId: "U1", initiated: Date.parse("2026-11-22T09:00:00Z") }
        ],
        next: Option.some({ key: "a\u0001+", uploadId: "U2" }),
        serverTime: Date.parse(date)
      })
      const { searchParams } = new URL(server.requests[0]?.url ?? "", server.url)
      assert.deepStrictEqual(
        ["prefix", "key-marker", "upload-id-marker"].map((name) => searchParams.get(name)),
        ["a'+&", "a\u0001", "U0"]
      )
    })
  )
})

/** A page of objects and folders, as OSS writes it. */
const objectsPage = (more: string) => `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult><Name>bucket</Name><Prefix>a%2B</Prefix><Marker></Marker><MaxKeys>1000</MaxKeys>
<Delimiter>%2F</Delimiter><EncodingType>url</EncodingType>${more}
<Contents><Key>a%2B%01+b.txt</Key><LastModified>2026-11-22T09:00:00.000Z</LastModified><ETag>${etag}</ETag>
<Type>Normal</Type><Size>52776558133248</Size><StorageClass>IA</StorageClass>
<Owner><ID>1</ID><DisplayName>1</DisplayName></Owner></Contents>
<CommonPrefixes><Prefix>a%2B%E4%B8%AD%2F</Prefix></CommonPrefixes></ListBucketResult>`

/** Goes on behind a key. */
const truncated = (marker: string) =>
  `<IsTruncated>true</IsTruncated><NextMarker>${encodeURIComponent(marker)}</NextMarker>`

describe("a list of objects", () => {
  it.effect("is read with its folders, and asked for by prefix, delimiter and marker", () =>
    Effect.gen(function* () {
      const { client, server } = yield* against(() => ({ body: objectsPage(truncated("a+中/")) }))
      const page = yield* client.listObjects({ prefix: "a+", delimiter: "/", after: "a+\u0001" })
      assert.deepStrictEqual(page, {
        objects: [
          {
            key: "a+\u0001 b.txt",
            size: 52_776_558_133_248,
            etag,
            lastModified: Date.parse("2026-11-22T09:00:00Z"),
            storageClass: "IA",
            type: "Normal"
          }
        ],
        prefixes: ["a+中/"],
        next: Option.some("a+中/")
      })
      const { searchParams } = new URL(server.requests[0]?.url ?? "", server.url)
      assert.deepStrictEqual(
        ["prefix", "delimiter", "marker"].map((name) => searchParams.get(name)),
        ["a+", "/", "a+\u0001"]
      )
    })
  )

  it.effect("of a thousand keys as long as OSS takes them is read", () =>
    Effect.gen(function* () {
      const keys = Array.from({ length: 1_000 }, (_, index) => `${"中".repeat(339)}${index}`)
      const contents = keys.map(
        (key) =>
          `<Contents><Key>${encodeURIComponent(key)}</Key><LastModified>2026-11-22T09:00:00.000Z</LastModified><ETag>${etag}</ETag><Size>1</Size><Owner><ID>1000000000000000</ID><DisplayName>1000000000000000</DisplayName></Owner></Contents>`
      )
      const { client } = yield* against(() => ({
        body: `<R><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>${contents.join("")}</R>`
      }))
      const page = yield* client.listObjects({})
      assert.deepStrictEqual(
        page.objects.map(({ key }) => key),
        keys
      )
    })
  )
})

describe("a list of uploads", () => {
  const after = { key: "b", uploadId: "U5" }
  const further: ReadonlyArray<readonly [string, string, string]> = [
    ["with more uploads of the same key", "b", "U6"],
    ["with another key, whose ids may be anything", "ba", "U1"]
  ]
  it.effect.each(further)("goes on %s", ([, key, uploadId]) =>
    Effect.gen(function* () {
      const { client } = yield* against(() => positioned(key, uploadId))
      const page = yield* client.listUploads({ after })
      assert.deepStrictEqual(page.next, Option.some({ key, uploadId }))
    })
  )
})

describe("a hostile list", () => {
  const markers: ReadonlyArray<readonly [string, string]> = [
    ["repeats the marker it was given", truncated("b")],
    ["goes back", truncated("a")],
    ["goes back in the order of UTF-8", truncated("\u0001")],
    ["does not say where it goes on", "<IsTruncated>true</IsTruncated>"],
    ["does not say whether it goes on", ""]
  ]
  it.effect.each(markers)("of objects that %s is unreadable", ([, marker]) =>
    Effect.gen(function* () {
      const { client } = yield* against(() => ({ body: objectsPage(marker) }))
      const error = yield* Effect.flip(client.listObjects({ after: "b" }))
      assert.strictEqual(error.reason._tag, "UnreadableResponse")
    })
  )

  it.effect("of an object without a size that can be is unreadable", () =>
    Effect.gen(function* () {
      const page = objectsPage("<IsTruncated>false</IsTruncated>")
      const { client } = yield* against(() => ({ body: page.replace("52776558133248", "-1") }))
      const error = yield* Effect.flip(client.listObjects({}))
      assert.strictEqual(error.reason._tag, "UnreadableResponse")
    })
  )

  const stuck: ReadonlyArray<readonly [string, string]> = [
    ["repeats the marker it was given", "7"],
    ["goes back", "6"],
    ["goes on beyond part 10,000", "10001"],
    ["goes on at no number", "x"]
  ]
  it.effect.each(stuck)("of parts that %s is unreadable", ([, marker]) =>
    Effect.gen(function* () {
      const { client } = yield* against(() => ({
        body: listed([8], `<NextPartNumberMarker>${marker}</NextPartNumberMarker>`)
      }))
      const error = yield* Effect.flip(client.listParts({ key: "k", uploadId: "U", after: 7 }))
      assert.strictEqual(error.reason._tag, "UnreadableResponse")
    })
  )

  it.effect.each([[0], [10_001], [1.5]])("of a part numbered %d is unreadable", ([number = 0]) =>
    Effect.gen(function* () {
      const { client } = yield* against(() => ({ body: listed([number]) }))
      const error = yield* Effect.flip(client.listParts({ key: "k", uploadId: "U" }))
      assert.strictEqual(error.reason._tag, "UnreadableResponse")
    })
  )

  it.effect("of 200,000 parts costs no more than a page, and is unreadable", () =>
    Effect.gen(function* () {
      const numbers = Array.from({ length: 200_000 }, (_, index) => index + 1)
      const { client } = yield* against(() => ({ body: listed(numbers) }))
      const error = yield* Effect.flip(client.listParts({ key: "k", uploadId: "U" }))
      assert.strictEqual(error.reason._tag, "Transport")
      assert.include(error.message, "more than 4194304 bytes")
    })
  )

  const positions: ReadonlyArray<readonly [string, string, string]> = [
    ["repeats the position it was given", "b", "U5"],
    ["goes back by key", "a", "U9"],
    ["goes back by upload id", "b", "U4"],
    ["goes back in the order of UTF-8", "\uffee", "U9"]
  ]
  it.effect.each(positions)("of uploads that %s is unreadable", ([, key, uploadId]) =>
    Effect.gen(function* () {
      const after = { key: key === "\uffee" ? "\u{1f600}" : "b", uploadId: "U5" }
      const { client } = yield* against(() => positioned(key, uploadId))
      const error = yield* Effect.flip(client.listUploads({ after }))
      assert.strictEqual(error.reason._tag, "UnreadableResponse")
    })
  )
})
