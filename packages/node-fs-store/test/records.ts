/** What the child process writes and its parent expects; apart from the contract's, which would load a test runner. */
import type { Checkpoint, Part } from "@effect-oss/core"

/** A header. */
export const header: Checkpoint.Header = {
  endpoint: "https://oss-cn-hangzhou.aliyuncs.com",
  bucket: "bucket",
  key: "db.tar",
  sourceId: "file:/data/db.tar",
  fingerprint: "9000",
  size: 9000,
  partSize: 1,
  options: "",
  createdAt: 1,
  phase: { _tag: "Uploading", uploadId: "id" }
}

/** A part like no other. */
export const part = (number: number): Part.UploadedPart => ({
  number,
  offset: number - 1,
  size: 1,
  etag: `"${number}"`,
  crc64: BigInt(number)
})
