import type { Case } from "../Case.ts"
import { ec, operation } from "../sources.ts"
import { deleteMany } from "./deleteMany.ts"
import { bucket, enabled, list, of, ownId, put, remove, suspended, two } from "./versionSteps.ts"

const getPage = operation("getobject")
const deletePage = operation("deleteobject")
const listPage = operation("listobjectversions")

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
    asked: { ...deleteMany("<Delete><Object><Key>{key}</Key></Object></Delete>"), bucket },
    answer: { status: 200, xml: { DeleteMarker: "true", DeleteMarkerVersionId: ownId } }
  },
  {
    rule: "DeleteMultipleObjects removes versions.",
    source: operation("deletemultipleobjects"),
    given: two,
    asked: {
      ...deleteMany(
        "<Delete><Object><Key>{key}</Key><VersionId>{two}</VersionId></Object></Delete>"
      ),
      bucket
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

export const deletionsAndLists: ReadonlyArray<Case> = [...deletions, ...listed]
