import type { Case, Step } from "../Case.ts"
import { operation, pythonV2 } from "../sources.ts"
import { initiate, part } from "./uploads.ts"

const put = (name: string): Step => ({ method: "PUT", key: `{key}/${name}`, body: "x" })
const begun = (name: string, id: string): Step => ({
  ...initiate(),
  key: `{key}/${name}`,
  save: { [id]: "xml:UploadId" }
})

const list = (query: Record<string, string>): Case["asked"] => ({
  method: "GET",
  key: null,
  query: { prefix: "{key}/", ...query }
})

const three = [put("a"), put("b/c"), put("d")]
const open = [begun("a", "first"), begun("b/c", "second"), begun("d", "third")]

const v1 = operation("listobjects")
const v2 = operation("listobjects-v2")
const parts = operation("listparts")
const uploads = operation("listmultipartuploads")

const refused = (rule: string, source: string, query: Record<string, string>): Case => ({
  rule,
  source,
  asked: { method: "GET", key: null, query },
  answer: { status: 400, code: "InvalidArgument" }
})

export const lists: ReadonlyArray<Case> = [
  {
    rule: "ListObjects gives objects by prefix, with their owner.",
    source: v1,
    given: three,
    asked: list({}),
    answer: {
      status: 200,
      xml: { Name: "{bucket}", Key: "{key}/a", IsTruncated: "false", Owner: /./s, MaxKeys: "100" }
    }
  },
  {
    rule: "ListObjects goes on behind a marker.",
    source: v1,
    given: three,
    asked: list({ marker: "{key}/b/c" }),
    answer: { status: 200, xml: { Key: "{key}/d" } }
  },
  {
    rule: "ListObjects says where the next page begins.",
    source: v1,
    given: three,
    asked: list({ "max-keys": "1" }),
    answer: { status: 200, xml: { IsTruncated: "true", NextMarker: "{key}/a" } }
  },
  {
    rule: "ListObjects rolls keys up to a delimiter.",
    source: v1,
    given: [put("b/c"), put("b/d")],
    asked: list({ delimiter: "/" }),
    answer: { status: 200, xml: { CommonPrefixes: /<Prefix>{key}\/b\/<\/Prefix>/, Contents: null } }
  },
  {
    rule: "ListObjects percent-encodes keys if it is asked for that.",
    source: v1,
    given: [put("a b+c")],
    asked: list({ "encoding-type": "url" }),
    answer: { status: 200, xml: { EncodingType: "url", Key: /\/a%20b%2Bc$/ } }
  },
  {
    rule: "ListObjectsV2 counts keys, and gives no owner.",
    source: v2,
    given: three,
    asked: list({ "list-type": "2" }),
    answer: { status: 200, xml: { KeyCount: "3", Owner: null } }
  },
  {
    rule: "ListObjectsV2 gives the owner if it is asked for that.",
    source: v2,
    given: three,
    asked: list({ "list-type": "2", "fetch-owner": "true" }),
    answer: { status: 200, xml: { Owner: /<ID>/ } }
  },
  {
    rule: "ListObjectsV2 goes on behind start-after.",
    source: v2,
    given: three,
    asked: list({ "list-type": "2", "start-after": "{key}/a" }),
    answer: { status: 200, xml: { Key: "{key}/b/c" } }
  },
  {
    rule: "ListObjectsV2 goes on at its own token.",
    source: v2,
    given: [
      ...three,
      {
        ...list({ "list-type": "2", "max-keys": "1" }),
        save: { token: "xml:NextContinuationToken" }
      }
    ],
    asked: list({ "list-type": "2", "continuation-token": "{token}" }),
    answer: { status: 200, xml: { Key: "{key}/b/c", ContinuationToken: "{token}" } }
  },
  refused("ListObjectsV2 refuses a token that it never gave.", v2, {
    "list-type": "2",
    "continuation-token": "bm90aGluZw=="
  }),
  {
    rule: "ListObjectsV2 takes an empty token for none.",
    source: pythonV2("test_client.py"),
    asked: list({ "list-type": "2", "continuation-token": "" }),
    answer: { status: 200, xml: { KeyCount: "0" } }
  },
  refused("ListObjects refuses more than 1,000 keys a page.", v1, { "max-keys": "1001" }),
  refused("ListObjects refuses an encoding that OSS doesn't know.", v1, {
    "encoding-type": "base64"
  }),
  {
    rule: "ListParts gives the parts by number, with their CRC64.",
    source: parts,
    given: [initiate(), part(2, 20), part(1, 10)],
    asked: { method: "GET", query: { uploadId: "{upload}" } },
    answer: {
      status: 200,
      xml: {
        Key: "{key}",
        UploadId: "{upload}",
        PartNumber: "1",
        Size: "10",
        ETag: "{etag1}",
        HashCrc64ecma: /^\d+$/,
        IsTruncated: "false",
        MaxParts: "1000",
        NextPartNumberMarker: "2"
      }
    }
  },
  {
    rule: "ListParts goes on behind a marker.",
    source: parts,
    given: [initiate(), part(1, 10), part(7, 20)],
    asked: { method: "GET", query: { uploadId: "{upload}", "part-number-marker": "1" } },
    answer: { status: 200, xml: { PartNumber: "7" } }
  },
  {
    rule: "ListParts says where the next page begins.",
    source: parts,
    given: [initiate(), part(1, 10), part(7, 20)],
    asked: { method: "GET", query: { uploadId: "{upload}", "max-parts": "1" } },
    answer: { status: 200, xml: { IsTruncated: "true", NextPartNumberMarker: "1" } }
  },
  {
    rule: "ListParts refuses an upload id that doesn't exist.",
    source: parts,
    asked: { method: "GET", query: { uploadId: "0004B9894A22E5B1888A1E29F823****" } },
    answer: { status: 404, code: "NoSuchUpload" }
  },
  {
    rule: "ListMultipartUploads gives open uploads by prefix.",
    source: uploads,
    given: open,
    asked: list({ uploads: "" }),
    answer: {
      status: 200,
      xml: {
        Key: "{key}/a",
        UploadId: "{first}",
        Initiated: /^\d{4}-\d\d-\d\dT/,
        MaxUploads: "1000"
      }
    }
  },
  {
    rule: "ListMultipartUploads goes on behind a key.",
    source: uploads,
    given: open,
    asked: list({ uploads: "", "key-marker": "{key}/b/c" }),
    answer: { status: 200, xml: { UploadId: "{third}" } }
  },
  {
    rule: "ListMultipartUploads goes on behind an upload of a key.",
    source: uploads,
    given: [begun("a", "one"), begun("b", "two")],
    asked: list({ uploads: "", "key-marker": "{key}/a", "upload-id-marker": "{one}" }),
    answer: { status: 200, xml: { UploadId: "{two}" } }
  },
  {
    rule: "ListMultipartUploads ignores an upload id without a key.",
    source: uploads,
    given: [begun("a", "one"), begun("b", "two")],
    asked: list({ uploads: "", "upload-id-marker": "{two}" }),
    answer: { status: 200, xml: { UploadId: "{one}" } }
  },
  {
    rule: "ListMultipartUploads says where the next page begins.",
    source: uploads,
    given: open,
    asked: list({ uploads: "", "max-uploads": "1" }),
    answer: {
      status: 200,
      xml: { IsTruncated: "true", NextKeyMarker: "{key}/a", NextUploadIdMarker: "{first}" }
    }
  },
  {
    rule: "ListMultipartUploads rolls keys up to a delimiter.",
    source: uploads,
    given: [begun("b/c", "one"), begun("b/d", "two")],
    asked: list({ uploads: "", delimiter: "/" }),
    answer: {
      status: 200,
      xml: { CommonPrefixes: /<Prefix>{key}\/b\/<\/Prefix>/, Upload: null, Delimiter: "/" }
    }
  },
  refused("ListMultipartUploads refuses more than 1,000 uploads a page.", uploads, {
    uploads: "",
    "max-uploads": "1001"
  })
]
