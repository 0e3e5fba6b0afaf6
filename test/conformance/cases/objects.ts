import type { Case } from "../Case.ts"
import { ec, operation, throttling } from "../sources.ts"

const base64 = (text: string) => Buffer.from(text).toString("base64")

export const objects: ReadonlyArray<Case> = [
  {
    rule: "PutObject answers the MD5 as ETag, the CRC64 and a request id.",
    source: operation("putobject"),
    asked: { method: "PUT", body: "123456789" },
    answer: {
      status: 200,
      headers: {
        etag: '"25F9E794323B453885F5181F1B624D0B"',
        "x-oss-hash-crc64ecma": "11051210869376104954",
        "x-oss-request-id": /^[0-9A-F]{24}$/i
      }
    }
  },
  {
    rule: "PutObject answers the MD5 in base64, with an empty body that says so.",
    source: operation("putobject"),
    asked: { method: "PUT", body: "" },
    answer: {
      status: 200,
      headers: { "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==", "content-length": "0" }
    }
  },
  {
    rule: "PutObject refuses a body whose MD5 is another one.",
    source: operation("putobject"),
    asked: { method: "PUT", body: "x", headers: { "content-md5": "AAAAAAAAAAAAAAAAAAAAAA==" } },
    answer: { status: 400, code: "InvalidDigest" },
    afterwards: [{ method: "HEAD" }, { status: 404 }]
  },
  {
    rule: "PutObject takes a body whose MD5 is right.",
    source: operation("putobject"),
    asked: { method: "PUT", body: "", headers: { "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==" } },
    answer: { status: 200 }
  },
  {
    rule: "PutObject refuses to overwrite if that is forbidden.",
    source: operation("putobject"),
    given: [{ method: "PUT", body: "old" }],
    asked: { method: "PUT", body: "new", headers: { "x-oss-forbid-overwrite": "true" } },
    answer: { status: 409, code: "FileAlreadyExists" },
    afterwards: [{ method: "GET" }, { status: 200, body: "old" }]
  },
  {
    rule: "PutObject overwrites if that isn't forbidden.",
    source: operation("putobject"),
    given: [{ method: "PUT", body: "old" }],
    asked: { method: "PUT", body: "new", headers: { "x-oss-forbid-overwrite": "false" } },
    answer: { status: 200 },
    afterwards: [{ method: "GET" }, { status: 200, body: "new" }]
  },
  {
    rule: "PutObject refuses an x-oss-forbid-overwrite that is neither true nor false.",
    source: operation("putobject"),
    asked: { method: "PUT", body: "x", headers: { "x-oss-forbid-overwrite": "yes" } },
    answer: { status: 400, code: "InvalidArgument" }
  },
  ...["abc", "819199", "838860801"].map((limit): Case => ({
    rule: `PutObject refuses the traffic limit ${limit}.`,
    source: ec("0004-00000502"),
    asked: { method: "PUT", body: "x", headers: { "x-oss-traffic-limit": limit } },
    answer: { status: 400, code: "InvalidArgument", ec: "0004-00000502" }
  })),
  ...["819200", "838860800"].map((limit): Case => ({
    rule: `PutObject takes the traffic limit ${limit}.`,
    source: throttling,
    asked: { method: "PUT", body: "x", headers: { "x-oss-traffic-limit": limit } },
    answer: { status: 200 }
  })),
  {
    rule: "PutObject refuses a callback that is not base64.",
    source: ec("0007-00000002"),
    asked: { method: "PUT", body: "x", headers: { "x-oss-callback": "x123-*&" } },
    answer: { status: 400, code: "InvalidArgument", ec: "0007-00000002" },
    afterwards: [{ method: "HEAD" }, { status: 404 }]
  },
  {
    rule: "PutObject refuses a callback that is base64 of no JSON.",
    source: ec("0007-00000003"),
    asked: { method: "PUT", body: "x", headers: { "x-oss-callback": base64("{") } },
    answer: { status: 400, code: "InvalidArgument", ec: "0007-00000003" }
  },
  {
    rule: "PutObject refuses callback variables that are not base64.",
    source: ec("0007-00000102"),
    asked: {
      method: "PUT",
      body: "x",
      headers: {
        "x-oss-callback": base64('{"callbackUrl":"http://192.0.2.1/","callbackBody":"x"}'),
        "x-oss-callback-var": "x123-*&"
      }
    },
    answer: { status: 400, code: "InvalidArgument", ec: "0007-00000102" }
  },
  {
    rule: "PutObject refuses an ACL that OSS doesn't know.",
    source: operation("putobjectacl"),
    asked: { method: "PUT", body: "x", headers: { "x-oss-object-acl": "mine" } },
    answer: { status: 400, code: "InvalidArgument" }
  },
  {
    rule: "PutObject refuses a storage class that OSS doesn't know.",
    source: operation("putobject"),
    asked: { method: "PUT", body: "x", headers: { "x-oss-storage-class": "Cupboard" } },
    answer: { status: 400, code: "InvalidArgument" }
  },
  ...[
    ["/", "/{key}"],
    ["\\", "\\{key}"]
  ].map(([first, key = ""]): Case => ({
    rule: `PutObject refuses a key that begins with ${first}.`,
    source: ec("0016-00000005"),
    asked: { method: "PUT", key, body: "x" },
    answer: { status: 400, code: "InvalidObjectName", ec: "0016-00000005" }
  })),
  {
    rule: "PutObject refuses a key of more than 1,023 bytes.",
    source: ec("0016-00000002"),
    asked: { method: "PUT", key: `k${"é".repeat(512)}`, body: "x" },
    answer: { status: 400, code: "InvalidObjectName", ec: "0016-00000002" }
  },
  {
    rule: "GetObject gives back the body, its headers and its metadata.",
    source: operation("getobject"),
    given: [
      {
        method: "PUT",
        body: "hello",
        headers: {
          "content-type": "text/plain",
          "content-disposition": "attachment",
          "cache-control": "no-cache",
          "x-oss-meta-owner": "me"
        }
      }
    ],
    asked: { method: "GET" },
    answer: {
      status: 200,
      body: "hello",
      headers: {
        "content-type": "text/plain",
        "content-disposition": "attachment",
        "cache-control": "no-cache",
        "x-oss-meta-owner": "me",
        "x-oss-object-type": "Normal",
        "accept-ranges": "bytes"
      }
    }
  },
  {
    rule: "GetObject takes headers of the answer from the query.",
    source: operation("getobject"),
    given: [{ method: "PUT", body: "hello", headers: { "content-type": "text/plain" } }],
    asked: { method: "GET", query: { "response-content-type": "image/png" } },
    answer: { status: 200, headers: { "content-type": "image/png" } }
  },
  {
    rule: "GetObject refuses a key that isn't there.",
    source: operation("getobject"),
    asked: { method: "GET" },
    answer: { status: 404, code: "NoSuchKey", ec: "0026-00000001", xml: { Key: "{key}" } }
  },
  {
    rule: "HeadObject carries an error in a header.",
    source: operation("headobject"),
    asked: { method: "HEAD" },
    answer: { status: 404, headers: { "x-oss-err": /^[A-Za-z0-9+/=]+$/ } }
  },
  {
    rule: "HeadObject tells the size, the CRC64 and how many tags there are.",
    source: operation("headobject"),
    given: [{ method: "PUT", body: "123456789", headers: { "x-oss-tagging": "a=1&b=2" } }],
    asked: { method: "HEAD" },
    answer: {
      status: 200,
      headers: {
        "content-length": "9",
        "x-oss-hash-crc64ecma": "11051210869376104954",
        "x-oss-tagging-count": "2",
        "x-oss-tagging": null
      }
    }
  },
  {
    rule: "GetObjectMeta tells the size and the ETag, but no metadata.",
    source: operation("getobjectmeta"),
    given: [{ method: "PUT", body: "123456789", headers: { "x-oss-meta-owner": "me" } }],
    asked: { method: "HEAD", query: { objectMeta: "" } },
    answer: {
      status: 200,
      headers: { "content-length": "9", etag: /^"/, "x-oss-meta-owner": null }
    }
  },
  {
    rule: "DeleteObject removes an object.",
    source: operation("deleteobject"),
    given: [{ method: "PUT", body: "x" }],
    asked: { method: "DELETE" },
    answer: { status: 204 },
    afterwards: [{ method: "HEAD" }, { status: 404 }]
  },
  {
    rule: "DeleteObject of what isn't there is a success.",
    source: operation("deleteobject"),
    asked: { method: "DELETE" },
    answer: { status: 204 }
  }
]
