/**
 * Where a file really is. Of many files in one directory, the directory is
 * looked up once a second: Node looks at each directory on the way.
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import * as Monotonic from "../monotonic.ts"

interface Known {
  readonly real: string
  readonly at: number
}

/** In milliseconds. A directory that is moved meanwhile counts as moved that much later. */
const freshFor = 1_000

/** Of one file system. */
const mostKnown = 1_000

const directories = new WeakMap<FileSystem.FileSystem, Map<string, Known>>()

/** The real path of a file that is no link itself. */
export const ofFile = (
  fs: FileSystem.FileSystem,
  path: string
): Effect.Effect<string, PlatformError> => {
  const end = path.lastIndexOf("/")
  const name = path.slice(end + 1)
  // On Windows a path may have other separators, and then it is looked up as a whole.
  const isPlain = end > 0 && name !== "" && name !== "." && name !== ".." && !path.includes("\\")
  if (!isPlain) return fs.realPath(path)
  return Effect.map(ofDirectory(fs, path.slice(0, end)), (real) =>
    real.endsWith("/") ? `${real}${name}` : `${real}/${name}`
  )
}

const ofDirectory = (fs: FileSystem.FileSystem, path: string) =>
  Effect.flatMap(Monotonic.now, (now) => {
    const all = directories.get(fs) ?? new Map<string, Known>()
    directories.set(fs, all)
    const known = all.get(path)
    if (known !== undefined && now - known.at < freshFor) return Effect.succeed(known.real)
    return Effect.map(fs.realPath(path), (real) => {
      if (all.size >= mostKnown) all.clear()
      all.set(path, { real, at: now })
      return real
    })
  })
