import type { Asked, Case } from "../Case.ts"
import { ec, invalidPart, operation } from "../sources.ts"
import { initiate, least, part } from "./uploads.ts"

const listed = (...parts: ReadonlyArray<readonly [number | string, string]>) =>
  `<CompleteMultipartUpload>${parts
    .map(([number, etag]) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`)
    .join("")}</CompleteMultipartUpload>`

const complete = (body: string, headers: Record<string, string> = {}): Asked => ({
  method: "POST",
  query: { uploadId: "{upload}" },
  headers,
  body
})

const two = [initiate(), part(1), part(5, 7)]
const both = listed([1, "{etag1}"], [5, "{etag5}"])

export const completes: ReadonlyArray<Case> = [
  {
    rule: "Complete makes an object of parts with gaps between their numbers.",
    source: operation("completemultipartupload"),
    given: two,
    asked: complete(both),
    answer: {
      status: 200,
      headers: { "x-oss-hash-crc64ecma": /^\d+$/, etag: /^"[0-9A-F]{32}-2"$/ },
      xml: { Bucket: "{bucket}", Key: "{key}", ETag: /-2"$/, Location: /^https?:\/\// }
    },
    afterwards: [
      { method: "HEAD" },
      { status: 200, headers: { "content-length": String(least + 7) } }
    ]
  },
  {
    rule: "The object of Complete is of type Multipart.",
    source: operation("headobject"),
    given: [...two, complete(both)],
    asked: { method: "HEAD" },
    answer: { status: 200, headers: { "x-oss-object-type": "Multipart" } }
  },
  {
    rule: "Complete leaves parts out that it doesn't list.",
    source: operation("completemultipartupload"),
    given: two,
    asked: complete(listed([5, "{etag5}"])),
    answer: { status: 200 },
    afterwards: [{ method: "HEAD" }, { status: 200, headers: { "content-length": "7" } }]
  },
  {
    rule: "Complete takes ETags without quotes.",
    source: operation("completemultipartupload"),
    given: [initiate(), { ...part(1, 0), save: {} }],
    asked: complete(listed([1, "D41D8CD98F00B204E9800998ECF8427E"])),
    answer: { status: 200 }
  },
  {
    rule: "Complete of an empty list makes an object of 0 bytes.",
    source: operation("completemultipartupload"),
    given: two,
    asked: complete("<CompleteMultipartUpload></CompleteMultipartUpload>"),
    answer: { status: 200 },
    afterwards: [{ method: "HEAD" }, { status: 200, headers: { "content-length": "0" } }]
  },
  {
    rule: "Complete ends the upload id.",
    source: operation("completemultipartupload"),
    given: [...two, complete(both)],
    asked: complete(both),
    answer: { status: 404, code: "NoSuchUpload" }
  },
  {
    rule: "Complete leaves other uploads of the key alone.",
    source: operation("completemultipartupload"),
    given: [{ ...initiate(), save: { other: "xml:UploadId" } }, ...two, complete(both)],
    asked: { method: "GET", query: { uploadId: "{other}" } },
    answer: { status: 200 }
  },
  {
    rule: "Complete refuses numbers that do not ascend.",
    source: ec("0042-00000209"),
    given: two,
    asked: complete(listed([5, "{etag5}"], [1, "{etag1}"])),
    answer: { status: 400, code: "InvalidPartOrder", ec: "0042-00000209" }
  },
  {
    rule: "Complete refuses a number that is listed twice.",
    source: ec("0042-00000209"),
    given: two,
    asked: complete(listed([1, "{etag1}"], [1, "{etag1}"])),
    answer: { status: 400, code: "InvalidPartOrder" }
  },
  {
    rule: "Complete refuses a part that isn't there.",
    source: invalidPart,
    given: two,
    asked: complete(listed([1, "{etag1}"], [2, "{etag5}"])),
    answer: { status: 400, code: "InvalidPart" }
  },
  {
    rule: "Complete refuses a part with another ETag.",
    source: invalidPart,
    given: two,
    asked: complete(listed([1, "{etag5}"])),
    answer: { status: 400, code: "InvalidPart" }
  },
  {
    rule: "Complete refuses a part below 100 KiB that isn't the last.",
    source: ec("0042-00000213"),
    given: [initiate(), part(1, 7), part(2, 7)],
    asked: complete(listed([1, "{etag1}"], [2, "{etag2}"])),
    answer: { status: 400, code: "EntityTooSmall", ec: "0042-00000213" }
  },
  {
    rule: "Complete refuses what is no XML.",
    source: operation("completemultipartupload"),
    given: two,
    asked: complete("hello"),
    answer: { status: 400, code: "MalformedXML" }
  },
  {
    rule: "Complete refuses to overwrite if that is forbidden.",
    source: operation("completemultipartupload"),
    given: [...two, { method: "PUT", body: "old" }],
    asked: complete(both, { "x-oss-forbid-overwrite": "true" }),
    answer: { status: 409, code: "FileAlreadyExists" },
    afterwards: [{ method: "GET" }, { status: 200, body: "old" }]
  },
  {
    rule: "Complete takes all parts if it is told so.",
    source: operation("completemultipartupload"),
    given: two,
    asked: complete("", { "x-oss-complete-all": "yes" }),
    answer: { status: 200 },
    afterwards: [
      { method: "HEAD" },
      { status: 200, headers: { "content-length": String(least + 7) } }
    ]
  },
  {
    rule: "Complete refuses a list when it is told to take all parts.",
    source: ec("0042-00000216"),
    given: two,
    asked: complete(both, { "x-oss-complete-all": "yes" }),
    answer: { status: 400, code: "InvalidArgument", ec: "0042-00000216" }
  },
  {
    rule: "Complete tells the encryption that Initiate was asked for.",
    source: operation("completemultipartupload"),
    given: [initiate({ "x-oss-server-side-encryption": "AES256" }), part(1, 7)],
    asked: complete(listed([1, "{etag1}"])),
    answer: { status: 200, headers: { "x-oss-server-side-encryption": "AES256" } }
  },
  {
    rule: "The object has the headers that Initiate was given.",
    source: operation("initiatemultipartupload"),
    given: [
      initiate({ "x-oss-meta-owner": "me", "cache-control": "no-cache" }),
      part(1, 7),
      complete(listed([1, "{etag1}"]))
    ],
    asked: { method: "HEAD" },
    answer: { status: 200, headers: { "x-oss-meta-owner": "me", "cache-control": "no-cache" } }
  },
  {
    rule: "The object of a single part has an ETag that is no MD5.",
    source: operation("completemultipartupload"),
    given: [initiate(), part(1, 7)],
    asked: complete(listed([1, "{etag1}"])),
    answer: { status: 200, headers: { etag: /-1"$/ } }
  }
]
