import { assert, describe, it } from "@effect/vitest"
import type { Checkpoint } from "@effect-oss/core"
import { pendingTable } from "../../src/internal/PendingTable.ts"

const summary = (key: string, sourceId: string, durable: number): Checkpoint.Summary => ({
  checkpointKey: key,
  header: {
    endpoint: "http://oss.test",
    bucket: "bucket",
    key,
    sourceId,
    fingerprint: "",
    size: 1000,
    partSize: 100,
    options: "",
    createdAt: 0,
    uploadId: "1"
  },
  durable,
  parts: durable / 100
})

describe("the table of pending uploads", () => {
  it("has a column for each fact", () => {
    assert.deepStrictEqual(
      pendingTable(
        [
          summary("a", "file:/data/a", 400),
          summary("backups/db.tar", "file:/db.tar", 1000),
          summary("c", "bytes:\u001B[2J", 0)
        ],
        125_000
      ),
      [
        "OBJECT                       FILE        DONE  AGE        DIRECTORY",
        "oss://bucket/a               a           40 %  2 min 5 s  /data",
        "oss://bucket/backups/db.tar  db.tar      99 %  2 min 5 s  /",
        "oss://bucket/c               bytes: [2J  0 %   2 min 5 s"
      ]
    )
  })

  it("stands straight with Chinese names, which are two columns a character", () => {
    const rows = [summary("备份/杭州", "file:/数据/杭州", 400), summary("a", "file:/b", 0)]
    assert.deepStrictEqual(pendingTable(rows, 1_000), [
      "OBJECT                  FILE  DONE  AGE  DIRECTORY",
      "oss://bucket/备份/杭州  杭州  40 %  1 s  /数据",
      "oss://bucket/a          b     0 %   1 s  /"
    ])
  })

  it("says so if there is none", () => {
    assert.deepStrictEqual(pendingTable([], 0), ["no upload is waiting to be resumed"])
  })
})
