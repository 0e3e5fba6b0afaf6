/** The upload of all processes: five parts, the last one short. */
import * as Redacted from "effect/Redacted"
import * as OssClient from "@effect-oss/core/OssClient"
import * as Part from "@effect-oss/core/Part"
import * as Source from "@effect-oss/core/Source"
import type { UploadRequest } from "@effect-oss/core/Upload"

export const bucket = "test-bucket"

export const keys = { accessKeyId: "id", accessKeySecret: "secret" }

/** A client of the emulator at a URL. */
export const client = (url: string) =>
  OssClient.layer({
    bucket,
    endpoint: url.replace("127.0.0.1", "localhost"),
    pathStyle: true,
    credentials: {
      accessKeyId: keys.accessKeyId,
      accessKeySecret: Redacted.make(keys.accessKeySecret)
    }
  })

export const key = "backups/db.tar"

const partSize = Part.minPartSize

export const content = Uint8Array.from(
  { length: 4 * partSize + 1_000 },
  (_, index) => (index * index) >> 7
)

export const request = {
  key,
  source: Source.bytes(content, "source"),
  partSize,
  concurrency: 1
} satisfies UploadRequest
