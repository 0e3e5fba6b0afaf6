/**
 * A bare loop of ali-oss's `put`, so many files at once.
 */
import OSS from "ali-oss"
import { basename } from "node:path"
import { task } from "./report.ts"

const { endpoint, files, parallel = 5 } = task

const client = new OSS({
  accessKeyId: "id",
  accessKeySecret: "secret",
  authorizationV4: true,
  region: "oss-cn-hangzhou",
  endpoint,
  bucket: "bucket"
})

const left = files.values()
const worker = async () => {
  for (const file of left) await client.put(basename(file), file)
}
await Promise.all(Array.from({ length: parallel }, worker))
