import type { Case, Step } from "../Case.ts"
import { aliOss, ec, goV2, operation } from "../sources.ts"

export const initiate = (headers: Record<string, string> = {}): Step => ({
  method: "POST",
  query: { uploads: "" },
  headers,
  save: { upload: "xml:UploadId" }
})

/** In bytes: the least that a part that isn't the last may have. */
export const least = 102_400

export const part = (number: number | string, size = least): Step => ({
  method: "PUT",
  query: { partNumber: String(number), uploadId: "{upload}" },
  body: size,
  save: { [`etag${number}`]: "header:etag" }
})

const none = { uploadId: "0004B9894A22E5B1888A1E29F823****" }

export const uploads: ReadonlyArray<Case> = [
  {
    rule: "Initiate gives an upload id, the bucket and the key.",
    source: operation("initiatemultipartupload"),
    asked: initiate(),
    answer: { status: 200, xml: { Bucket: "{bucket}", Key: "{key}", UploadId: /^.{10,}$/ } }
  },
  {
    rule: "Initiate leaves an object of the same key as it is.",
    source: operation("initiatemultipartupload"),
    given: [{ method: "PUT", body: "old" }],
    asked: initiate(),
    answer: { status: 200 },
    afterwards: [{ method: "GET" }, { status: 200, body: "old" }]
  },
  {
    rule: "Initiate tells the encryption that it was asked for.",
    source: operation("initiatemultipartupload"),
    asked: initiate({ "x-oss-server-side-encryption": "AES256" }),
    answer: { status: 200, headers: { "x-oss-server-side-encryption": "AES256" } }
  },
  {
    rule: "Initiate refuses an encryption that OSS doesn't know.",
    source: operation("initiatemultipartupload"),
    asked: initiate({ "x-oss-server-side-encryption": "ROT13" }),
    answer: { status: 400, code: "InvalidArgument" }
  },
  {
    rule: "Initiate refuses to overwrite if that is forbidden.",
    source: operation("initiatemultipartupload"),
    given: [{ method: "PUT", body: "old" }],
    asked: initiate({ "x-oss-forbid-overwrite": "true" }),
    answer: { status: 409, code: "FileAlreadyExists" }
  },
  {
    rule: "Initiate percent-encodes the key if it is asked for that.",
    source: operation("initiatemultipartupload"),
    asked: {
      method: "POST",
      key: "{key} a+b",
      query: { uploads: "", "encoding-type": "url" }
    },
    answer: { status: 200, xml: { EncodingType: "url", Key: /%20a%2Bb$/ } }
  },
  {
    rule: "UploadPart answers the part's MD5 as ETag, and its CRC64.",
    source: operation("uploadpart"),
    given: [initiate()],
    asked: part(1, 10),
    answer: {
      status: 200,
      headers: { etag: /^"[0-9A-F]{32}"$/, "x-oss-hash-crc64ecma": /^\d+$/ }
    }
  },
  {
    rule: "UploadPart answers the part's MD5 in base64.",
    source: operation("uploadpart"),
    given: [initiate()],
    asked: part(1, 10),
    answer: { status: 200, headers: { "content-md5": /^[A-Za-z0-9+/]{22}==$/ } }
  },
  {
    rule: "UploadPart tells the encryption that Initiate was asked for.",
    source: operation("uploadpart"),
    given: [initiate({ "x-oss-server-side-encryption": "AES256" })],
    asked: part(1, 10),
    answer: { status: 200, headers: { "x-oss-server-side-encryption": "AES256" } }
  },
  ...["0", "10001", "STR", "1.5", "-1"].map((number): Case => ({
    rule: `UploadPart refuses the part number ${number}.`,
    source: ec("0017-00000220"),
    given: [initiate()],
    asked: part(number, 10),
    answer: { status: 400, code: "InvalidArgument", ec: "0017-00000220" }
  })),
  {
    rule: "UploadPart takes the part number 10000.",
    source: operation("uploadpart"),
    given: [initiate()],
    asked: part(10_000, 10),
    answer: { status: 200 }
  },
  {
    rule: "UploadPart refuses an upload id that doesn't exist.",
    source: ec("0017-00000244"),
    asked: { method: "PUT", query: { partNumber: "1", ...none }, body: 10 },
    answer: { status: 404, code: "NoSuchUpload" }
  },
  {
    rule: "UploadPart refuses the upload id of another key.",
    source: ec("0017-00000244"),
    given: [initiate()],
    asked: {
      method: "PUT",
      key: "{key}-other",
      query: { partNumber: "1", uploadId: "{upload}" },
      body: 10
    },
    answer: { status: 404, code: "NoSuchUpload" }
  },
  {
    rule: "A part number without an upload id stores no object.",
    source: operation("uploadpart"),
    asked: { method: "PUT", query: { partNumber: "1" }, body: 10 },
    answer: { status: 400, code: "InvalidArgument" },
    afterwards: [{ method: "HEAD" }, { status: 404 }]
  },
  {
    rule: "UploadPart refuses a body whose MD5 is another one.",
    source: operation("uploadpart"),
    given: [initiate()],
    asked: { ...part(1, 10), headers: { "content-md5": "AAAAAAAAAAAAAAAAAAAAAA==" } },
    answer: { status: 400, code: "InvalidDigest" }
  },
  {
    rule: "UploadPart overwrites a part of the same number.",
    source: operation("uploadpart"),
    given: [initiate(), part(1, 10), part(1, 20)],
    asked: { method: "GET", query: { uploadId: "{upload}" } },
    answer: { status: 200, xml: { PartNumber: "1", Size: "20" } }
  },
  {
    rule: "UploadPart does not check how small a part is.",
    source: operation("uploadpart"),
    given: [initiate(), part(1, 1)],
    asked: part(2, 1),
    answer: { status: 200 }
  },
  {
    rule: "UploadPart takes a slow traffic limit, as ali-oss's own tests send it.",
    source: aliOss("test/node/multipart.test.js"),
    given: [initiate()],
    asked: { ...part(1, 10), headers: { "x-oss-traffic-limit": "645763" } },
    answer: { status: 200 }
  },
  {
    rule: "UploadPart refuses a traffic limit that is no number.",
    source: ec("0004-00000502"),
    given: [initiate()],
    asked: { ...part(1, 10), headers: { "x-oss-traffic-limit": "abc" } },
    answer: { status: 400, code: "InvalidArgument", ec: "0004-00000502" }
  },
  {
    rule: "Abort ends an upload.",
    source: operation("abortmultipartupload"),
    given: [initiate(), part(1, 10)],
    asked: { method: "DELETE", query: { uploadId: "{upload}" } },
    answer: { status: 204 },
    afterwards: [
      { method: "GET", query: { uploadId: "{upload}" } },
      { status: 404, code: "NoSuchUpload" }
    ]
  },
  {
    rule: "Abort refuses an upload id that doesn't exist.",
    source: operation("abortmultipartupload"),
    asked: { method: "DELETE", query: none },
    answer: { status: 404, code: "NoSuchUpload" }
  },
  {
    rule: "A sequential upload takes parts one after the other.",
    source: operation("initiatemultipartupload"),
    given: [{ ...initiate(), query: { uploads: "", sequential: "" } }, part(1)],
    asked: part(2, 10),
    answer: { status: 200 }
  },
  {
    rule: "A sequential upload refuses a part that leaves a gap.",
    source: operation("uploadpart"),
    given: [{ ...initiate(), query: { uploads: "", sequential: "" } }],
    asked: part(2, 10),
    answer: { status: 400, code: "PartNotSequential" }
  },
  {
    rule: "An object of a sequential upload has the MD5 of all its bytes.",
    source: goV2("client_integration_test.go"),
    given: [
      { ...initiate(), query: { uploads: "", sequential: "" } },
      { ...part(1, 10), save: { etag: "header:etag" } },
      {
        method: "POST",
        query: { uploadId: "{upload}" },
        body: "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
      }
    ],
    asked: { method: "HEAD" },
    answer: { status: 200, headers: { "content-md5": "BaHo68fjJjhxVl/bjFWkzw==" } }
  },
  {
    rule: "Encryption by KMS without a key tells the id of a default key.",
    source: goV2("client_integration_test.go"),
    asked: initiate({ "x-oss-server-side-encryption": "KMS" }),
    answer: { status: 200, headers: { "x-oss-server-side-encryption-key-id": /./ } }
  }
]
