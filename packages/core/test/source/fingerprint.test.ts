import { assert, describe, it } from "@effect/vitest"
import * as Fingerprint from "../../src/internal/source/fingerprint.ts"

const facts = { size: 1_000, modified: Date.UTC(2030, 0, 1, 12), inode: 42n }
const file = Fingerprint.make(facts)

describe("two fingerprints", () => {
  it.each<[string, string, string, Fingerprint.Comparison]>([
    ["all facts agree", file, Fingerprint.make({ ...facts }), "same"],
    ["only the inode differs", file, Fingerprint.make({ ...facts, inode: 43n }), "compare"],
    ["only one has an inode", file, Fingerprint.make({ ...facts, inode: undefined }), "compare"],
    ["the size differs", file, Fingerprint.make({ ...facts, size: 1_001 }), "other"],
    ["the time differs", file, Fingerprint.make({ ...facts, modified: 1 }), "other"],
    ["inode and time differ", file, Fingerprint.make({ size: 1_000, inode: 43n }), "other"],
    [
      "only the time of a chosen file differs",
      Fingerprint.make({ size: 1, touched: 1 }),
      Fingerprint.make({ size: 1, touched: 2 }),
      "compare"
    ],
    ["both are a stream's", "", "", "same"],
    ["one is a stream's", file, "", "other"],
    ["one is a text of somebody's own", "v1", "v2", "other"],
    ["one is damaged", `${file};inode`, `${file};inode=%E0%A4%A`, "other"]
  ])("of which %s", (_, then, now, expected) => {
    assert.strictEqual(Fingerprint.compare(then, now), expected)
    assert.strictEqual(Fingerprint.compare(now, then), expected)
  })

  it.each<[string, string, string]>([
    [
      "sizes",
      Fingerprint.make({ ...facts, size: 5, inode: 43n }),
      "its size was 1000 bytes and is 5 bytes"
    ],
    [
      "times",
      Fingerprint.make({ ...facts, modified: facts.modified + 1_500 }),
      "its time of modification was 2030-01-01T12:00:00.000Z and is 2030-01-01T12:00:01.500Z"
    ],
    [
      "another file",
      Fingerprint.make({ ...facts, inode: 43n }),
      "another file has taken its place"
    ],
    ["nothing that nobody can read", "v2", "its content is not what it was"]
  ])("differ, and messages show %s", (_, now, expected) =>
    assert.strictEqual(Fingerprint.difference(file, now), expected)
  )

  it("keep what a server sent as it is", () => {
    const [was, is] = ['"a;b=c"', 'W/"é"'].map((etag) => Fingerprint.make({ etag }))
    assert.strictEqual(Fingerprint.difference(was!, is!), 'its ETag was "a;b=c" and is W/"é"')
  })
})
