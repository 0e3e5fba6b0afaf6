import type { Case, Step } from "../Case.ts"
import { aliOss, operation, rangeBehavior, ranges } from "../sources.ts"

const ten: Step = { method: "PUT", body: "0123456789", save: { etag: "header:etag" } }

const whole = { status: 200, body: "0123456789", headers: { "content-range": null } } as const

const ranged = (
  range: string,
  what: string,
  answer: Case["answer"],
  source: string = ranges,
  headers: Record<string, string> = {}
): Case => ({
  rule: what,
  source,
  given: [ten],
  asked: { method: "GET", headers: { range, ...headers } },
  answer
})

const standard = { "x-oss-range-behavior": "standard" }

const old = "Wed, 01 Jan 2020 00:00:00 GMT"
const late = "Fri, 01 Jan 2100 00:00:00 GMT"

const conditional = (
  rule: string,
  headers: Record<string, string>,
  status: number,
  source = operation("getobject")
): ReadonlyArray<Case> =>
  (["GET", "HEAD"] as const).map((method) => ({
    rule: `${method === "GET" ? "GetObject" : "HeadObject"} answers ${status} to ${rule}.`,
    source: method === "GET" ? source : operation("headobject"),
    given: [ten],
    asked: { method, headers },
    answer: {
      status,
      ...(status === 304 && { headers: { etag: "{etag}" } }),
      ...(status === 412 && method === "GET" && { code: "PreconditionFailed" })
    }
  }))

export const reading: ReadonlyArray<Case> = [
  ranged("bytes=2-4", "A range gives a part, and the CRC64 of the whole.", {
    status: 206,
    body: "234",
    headers: { "content-range": "bytes 2-4/10", "x-oss-hash-crc64ecma": /^\d+$/ }
  }),
  ranged("bytes=7-", "A range may be open at its end.", {
    status: 206,
    body: "789",
    headers: { "content-range": "bytes 7-9/10" }
  }),
  ranged("bytes=-3", "A range may count from the end.", {
    status: 206,
    body: "789",
    headers: { "content-range": "bytes 7-9/10" }
  }),
  ranged("bytes=2-4,6-7", "Of several ranges the first counts.", { status: 206, body: "234" }),
  ranged("bytes=8-99", "A range that ends behind the object gives all of it.", whole),
  ranged("bytes=10-12", "A range that begins behind the object gives all of it.", whole),
  ranged("bytes=10-", "An open range that begins behind the object gives all of it.", whole),
  ranged(
    "bytes=-99",
    "A range from the end that is longer than the object gives all of it.",
    whole
  ),
  ranged("byte=0-4", "A range of another unit gives all of the object.", whole),
  ranged(
    "bytes=8-99",
    "By the standard behaviour, a range that ends behind the object gives what there is.",
    { status: 206, body: "89", headers: { "content-range": "bytes 8-9/10" } },
    rangeBehavior,
    standard
  ),
  ranged(
    "bytes=10-12",
    "By the standard behaviour, a range behind the object is refused.",
    { status: 416, code: "InvalidRange" },
    rangeBehavior,
    standard
  ),
  ...conditional("an If-Match that fits", { "if-match": "{etag}" }, 200),
  ...conditional("an If-Match that doesn't fit", { "if-match": '"0"' }, 412),
  ...conditional("an If-None-Match that fits", { "if-none-match": "{etag}" }, 304),
  ...conditional("an If-None-Match that doesn't fit", { "if-none-match": '"0"' }, 200),
  ...conditional("an If-Modified-Since of before", { "if-modified-since": old }, 200),
  ...conditional("an If-Modified-Since of later", { "if-modified-since": late }, 304),
  ...conditional("an If-Unmodified-Since of before", { "if-unmodified-since": old }, 412),
  ...conditional(
    "an If-Unmodified-Since of later",
    { "if-unmodified-since": late },
    200,
    aliOss("test/node/object.test.js")
  )
]
