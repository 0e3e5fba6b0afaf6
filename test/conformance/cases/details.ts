import type { Asked, Case, Step } from "../Case.ts"
import { operation } from "../sources.ts"
import { deleteMany } from "./deleteMany.ts"

const object: Step = { method: "PUT", body: "x" }

const tags = (...pairs: ReadonlyArray<readonly [string, string]>) =>
  `<Tagging><TagSet>${pairs
    .map(([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`)
    .join("")}</TagSet></Tagging>`

const putTags = (body: string): Asked => ({ method: "PUT", query: { tagging: "" }, body })
const putAcl = (acl: string): Asked => ({
  method: "PUT",
  query: { acl: "" },
  headers: { "x-oss-object-acl": acl }
})
const link = (target: string, key = "{key}"): Asked => ({
  method: "PUT",
  key,
  query: { symlink: "" },
  headers: { "x-oss-symlink-target": target }
})

const removal = (quiet: boolean) =>
  `<Delete><Quiet>${quiet}</Quiet><Object><Key>{key}</Key></Object><Object><Key>{key}-none</Key></Object></Delete>`

const many = operation("deletemultipleobjects")

export const details: ReadonlyArray<Case> = [
  {
    rule: "PutObjectTagging sets tags, which GetObjectTagging gives.",
    source: operation("putobjecttagging"),
    given: [object, putTags(tags(["a", "1"]))],
    asked: { method: "GET", query: { tagging: "" } },
    answer: { status: 200, xml: { Key: "a", Value: "1" } }
  },
  {
    rule: "An object without tags has an empty set of them.",
    source: operation("getobjecttagging"),
    given: [object],
    asked: { method: "GET", query: { tagging: "" } },
    answer: { status: 200, xml: { Tagging: /TagSet/, Tag: null } }
  },
  {
    rule: "DeleteObjectTagging removes tags.",
    source: operation("deleteobjecttagging"),
    given: [object, putTags(tags(["a", "1"]))],
    asked: { method: "DELETE", query: { tagging: "" } },
    answer: { status: 204 },
    afterwards: [{ method: "HEAD" }, { status: 200, headers: { "x-oss-tagging-count": null } }]
  },
  {
    rule: "PutObjectTagging refuses more than 10 tags.",
    source: operation("putobjecttagging"),
    given: [object],
    asked: putTags(tags(...Array.from({ length: 11 }, (_, n) => [`k${n}`, "v"] as const))),
    answer: { status: 400, code: "InvalidTag" }
  },
  {
    rule: "PutObjectTagging refuses a key that is there twice.",
    source: operation("putobjecttagging"),
    given: [object],
    asked: putTags(tags(["a", "1"], ["a", "2"])),
    answer: { status: 400, code: "InvalidTag" }
  },
  {
    rule: "PutObjectTagging refuses an object that isn't there.",
    source: operation("putobjecttagging"),
    asked: putTags(tags(["a", "1"])),
    answer: { status: 404, code: "NoSuchKey" }
  },
  {
    rule: "An object has the ACL `default` unless it was given another.",
    source: operation("getobjectacl"),
    given: [object],
    asked: { method: "GET", query: { acl: "" } },
    answer: { status: 200, xml: { Grant: "default" } }
  },
  {
    rule: "PutObjectACL sets the ACL, which GetObjectACL gives.",
    source: operation("putobjectacl"),
    given: [object, putAcl("private")],
    asked: { method: "GET", query: { acl: "" } },
    answer: { status: 200, xml: { Grant: "private" } }
  },
  {
    rule: "PutObjectACL refuses an ACL that OSS doesn't know.",
    source: operation("putobjectacl"),
    given: [object],
    asked: putAcl("mine"),
    answer: { status: 400, code: "InvalidArgument" }
  },
  {
    rule: "PutSymlink makes a link, which GetSymlink follows by name.",
    source: operation("putsymlink"),
    given: [{ ...object, key: "{key}-target" }, link("{key}-target")],
    asked: { method: "GET", query: { symlink: "" } },
    answer: { status: 200, headers: { "x-oss-symlink-target": /-target$/ } }
  },
  {
    rule: "GetObject of a link gives the target's bytes.",
    source: operation("getobject"),
    given: [{ method: "PUT", key: "{key}-target", body: "hello" }, link("{key}-target")],
    asked: { method: "GET" },
    answer: { status: 200, body: "hello", headers: { "x-oss-object-type": "Symlink" } }
  },
  {
    rule: "GetObject of a link to what isn't there is refused.",
    source: operation("getobject"),
    given: [link("{key}-target")],
    asked: { method: "GET" },
    answer: { status: 404, code: "SymlinkTargetNotExist" }
  },
  {
    rule: "GetSymlink of an object is refused.",
    source: operation("getsymlink"),
    given: [object],
    asked: { method: "GET", query: { symlink: "" } },
    answer: { status: 400, code: "NotSymlink" }
  },
  {
    rule: "DeleteMultipleObjects names what it deleted, also what wasn't there.",
    source: many,
    given: [object],
    asked: deleteMany(removal(false)),
    answer: { status: 200, xml: { DeleteResult: /-none<\/Key>/ } },
    afterwards: [{ method: "HEAD" }, { status: 404 }]
  },
  {
    rule: "DeleteMultipleObjects is quiet if it is told so.",
    source: many,
    given: [object],
    asked: deleteMany(removal(true)),
    answer: { status: 200, xml: { Deleted: null } },
    afterwards: [{ method: "HEAD" }, { status: 404 }]
  },
  {
    rule: "DeleteMultipleObjects refuses what names no object.",
    source: many,
    asked: deleteMany("<Delete></Delete>"),
    answer: { status: 400, code: "MalformedXML" }
  }
]
