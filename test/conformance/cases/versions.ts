import type { Case } from "../Case.ts"
import { ec, operation } from "../sources.ts"
import { deletionsAndLists } from "./deletionsAndLists.ts"
import {
  bucket,
  configure,
  enabled,
  list,
  make,
  of,
  ownId,
  put,
  remove,
  suspended,
  two
} from "./versionSteps.ts"

const putVersioning = operation("putbucketversioning")
const getVersioning = operation("getbucketversioning")
const putPage = operation("putobject")
const getPage = operation("getobject")
const copyPage = operation("copyobject")

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

export const versions = [...configurations, ...objects, ...deletionsAndLists, ...copies]
