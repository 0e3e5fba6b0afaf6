/** Creates a directory and its parents. Node's own recursion never ends if the system can create nothing, as below `/proc`. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"

export const ensureDirectory = (
  directory: string
): Effect.Effect<void, PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    if (yield* fs.exists(directory)) return
    const parent = path.dirname(path.resolve(directory))
    if (parent !== path.resolve(directory)) yield* ensureDirectory(parent)
    yield* Effect.catchReason(
      fs.makeDirectory(directory),
      "PlatformError",
      "AlreadyExists",
      () => Effect.void
    )
  })
