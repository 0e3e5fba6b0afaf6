import { Effect, FileSystem } from "effect"
import { bin } from "./bin.ts"
import { firstLine, root } from "./command.ts"

/** Where a reader is who does as the documents say: a directory with their files, and an OSS. */
export const place = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  // Node runs no TypeScript below node_modules.
  const options = { prefix: ".docs-run-", directory: root }
  const directory = yield* fs.makeTempDirectoryScoped(options)
  const flags = ["--access-key-id=id", "--access-key-secret=secret", "--bucket=backups"]
  const line = yield* firstLine(process.execPath, [bin, "emulator", ...flags])
  yield* fs.writeFile(`${directory}/db.tar`, new Uint8Array(300_000).fill(1))
  yield* fs.writeFile(`${directory}/yourfilepath`, new Uint8Array(5_000_000).fill(2))
  const env = {
    OSS_BUCKET: "backups",
    OSS_ENDPOINT: line.replace(/^.* /, ""),
    OSS_ACCESS_KEY_ID: "id",
    OSS_ACCESS_KEY_SECRET: "secret"
  }
  return { directory, env }
})
