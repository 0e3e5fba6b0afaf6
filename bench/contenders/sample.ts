/**
 * The loop that Alibaba's documentation shows for resumable uploads, with the
 * checkpoint in a file, as it stands there but for region, keys and names.
 */
import OSS from "ali-oss"
import fs from "node:fs"
import { basename, join } from "node:path"
import { note, task } from "./report.ts"

const { endpoint, files, directory, partSize, parallel } = task

const client = new OSS({
  accessKeyId: "id",
  accessKeySecret: "secret",
  authorizationV4: true,
  region: "oss-cn-hangzhou",
  endpoint,
  bucket: "bucket"
})

const single = files.length === 1
const options = {
  ...(partSize === undefined ? {} : { partSize }),
  ...(parallel === undefined || !single ? {} : { parallel })
}

let checkpointBytes = 0

const resumable = async (filePath: string, checkpointFile: string) => {
  const loadCheckpoint = () => {
    if (fs.existsSync(checkpointFile)) {
      return JSON.parse(fs.readFileSync(checkpointFile, "utf8"))
    }
    return null
  }

  const saveCheckpoint = (cpt: unknown) => {
    const text = JSON.stringify(cpt)
    checkpointBytes += Buffer.byteLength(text)
    fs.writeFileSync(checkpointFile, text)
  }

  let checkpoint = loadCheckpoint()

  for (let i = 0; i < 5; i++) {
    try {
      await client.multipartUpload(basename(filePath), filePath, {
        ...options,
        checkpoint,
        async progress(_percentage: number, cpt: unknown) {
          checkpoint = cpt
          saveCheckpoint(cpt)
        }
      })
      if (fs.existsSync(checkpointFile)) fs.unlinkSync(checkpointFile)
      return
    } catch (e) {
      console.error(String(e))
    }
  }
  process.exitCode = 1
}

await Promise.all(
  files.map((file, index) => resumable(file, join(directory, `checkpoint-${index}.json`)))
)
note({ checkpointBytes })
