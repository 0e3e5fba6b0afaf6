/**
 * Finds the real path of a file. The real path of its directory is cached for a
 * second, because Node looks at each directory on the way.
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import * as Monotonic from "../monotonic.ts"

interface Known {
  readonly real: string
  readonly at: number
}

/**
 * How long a real path is cached, in milliseconds. If a directory is moved, that
 * shows so much later.
 */
const freshFor = 1_000

/** The cached paths of a file system. */
const mostKnown = 1_000

const directories = new WeakMap<FileSystem.FileSystem, Map<string, Known>>()

/** The real path of a file that isn't a link itself. */
export const ofFile = (
  fs: FileSystem.FileSystem,
  path: string
): Effect.Effect<string, PlatformError> => {
  const end = path.lastIndexOf("/")
  const name = path.slice(end + 1)
  // Paths on Windows may have other separators, so they are looked up whole.
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
