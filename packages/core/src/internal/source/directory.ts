/**
 * Walks a directory: one entry after the other, so that memory holds one list
 * of names for each level at most, however many files there are.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Glob from "effect/Glob"
import * as Path from "effect/Path"
import * as Stream from "effect/Stream"
import { SourceError, SourceNotFound, SourceUnreadable } from "../../SourceError.ts"

export interface Options {
  readonly include: ReadonlyArray<string>
  readonly exclude: ReadonlyArray<string>
}

/** What is found: a file, or whatever else isn't a directory; or one that can't be listed, with why. */
export interface Entry {
  /** Relative to the directory, with `/` between the names. */
  readonly name: string
  /** For the file system. */
  readonly path: string
  readonly unlistable?: SourceError
}

/** The entries below a directory, sorted within each. Fails if the directory itself can't be listed. */
export const walk = (
  directory: string,
  options: Options
): Stream.Stream<Entry, SourceError, FileSystem.FileSystem | Path.Path> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const includes = matcher(options.include)
      const excludes = matcher(options.exclude)

      /** `name` is empty or ends with a slash. */
      const entries = (parent: string, name: string): Stream.Stream<Entry, SourceError> =>
        Stream.fromIterableEffect(names(fs, parent)).pipe(
          Stream.map((entry) => ({
            type: entry.type,
            name: `${name}${entry.name}`,
            path: path.join(parent, entry.name)
          })),
          Stream.mapEffect((entry) => typed(fs, entry)),
          Stream.filter(({ type, name }) => !excludes(type === "Directory" ? `${name}/` : name)),
          Stream.flatMap(({ type, ...entry }) =>
            type === "Directory"
              ? below(entry)
              : includes(entry.name)
                ? Stream.succeed(entry)
                : Stream.empty
          )
        )

      const below = (directory: Entry): Stream.Stream<Entry> =>
        Stream.catch(
          Stream.suspend(() => entries(directory.path, `${directory.name}/`)),
          (unlistable) => Stream.succeed({ ...directory, unlistable })
        )

      return entries(directory, "")
    })
  )

const names = (fs: FileSystem.FileSystem, path: string) =>
  Effect.mapBoth(fs.readDirectoryEntries(path), {
    onSuccess: (entries) => [...entries].sort((a, b) => (a.name < b.name ? -1 : 1)),
    onFailure: ({ reason }) =>
      new SourceError({
        source: path,
        reason:
          reason._tag === "NotFound"
            ? new SourceNotFound()
            : new SourceUnreadable({ description: reason.message })
      })
  })

/** Hidden files are files like others. */
const matcher = (patterns: ReadonlyArray<string>) => {
  const globs = patterns.map((pattern) => Glob.make(pattern, { dot: true }))
  return (name: string) => globs.some((glob) => Glob.match(glob, name))
}

/** Some file systems don't tell types in lists. What is gone meanwhile is told when it is opened. */
const typed = <E extends Entry & { readonly type: FileSystem.File.Type }>(
  fs: FileSystem.FileSystem,
  entry: E
): Effect.Effect<E> =>
  entry.type === "Unknown"
    ? Effect.match(fs.lstat(entry.path), {
        onSuccess: ({ type }) => ({ ...entry, type }),
        onFailure: () => entry
      })
    : Effect.succeed(entry)
