import type { Asked, Case, Step } from "../Case.ts"
import { ec, operation } from "../sources.ts"

/** A bucket of the case alone: what keeps versions once can't be told to forget them. */
const bucket = "{bucket}-versions"

const make: Step = { method: "PUT", bucket, key: null }

const configure = (status: string): Step => ({
  method: "PUT",
  bucket,
  key: null,
  query: { versioning: "" },
  body: `<VersioningConfiguration><Status>${status}</Status></VersioningConfiguration>`
})

const enabled = [make, configure("Enabled")]
const suspended = [make, configure("Suspended")]

/** Stores a body, and keeps its version under a name. */
const put = (body: string, as: string): Step => ({
  method: "PUT",
  bucket,
  body,
  save: { [as]: "header:x-oss-version-id" }
})

const remove: Step = { method: "DELETE", bucket, save: { marker: "header:x-oss-version-id" } }
const of = (version: string): Pick<Asked, "bucket" | "query"> => ({
  bucket,
  query: { versionId: `{${version}}` }
})
const list = (query: Record<string, string> = {}): Asked => ({
  method: "GET",
  bucket,
  key: null,
  query: { versions: "", ...query }
})
const two = [...enabled, put("first", "one"), put("second", "two")]

const putVersioning = operation("putbucketversioning")
const getVersioning = operation("getbucketversioning")
const putPage = operation("putobject")
const getPage = operation("getobject")
const deletePage = operation("deleteobject")
const listPage = operation("listobjectversions")
const copyPage = operation("copyobject")
const ownId = /^(?!null$).+/

const configurations: ReadonlyArray<Case> = [
  {
    rule: "GetBucketVersioning tells no status of a bucket that never kept versions.",
    source: getVersioning,
    given: [make],
    asked: { method: "GET", bucket, key: null, query: { versioning: "" } },
    answer: { status: 200, xml: { Status: null } }
  },
  {
    rule: "GetBucketVersioning tells that a bucket keeps versions.",
    source: getVersioning,
    given: enabled,
    asked: { method: "GET", bucket, key: null, query: { versioning: "" } },
    answer: { status: 200, xml: { Status: "Enabled" } }
  },
  {
    rule: "PutBucketVersioning suspends.",
    source: putVersioning,
    given: enabled,
    asked: configure("Suspended"),
    answer: { status: 200 },
    afterwards: [
      { method: "GET", bucket, key: null, query: { versioning: "" } },
      { status: 200, xml: { Status: "Suspended" } }
    ]
  },
  {
    rule: "PutBucketVersioning refuses another status.",
    source: putVersioning,
    given: [make],
    asked: configure("Disabled"),
    answer: { status: 400, code: "MalformedXML" }
  },
  {
    rule: "A bucket with old versions alone can't be deleted.",
    source: operation("deletebucket"),
    given: [...enabled, put("first", "one"), remove],
    asked: { method: "DELETE", bucket, key: null },
    answer: { status: 409, code: "BucketNotEmpty" }
  }
]

const objects: ReadonlyArray<Case> = [
  {
    rule: "PutObject names the version where a bucket keeps them.",
    source: putPage,
    given: enabled,
    asked: { method: "PUT", bucket, body: "first" },
    answer: { status: 200, headers: { "x-oss-version-id": ownId } }
  },
  {
    rule: "PutObject names no version where a bucket keeps none.",
    source: putPage,
    asked: { method: "PUT", body: "first" },
    answer: { status: 200, headers: { "x-oss-version-id": null } }
  },
  {
    rule: "PutObject names the version null where keeping them is suspended.",
    source: putVersioning,
    given: suspended,
    asked: { method: "PUT", bucket, body: "first" },
    answer: { status: 200, headers: { "x-oss-version-id": "null" } }
  },
  {
    rule: "GetObject reads the newest version.",
    source: getPage,
    given: two,
    asked: { method: "GET", bucket },
    answer: { status: 200, body: "second", headers: { "x-oss-version-id": "{two}" } }
  },
  {
    rule: "GetObject reads an older version by its id.",
    source: getPage,
    given: two,
    asked: { method: "GET", ...of("one") },
    answer: { status: 200, body: "first", headers: { "x-oss-version-id": "{one}" } }
  },
  {
    rule: "HeadObject tells of an older version by its id.",
    source: operation("headobject"),
    given: two,
    asked: { method: "HEAD", ...of("one") },
    answer: { status: 200, headers: { "content-length": "5", "x-oss-version-id": "{one}" } }
  },
  {
    rule: "What was stored before a bucket kept versions has the version null.",
    source: getPage,
    given: [make, { method: "PUT", bucket, body: "first" }, configure("Enabled")],
    asked: { method: "GET", bucket, query: { versionId: "null" } },
    answer: { status: 200, body: "first", headers: { "x-oss-version-id": "null" } }
  },
  {
    rule: "GetObject refuses a version id that is empty.",
    source: ec("0012-00000201"),
    given: two,
    asked: { method: "GET", bucket, query: { versionId: "" } },
    answer: { status: 400, code: "InvalidArgument", ec: "0012-00000201" }
  },
  {
    rule: "A suspended bucket replaces the version null alone.",
    source: putVersioning,
    given: [...enabled, put("first", "one"), configure("Suspended"), put("second", "two")],
    asked: put("third", "three"),
    answer: { status: 200, headers: { "x-oss-version-id": "null" } },
    afterwards: [
      list(),
      { status: 200, body: /<VersionId>null<(?!.*<VersionId>null<).*<VersionId>{one}</s }
    ]
  },
  {
    rule: "x-oss-forbid-overwrite has no effect where a bucket keeps versions.",
    source: putPage,
    given: [...enabled, put("first", "one")],
    asked: {
      method: "PUT",
      bucket,
      body: "second",
      headers: { "x-oss-forbid-overwrite": "true" }
    },
    answer: { status: 200, headers: { "x-oss-version-id": ownId } }
  },
  {
    rule: "PutObjectTagging and PutSymlink name the version.",
    source: operation("putsymlink"),
    given: enabled,
    asked: {
      method: "PUT",
      bucket,
      query: { symlink: "" },
      headers: { "x-oss-symlink-target": "{key}-target" }
    },
    answer: { status: 200, headers: { "x-oss-version-id": ownId } }
  },
  {
    rule: "PutObjectTagging tags an older version by its id.",
    source: operation("putobjecttagging"),
    given: two,
    asked: {
      method: "PUT",
      bucket,
      query: { tagging: "", versionId: "{one}" },
      body: "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>"
    },
    answer: { status: 200, headers: { "x-oss-version-id": "{one}" } },
    afterwards: [
      { method: "GET", bucket, query: { tagging: "" } },
      { status: 200, xml: { Key: null } }
    ]
  },
  {
    rule: "CompleteMultipartUpload names the version.",
    source: operation("completemultipartupload"),
    given: [
      ...enabled,
      { method: "POST", bucket, query: { uploads: "" }, save: { upload: "xml:UploadId" } },
      {
        method: "PUT",
        bucket,
        query: { partNumber: "1", uploadId: "{upload}" },
        body: 10,
        save: { etag: "header:etag" }
      }
    ],
    asked: {
      method: "POST",
      bucket,
      query: { uploadId: "{upload}" },
      body: "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    },
    answer: { status: 200, headers: { "x-oss-version-id": ownId } }
  }
]

const deletions: ReadonlyArray<Case> = [
  {
    rule: "DeleteObject puts a marker on top where a bucket keeps versions.",
    source: deletePage,
    given: [...enabled, put("first", "one")],
    asked: { method: "DELETE", bucket },
    answer: {
      status: 204,
      headers: { "x-oss-delete-marker": "true", "x-oss-version-id": ownId }
    },
    afterwards: [
      { method: "GET", bucket },
      { status: 404, code: "NoSuchKey", headers: { "x-oss-delete-marker": "true" } }
    ]
  },
  {
    rule: "DeleteObject of a suspended bucket puts the marker null in the place of the version null.",
    source: deletePage,
    given: [...suspended, put("first", "one")],
    asked: { method: "DELETE", bucket },
    answer: {
      status: 204,
      headers: { "x-oss-delete-marker": "true", "x-oss-version-id": "null" }
    },
    afterwards: [list(), { status: 200, xml: { Version: null, VersionId: "null" } }]
  },
  {
    rule: "A deleted object is still there by its version.",
    source: ec("delete-marker"),
    given: [...enabled, put("first", "one"), remove],
    asked: { method: "GET", ...of("one") },
    answer: { status: 200, body: "first" }
  },
  {
    rule: "GetObject of a delete marker by its id is not allowed.",
    source: "https://www.alibabacloud.com/help/doc-detail/164118.htm",
    given: [...enabled, put("first", "one"), remove],
    asked: { method: "GET", ...of("marker") },
    answer: {
      status: 405,
      code: "MethodNotAllowed",
      headers: { "x-oss-delete-marker": "true" }
    }
  },
  {
    rule: "An object is back once its delete marker is deleted.",
    source: ec("delete-marker"),
    given: [...enabled, put("first", "one"), remove],
    asked: { method: "DELETE", ...of("marker") },
    answer: {
      status: 204,
      headers: { "x-oss-delete-marker": "true", "x-oss-version-id": "{marker}" }
    },
    afterwards: [
      { method: "GET", bucket },
      { status: 200, body: "first" }
    ]
  },
  {
    rule: "DeleteObject with a version removes it for good.",
    source: deletePage,
    given: two,
    asked: { method: "DELETE", ...of("two") },
    answer: {
      status: 204,
      headers: { "x-oss-delete-marker": null, "x-oss-version-id": "{two}" }
    },
    afterwards: [
      { method: "GET", bucket },
      { status: 200, body: "first" }
    ]
  },
  {
    rule: "A version that was removed is no such version.",
    source: getPage,
    given: [...two, { method: "DELETE", ...of("two") }],
    asked: { method: "GET", ...of("two") },
    answer: { status: 404, code: "NoSuchVersion" }
  },
  {
    rule: "DeleteMultipleObjects tells of the markers that it makes.",
    source: operation("deletemultipleobjects"),
    given: [...enabled, put("first", "one")],
    asked: {
      method: "POST",
      bucket,
      key: null,
      query: { delete: "" },
      headers: { "content-md5": "{md5}" },
      body: "<Delete><Object><Key>{key}</Key></Object></Delete>"
    },
    answer: { status: 200, xml: { DeleteMarker: "true", DeleteMarkerVersionId: ownId } }
  },
  {
    rule: "DeleteMultipleObjects removes versions.",
    source: operation("deletemultipleobjects"),
    given: two,
    asked: {
      method: "POST",
      bucket,
      key: null,
      query: { delete: "" },
      headers: { "content-md5": "{md5}" },
      body: "<Delete><Object><Key>{key}</Key><VersionId>{two}</VersionId></Object></Delete>"
    },
    answer: { status: 200, xml: { VersionId: "{two}", DeleteMarker: null } },
    afterwards: [
      { method: "GET", bucket },
      { status: 200, body: "first" }
    ]
  }
]

const listed: ReadonlyArray<Case> = [
  {
    rule: "ListObjectVersions lists the versions of a key from the newest on, markers included.",
    source: listPage,
    given: [...two, remove],
    asked: list(),
    answer: {
      status: 200,
      body: /<DeleteMarker>.*{marker}<.*<IsLatest>true<.*<Version>.*{two}<.*<IsLatest>false<.*<Version>.*{one}</s
    }
  },
  {
    rule: "ListObjectVersions tells where the next page begins.",
    source: listPage,
    given: two,
    asked: list({ "max-keys": "1" }),
    answer: {
      status: 200,
      xml: { IsTruncated: "true", NextKeyMarker: "{key}", NextVersionIdMarker: "{two}" }
    }
  },
  {
    rule: "ListObjectVersions goes on behind a version.",
    source: listPage,
    given: two,
    asked: list({ "key-marker": "{key}", "version-id-marker": "{two}" }),
    answer: { status: 200, xml: { VersionId: "{one}", IsTruncated: "false" } }
  },
  {
    rule: "ListObjectVersions goes on behind a key.",
    source: listPage,
    given: two,
    asked: list({ "key-marker": "{key}" }),
    answer: { status: 200, xml: { VersionId: null } }
  },
  {
    rule: "ListObjectVersions refuses a version to go on behind without its key.",
    source: ec("0012-00000106"),
    given: two,
    asked: list({ "version-id-marker": "{two}" }),
    answer: { status: 400, code: "InvalidArgument", ec: "0012-00000106" }
  },
  {
    rule: "ListObjects lists no object that has a delete marker on top.",
    source: listPage,
    given: [...two, remove],
    asked: { method: "GET", bucket, key: null },
    answer: { status: 200, xml: { Key: null } }
  }
]

const copies: ReadonlyArray<Case> = [
  {
    rule: "CopyObject copies an older version by its id.",
    source: copyPage,
    given: two,
    asked: {
      method: "PUT",
      bucket,
      key: "{key}-copy",
      headers: { "x-oss-copy-source": `/${bucket}/{key}?versionId={one}` }
    },
    answer: {
      status: 200,
      headers: { "x-oss-copy-source-version-id": "{one}", "x-oss-version-id": ownId }
    },
    afterwards: [
      { method: "GET", bucket, key: "{key}-copy" },
      { status: 200, body: "first" }
    ]
  },
  {
    rule: "CopyObject refuses to copy a delete marker.",
    source: ec("0016-00000307"),
    given: [...two, remove],
    asked: {
      method: "PUT",
      bucket,
      key: "{key}-copy",
      headers: { "x-oss-copy-source": `/${bucket}/{key}?versionId={marker}` }
    },
    answer: { status: 400, code: "InvalidArgument", ec: "0016-00000307" }
  }
]

export const versions = [...configurations, ...objects, ...deletions, ...listed, ...copies]
