import { Crc64 } from "@effect-oss/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { content, open, request, put, listOf, elementOf, initiate } from "./http.ts"
import { bucket } from "./support.ts"

describe("complete", () => {
  it.live.each([
    ["no XML at all", "hello", "MalformedXML"],
    ["XML that ends early", "<CompleteMultipartUpload><Part>", "MalformedXML"],
    ["nothing", "", "MalformedXML"],
    ["another root", "<Other><Part/></Other>", "MalformedXML"],
    ["a part without a number", listOf("<ETag>x</ETag>"), "MalformedXML"],
    ["a number that is none", listOf("<PartNumber>x</PartNumber><ETag>x</ETag>"), "MalformedXML"],
    ["a part that is not there", listOf("<PartNumber>1</PartNumber><ETag>x</ETag>"), "InvalidPart"]
  ] as const)("%s", ([, body, code]) =>
    Effect.gen(function* () {
      const uploadId = yield* initiate()
      const path = `${bucket}/k?uploadId=${uploadId}`
      const answer = yield* request(path, { method: "POST", body })
      assert.deepStrictEqual([answer.status, elementOf(answer.body, "Code")], [400, code])
    }).pipe(open)
  )

  it.live("the list may quote ETags as XML does", () =>
    Effect.gen(function* () {
      const uploadId = yield* initiate()
      const { headers } = yield* put(`k?partNumber=1&uploadId=${uploadId}`, content)
      const etag = (headers["etag"] ?? "").replaceAll('"', "&quot;")
      const answer = yield* request(`${bucket}/k?uploadId=${uploadId}`, {
        method: "POST",
        body: listOf(`\n <PartNumber>1</PartNumber> <ETag>\n${etag} </ETag>`)
      })
      assert.deepStrictEqual(
        [answer.status, answer.headers["x-oss-hash-crc64ecma"]],
        [200, String(Crc64.of(content))]
      )
    }).pipe(open)
  )

  it.live("all parts, or a list, but not both", () =>
    Effect.gen(function* () {
      const uploadId = yield* initiate()
      const { status, body } = yield* request(`${bucket}/k?uploadId=${uploadId}`, {
        method: "POST",
        body: listOf(""),
        headers: { "x-oss-complete-all": "yes" }
      })
      assert.deepStrictEqual([status, elementOf(body, "Code")], [400, "InvalidArgument"])
    }).pipe(open)
  )
})
