import type { Case, Step } from "../Case.ts"
import { operation } from "../sources.ts"

const origin = "https://app.test"
const cors = operation("putbucketcors")
const options = operation("options")

const rules = (fields: string): Step => ({
  method: "PUT",
  key: null,
  query: { cors: "" },
  body: `<CORSConfiguration><CORSRule>${fields}</CORSRule></CORSConfiguration>`
})

const one = rules(
  "<AllowedOrigin>https://*.test</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>" +
    "<AllowedHeader>x-oss-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>60</MaxAgeSeconds>"
)

const preflight = (headers: Record<string, string> = {}): Case["asked"] => ({
  method: "OPTIONS",
  sign: { version: "none" },
  headers: { origin, "access-control-request-method": "PUT", ...headers }
})

export const buckets: ReadonlyArray<Case> = [
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
