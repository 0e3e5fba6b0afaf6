/**
 * The AWS SDK's managed upload, the nearest of its kind in another cloud: OSS
 * speaks enough of S3's tongue for it. Its defaults, but for check sums, which
 * S3 wants in trailers that the sink doesn't read.
 */
import { S3Client } from "@aws-sdk/client-s3"
import { Upload } from "@aws-sdk/lib-storage"
import { createReadStream } from "node:fs"
import { basename } from "node:path"
import { task } from "./report.ts"

const { endpoint, files, partSize, parallel } = task

const client = new S3Client({
  endpoint,
  region: "oss-cn-hangzhou",
  forcePathStyle: true,
  credentials: { accessKeyId: "id", secretAccessKey: "secret" },
  requestChecksumCalculation: "WHEN_REQUIRED",
  responseChecksumValidation: "WHEN_REQUIRED"
})

await Promise.all(
  files.map((file) =>
    new Upload({
      client,
      params: { Bucket: "bucket", Key: basename(file), Body: createReadStream(file) },
      ...(partSize === undefined ? {} : { partSize }),
      ...(parallel === undefined ? {} : { queueSize: parallel })
    }).done()
  )
)
client.destroy()
