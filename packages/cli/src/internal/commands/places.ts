/** What goes where. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { UsageError } from "../CliFailure.ts"
import type { ObjectUrl } from "../ObjectUrl.ts"

/** `what` can't have this key together; a number stands for so many files. */
export const oneKey = ({ bucket, key }: ObjectUrl, what: number | string) =>
  new UsageError({
    problem: `${typeof what === "number" ? `${what} files` : `${what}: a directory`} can't become the one object oss://${bucket}/${key}`,
    remedy: `let the key end in a slash, oss://${bucket}/${key}/, to have the names appended`
  })

/** What can't be looked at is for the upload to complain about. */
export const kindOf = (path: string) =>
  FileSystem.FileSystem.use((fs) => fs.stat(path)).pipe(
    Effect.match({
      onFailure: () => ({ path, directory: false }),
      onSuccess: ({ type }) => ({ path, directory: type === "Directory" })
    })
  )
