/** The requests of an uploader. */
import * as Part from "@effect-oss/core/Part"
import type { SourceError } from "@effect-oss/core/Source"
import type { UploadRequest } from "@effect-oss/core/Upload"
import type { FileSystem } from "effect/FileSystem"
import type { SeededRandom } from "../kernel/random.ts"
import * as SourceFiles from "../kernel/sourceFiles.ts"
import type { Condition } from "./conditions/index.ts"
import type { SourceFile } from "../kernel/sourceFiles.ts"

const drawPartSize = (random: SeededRandom) =>
  random.chance(0.8) ? Part.minPartSize : 2 * Part.minPartSize

/** Most uploaders make the same request in each run; a few change their minds until the world is calm. */
export const draw = (
  random: SeededRandom,
  conditions: ReadonlySet<Condition>,
  given: {
    readonly key: string
    readonly file: SourceFile
    readonly access: SourceFiles.Access
  }
): ((calm: boolean) => UploadRequest<SourceError, FileSystem>) => {
  const { key, file, access } = given
  const request: UploadRequest<SourceError, FileSystem> = {
    key,
    source: SourceFiles.sourceOf(file.path, access),
    partSize: drawPartSize(random),
    concurrency: random.int(1, 5),
    onSourceChanged: random.chance(0.8) ? "restart" : "fail",
    onDamagedCheckpoint: random.chance(0.7) ? "fail" : "restart",
    // Uploads of others are adopted then, because the request says so.
    discover:
      access === "RandomAccess" &&
      random.chance(0.2) &&
      !conditions.has("otherStores") &&
      !conditions.has("otherPrograms"),
    forbidOverwrite: random.chance(0.1),
    skipIdentical: random.chance(0.1),
    ...(random.chance(0.1) ? { callback: { url: "http://callback.test/", body: "done" } } : {})
  }
  if (random.chance(0.8)) return () => request
  return (calm) => {
    const changes = { partSize: drawPartSize(random), meta: { version: String(random.int(1, 2)) } }
    return calm ? request : { ...request, ...changes }
  }
}
