/** Finds the key of each file. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { UsageError } from "../CliFailure.ts"
import type { ObjectUrl } from "../ObjectUrl.ts"

/** The error if several files, or a directory, would get one key. */
export const oneKey = ({ bucket, key }: ObjectUrl, what: number | string) =>
  new UsageError({
    problem: `${typeof what === "number" ? `${what} files` : `${what}: a directory`} can't become the one object oss://${bucket}/${key}`,
    remedy: `let the key end in a slash, oss://${bucket}/${key}/, to have the names appended`
  })

/** The kind of a path. If it can't be read, the upload reports that. */
export const kindOf = (path: string) =>
  FileSystem.FileSystem.use((fs) => fs.stat(path)).pipe(
    Effect.match({
      onFailure: () => ({ path, directory: false }),
      onSuccess: ({ type }) => ({ path, directory: type === "Directory" })
    })
  )
