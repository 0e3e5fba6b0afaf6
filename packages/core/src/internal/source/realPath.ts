/**
 * Real paths of many files. To resolve one costs a look at each directory on
 * the way, and files of one upload of many lie in few: a directory that was
 * resolved within the last second is not resolved again.
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import * as Monotonic from "../monotonic.ts"

/** In milliseconds. Whoever moves a directory meanwhile gets the name that a source had before; its fingerprint tells the files apart. */
const freshFor = 1_000

/** Of directories that are remembered. */
const most = 1_000

interface Directory {
  readonly at: number
  /** Absent: one file of it was resolved, by itself. */
  readonly real?: string
}

const directoriesOf = new WeakMap<FileSystem.FileSystem, Map<string, Directory>>()

/** Without links, and absolute. */
export const of = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  path: string
): Effect.fn.Return<string, PlatformError> {
  const at = path.lastIndexOf("/")
  const [directory, name] = [path.slice(0, at), path.slice(at + 1)]
  // Other paths depend on the working directory, or on what their last step means.
  const isPlain = at > 0 && path.startsWith("/") && !["", ".", ".."].includes(name)
  if (!isPlain) return yield* fs.realPath(path)
  const real = yield* realDirectory(fs, directory)
  const isKnown = real !== undefined && !(yield* mayBeLink(fs, path))
  return isKnown ? `${real}/${name}` : yield* fs.realPath(path)
})

/** Undefined at the first file: one file alone costs no more than before. */
const realDirectory = Effect.fnUntraced(function* (fs: FileSystem.FileSystem, directory: string) {
  const now = yield* Monotonic.now
  const known = remembered(fs)
  const last = known.get(directory)
  const isFresh = last !== undefined && now - last.at < freshFor
  if (isFresh && last.real !== undefined) return last.real
  if (known.size >= most) known.clear()
  if (!isFresh) {
    known.set(directory, { at: now })
    return undefined
  }
  const real = yield* fs.realPath(directory)
  known.set(directory, { at: now, real: real === "/" ? "" : real })
  return real === "/" ? "" : real
})

const remembered = (fs: FileSystem.FileSystem): Map<string, Directory> => {
  const known = directoriesOf.get(fs) ?? new Map<string, Directory>()
  directoriesOf.set(fs, known)
  return known
}

/** POSIX: to read a link that is none is EINVAL. Whatever else happens, it may be one. */
const mayBeLink = (fs: FileSystem.FileSystem, path: string) =>
  Effect.match(fs.readLink(path), {
    onSuccess: () => true,
    onFailure: ({ reason: { cause } }) =>
      !(cause instanceof Error && "code" in cause && cause.code === "EINVAL")
  })
