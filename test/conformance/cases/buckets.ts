import type { Case, Step } from "../Case.ts"
import { ec, operation, pythonV2 } from "../sources.ts"

const origin = "https://app.test"
const cors = operation("putbucketcors")
const options = operation("options")

const rules = (fields: string, others = ""): Step => ({
  method: "PUT",
  key: null,
  query: { cors: "" },
  body: `<CORSConfiguration><CORSRule>${fields}</CORSRule>${others}</CORSConfiguration>`
})

const anyPut = "<AllowedOrigin>*</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>"

const one = rules(
  "<AllowedOrigin>https://*.test</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>" +
    "<AllowedHeader>x-oss-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>60</MaxAgeSeconds>"
)

const preflight = (headers: Record<string, string> = {}): Case["asked"] => ({
  method: "OPTIONS",
  sign: { version: "none" },
  headers: { origin, "access-control-request-method": "PUT", ...headers }
})

const tagged = (name: string): Step => ({
  method: "PUT",
  key: null,
  query: { tagging: "" },
  body: `<Tagging><TagSet><Tag><Key>${name}</Key><Value>1</Value></Tag></TagSet></Tagging>`
})

const configured: ReadonlyArray<Case> = [
  {
    rule: "PutBucketTags sets the tags of a bucket.",
    source: operation("putbuckettags"),
    asked: tagged("team"),
    answer: { status: 200 },
    afterwards: [
      { method: "GET", key: null, query: { tagging: "" } },
      { status: 200, xml: { Key: "team", Value: "1" } }
    ]
  },
  {
    rule: "DeleteBucketTags removes the tags of a bucket.",
    source: operation("deletebuckettags"),
    given: [tagged("team")],
    asked: { method: "DELETE", key: null, query: { tagging: "" } },
    answer: { status: 204 },
    afterwards: [
      { method: "GET", key: null, query: { tagging: "" } },
      { status: 200, xml: { Key: null } }
    ]
  },
  {
    rule: "GetBucketRequestPayment tells that the owner pays.",
    source: operation("getbucketrequestpayment"),
    asked: { method: "GET", key: null, query: { requestPayment: "" } },
    answer: { status: 200, xml: { Payer: "BucketOwner" } }
  },
  {
    rule: "PutBucketRequestPayment refuses a payer that OSS doesn't know.",
    source: operation("putbucketrequestpayment"),
    asked: {
      method: "PUT",
      key: null,
      query: { requestPayment: "" },
      body: "<RequestPaymentConfiguration><Payer>Nobody</Payer></RequestPaymentConfiguration>"
    },
    answer: { status: 400, code: "MalformedXML" }
  },
  {
    rule: "The owner of a bucket may say that they pay, in a header.",
    source: ec("0003-00000703"),
    given: [{ method: "PUT", body: "x" }],
    asked: { method: "GET", headers: { "x-oss-request-payer": "requester" } },
    answer: { status: 200, body: "x" }
  },
  {
    rule: "The owner of a bucket may say that they pay, in a presigned URL.",
    source: ec("0003-00000702"),
    given: [{ method: "PUT", body: "x" }],
    asked: {
      method: "GET",
      query: { "x-oss-request-payer": "requester" },
      sign: { version: "presigned-v4" }
    },
    answer: { status: 200, body: "x" }
  },
  {
    rule: "GetBucketStat counts bytes and open uploads.",
    source: operation("getbucketstat"),
    asked: { method: "GET", key: null, query: { stat: "" } },
    answer: { status: 200, xml: { Storage: /^\d+$/, MultipartUploadCount: /^\d+$/ } }
  },
  {
    rule: "PutBucketAcl of a bucket that isn't there looks at the key first.",
    source: pythonV2("test_client.py"),
    asked: {
      method: "PUT",
      bucket: "{bucket}-none",
      key: null,
      query: { acl: "" },
      headers: { "x-oss-acl": "private" },
      sign: { accessKeyId: "nobody" }
    },
    answer: { status: 403, code: "InvalidAccessKeyId" }
  },
  {
    rule: "PutBucketCors keeps the names of headers in small letters.",
    source: pythonV2("test_bucket_cors_client.py"),
    given: [
      rules(
        "<AllowedOrigin>*</AllowedOrigin><AllowedMethod>PUT</AllowedMethod><AllowedHeader>X-Oss-Meta-A</AllowedHeader>"
      )
    ],
    asked: { method: "GET", key: null, query: { cors: "" } },
    answer: { status: 200, xml: { AllowedHeader: "x-oss-meta-a" } }
  },
  {
    rule: "GetBucketCors tells whether each answer varies by origin.",
    source: cors,
    given: [rules(anyPut, "<ResponseVary>true</ResponseVary>")],
    asked: { method: "GET", key: null, query: { cors: "" } },
    answer: { status: 200, xml: { ResponseVary: "true" } }
  },
  {
    rule: "A bucket's answers vary by origin if its rules say so, whoever asks.",
    source: cors,
    given: [rules(anyPut, "<ResponseVary>true</ResponseVary>")],
    asked: { method: "PUT", body: "x" },
    answer: { status: 200, headers: { vary: "Origin" } }
  }
]

const basics: ReadonlyArray<Case> = [
  {
    rule: "GetBucketInfo tells name, region and ACL of a bucket.",
    source: operation("getbucketinfo"),
    asked: { method: "GET", key: null, query: { bucketInfo: "" } },
    answer: {
      status: 200,
      xml: { Name: "{bucket}", Location: /^oss-/, CreationDate: /Z$/, Grant: /^p/ }
    }
  },
  {
    rule: "GetBucketInfo tells what a bucket is set to.",
    source: operation("getbucketinfo"),
    asked: { method: "GET", key: null, query: { bucketInfo: "" } },
    answer: {
      status: 200,
      xml: {
        AccessMonitor: /abled$/,
        TransferAcceleration: /abled$/,
        CrossRegionReplication: /abled$/,
        BlockPublicAccess: /^(true|false)$/,
        ResourceGroupId: /^rg-/,
        SSEAlgorithm: /./,
        LogBucket: /^/
      }
    }
  },
  {
    rule: "GetBucketLocation tells the region of a bucket.",
    source: operation("getbucketlocation"),
    asked: { method: "GET", key: null, query: { location: "" } },
    answer: { status: 200, xml: { LocationConstraint: /^oss-/ } }
  },
  {
    rule: "GetBucketAcl tells the ACL of a bucket.",
    source: operation("getbucketacl"),
    asked: { method: "GET", key: null, query: { acl: "" } },
    answer: { status: 200, xml: { Grant: "private" } }
  },
  {
    rule: "A bucket with an object can't be deleted.",
    source: operation("deletebucket"),
    given: [{ method: "PUT", body: "x" }],
    asked: { method: "DELETE", key: null },
    answer: { status: 409, code: "BucketNotEmpty" }
  },
  {
    rule: "PutBucketCors refuses more than one wildcard an origin.",
    source: cors,
    asked: rules(
      "<AllowedOrigin>https://*.*.test</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>"
    ),
    answer: { status: 400, code: /* OSS says no more */ "MalformedXML" }
  },
  {
    rule: "GetBucketCors refuses a bucket without rules.",
    source: operation("getbucketcors"),
    given: [{ method: "DELETE", key: null, query: { cors: "" } }],
    asked: { method: "GET", key: null, query: { cors: "" } },
    answer: { status: 404, code: "NoSuchCORSConfiguration" }
  },
  {
    rule: "A preflight to a bucket without rules is refused.",
    source: options,
    given: [{ method: "DELETE", key: null, query: { cors: "" } }],
    asked: preflight(),
    answer: { status: 403, code: "AccessForbidden" }
  },
  {
    rule: "A preflight that fits a rule is told what is allowed.",
    source: options,
    given: [one],
    asked: preflight({ "access-control-request-headers": "x-oss-date" }),
    answer: {
      status: 200,
      headers: {
        "access-control-allow-origin": origin,
        "access-control-allow-methods": /PUT/,
        "access-control-allow-headers": /x-oss-date/i,
        "access-control-expose-headers": /etag/i,
        "access-control-max-age": "60"
      }
    }
  },
  {
    rule: "A preflight from another origin is refused.",
    source: options,
    given: [one],
    asked: preflight({ origin: "https://other.example" }),
    answer: { status: 403, code: "AccessForbidden" }
  },
  {
    rule: "A preflight for another method is refused.",
    source: options,
    given: [one],
    asked: preflight({ "access-control-request-method": "DELETE" }),
    answer: { status: 403, code: "AccessForbidden" }
  },
  {
    rule: "A preflight for another header is refused.",
    source: options,
    given: [one],
    asked: preflight({ "access-control-request-headers": "x-other" }),
    answer: { status: 403, code: "AccessForbidden" }
  },
  {
    rule: "An answer to another origin says that it may be read.",
    source: cors,
    given: [one],
    asked: { method: "PUT", body: "x", headers: { origin } },
    answer: { status: 200, headers: { "access-control-allow-origin": origin } }
  },
  {
    rule: "An answer to an origin that no rule fits says nothing of the kind.",
    source: cors,
    given: [one],
    asked: { method: "PUT", body: "x", headers: { origin: "https://other.example" } },
    answer: { status: 200, headers: { "access-control-allow-origin": null } }
  }
]

export const buckets = [...basics, ...configured]
