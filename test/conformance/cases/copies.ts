import type { Asked, Case, Step } from "../Case.ts"
import { aliOss, goV2, operation, pythonV2 } from "../sources.ts"
import { initiate } from "./uploads.ts"

const source: Step = {
  method: "PUT",
  key: "{key}-source",
  body: "0123456789",
  headers: { "content-type": "text/plain", "x-oss-meta-owner": "me" },
  save: { etag: "header:etag" }
}

const from = { "x-oss-copy-source": "/{bucket}/{key}-source" }
const copy = (headers: Record<string, string> = {}): Asked => ({
  method: "PUT",
  headers: { ...from, ...headers }
})

const copyPage = operation("copyobject")
const partCopy = operation("uploadpartcopy")
const append = operation("appendobject")

const copyPart = (headers: Record<string, string> = {}): Asked => ({
  method: "PUT",
  query: { partNumber: "1", uploadId: "{upload}" },
  headers: { ...from, ...headers }
})

const appended = (position: number, body: string): Asked => ({
  method: "POST",
  query: { append: "", position: String(position) },
  body
})

const tags = (headers: Record<string, string> = {}): ReadonlyArray<Step> => [
  { ...source, headers: { ...source.headers, "x-oss-tagging": "a=1" } },
  { ...copy({ "x-oss-tagging": "b=2", ...headers }) }
]

const tagsOf: Asked = { method: "GET", query: { tagging: "" } }

const directives: ReadonlyArray<Case> = [
  {
    rule: "CopyObject copies the source's tags, whatever tags it names.",
    source: copyPage,
    given: tags(),
    asked: tagsOf,
    answer: { status: 200, xml: { Key: "a" } }
  },
  {
    rule: "CopyObject replaces tags if told so.",
    source: copyPage,
    given: tags({ "x-oss-tagging-directive": "Replace" }),
    asked: tagsOf,
    answer: { status: 200, xml: { Key: "b" } }
  },
  {
    rule: "CopyObject that replaces metadata keeps the source's tags and its type.",
    source: pythonV2("test_client.py"),
    given: tags({ "x-oss-metadata-directive": "REPLACE" }),
    asked: { method: "HEAD" },
    answer: {
      status: 200,
      headers: {
        "content-type": "text/plain",
        "x-oss-meta-owner": null,
        "x-oss-tagging-count": "1"
      }
    }
  },
  {
    rule: "CopyObject with its metadata directive in small letters adds to the source's.",
    source: pythonV2("test_client.py"),
    given: [source, copy({ "x-oss-metadata-directive": "replace", "x-oss-meta-team": "us" })],
    asked: { method: "HEAD" },
    answer: { status: 200, headers: { "x-oss-meta-owner": "me", "x-oss-meta-team": "us" } }
  },
  {
    rule: "UploadPartCopy to an upload that isn't there has an EC of its own.",
    source: goV2("client_integration_test.go"),
    given: [source],
    asked: { ...copyPart(), query: { partNumber: "1", uploadId: "none" } },
    answer: { status: 404, code: "NoSuchUpload", ec: "0042-00000311" }
  }
]

const copies: ReadonlyArray<Case> = [
  {
    rule: "CopyObject copies bytes and metadata.",
    source: copyPage,
    given: [source],
    asked: copy(),
    answer: { status: 200, xml: { ETag: "{etag}", LastModified: /Z$/ } },
    afterwards: [
      { method: "GET" },
      {
        status: 200,
        body: "0123456789",
        headers: { "content-type": "text/plain", "x-oss-meta-owner": "me" }
      }
    ]
  },
  {
    rule: "CopyObject replaces metadata if it is told so.",
    source: copyPage,
    given: [source],
    asked: copy({ "x-oss-metadata-directive": "REPLACE", "x-oss-meta-team": "us" }),
    answer: { status: 200 },
    afterwards: [
      { method: "HEAD" },
      { status: 200, headers: { "x-oss-meta-team": "us", "x-oss-meta-owner": null } }
    ]
  },
  {
    rule: "CopyObject refuses a source that isn't there.",
    source: copyPage,
    asked: copy(),
    answer: { status: 404, code: "NoSuchKey" }
  },
  {
    rule: "CopyObject refuses to overwrite if that is forbidden.",
    source: copyPage,
    given: [source, { method: "PUT", body: "old" }],
    asked: copy({ "x-oss-forbid-overwrite": "true" }),
    answer: { status: 409, code: "FileAlreadyExists" }
  },
  {
    rule: "CopyObject answers 412 if the source has another ETag.",
    source: copyPage,
    given: [source],
    asked: copy({ "x-oss-copy-source-if-match": '"0"' }),
    answer: { status: 412, code: "PreconditionFailed" }
  },
  {
    rule: "CopyObject answers 304 if the source has this ETag.",
    source: copyPage,
    given: [source],
    asked: copy({ "x-oss-copy-source-if-none-match": "{etag}" }),
    answer: { status: 304 }
  },
  {
    rule: "UploadPartCopy makes a part of an object, and answers its ETag.",
    source: partCopy,
    given: [source, initiate()],
    asked: copyPart(),
    answer: { status: 200, xml: { ETag: "{etag}" } }
  },
  {
    rule: "UploadPartCopy answers the ETag in a header too, which ali-oss reads.",
    source: aliOss("lib/common/multipart-copy.js"),
    given: [source, initiate()],
    asked: copyPart(),
    answer: { status: 200, headers: { etag: "{etag}" } }
  },
  {
    rule: "UploadPartCopy takes a range of the source.",
    source: partCopy,
    given: [source, initiate(), copyPart({ "x-oss-copy-source-range": "bytes=2-4" })],
    asked: { method: "GET", query: { uploadId: "{upload}" } },
    answer: { status: 200, xml: { Size: "3" } }
  },
  {
    rule: "UploadPartCopy takes all of the source if the range is not within it.",
    source: partCopy,
    given: [source, initiate(), copyPart({ "x-oss-copy-source-range": "bytes=2-99" })],
    asked: { method: "GET", query: { uploadId: "{upload}" } },
    answer: { status: 200, xml: { Size: "10" } }
  },
  {
    rule: "UploadPartCopy answers 412 if the source has another ETag.",
    source: partCopy,
    given: [source, initiate()],
    asked: copyPart({ "x-oss-copy-source-if-match": '"0"' }),
    answer: { status: 412, code: "PreconditionFailed" }
  }
]

const appends: ReadonlyArray<Case> = [
  {
    rule: "AppendObject makes an object, and says where it goes on.",
    source: append,
    asked: appended(0, "foo"),
    answer: {
      status: 200,
      headers: { "x-oss-next-append-position": "3", "x-oss-hash-crc64ecma": /^\d+$/ }
    }
  },
  {
    rule: "AppendObject goes on at the end; the CRC64 is that of the whole.",
    source: append,
    given: [appended(0, "12345")],
    asked: appended(5, "6789"),
    answer: { status: 200, headers: { "x-oss-hash-crc64ecma": "11051210869376104954" } },
    afterwards: [
      { method: "GET" },
      { status: 200, body: "123456789", headers: { "x-oss-object-type": "Appendable" } }
    ]
  },
  {
    rule: "AppendObject refuses a position that isn't the end, and says which is.",
    source: append,
    given: [appended(0, "foo")],
    asked: appended(0, "bar"),
    answer: {
      status: 409,
      code: "PositionNotEqualToLength",
      headers: { "x-oss-next-append-position": "3" }
    }
  },
  {
    rule: "AppendObject refuses an object that was put.",
    source: append,
    given: [{ method: "PUT", body: "foo" }],
    asked: appended(3, "bar"),
    answer: { status: 409, code: "ObjectNotAppendable" }
  },
  {
    rule: "AppendObject refuses a position that is no number.",
    source: append,
    asked: { method: "POST", query: { append: "", position: "x" }, body: "foo" },
    answer: { status: 400, code: "InvalidArgument" }
  }
]

export const copiesAndAppends: ReadonlyArray<Case> = [...copies, ...directives, ...appends]
