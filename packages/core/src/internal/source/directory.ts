/**
 * Walks a directory one entry after the other. So memory holds at most one list
 * of names for each level.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Stream from "effect/Stream"
import { SourceError, SourceNotAFile, SourceNotFound, SourceUnreadable } from "../../SourceError.ts"
import * as Patterns from "./patterns.ts"

export interface Options {
  /** Patterns of the entries to include. Empty: include everything. */
  readonly include: ReadonlyArray<string>
  readonly exclude: ReadonlyArray<string>
  /** What to do with symbolic links to directories. */
  readonly links: "follow" | "skip" | "fail"
}

interface Found {
  /** Relative to the directory, with `/` between the names. */
  readonly name: string
  /** The path to give to the file system. */
  readonly path: string
  /** All patterns that match the entry. */
  readonly patterns: ReadonlyArray<string>
}

export type Reason = "Excluded" | "NotIncluded" | "LinkToDirectory" | "Cycle" | "NotAFile"

export interface File extends Found {
  readonly _tag: "File"
}

/**
 * An entry that is left out:
 *
 * - `Excluded`, `NotIncluded`: because of a pattern;
 * - `LinkToDirectory`: a link to a directory, unless `links` is `follow`;
 * - `Cycle`: a link to a directory that contains it;
 * - `NotAFile`: a pipe, a socket or a device.
 */
export interface LeftOut extends Found {
  readonly _tag: "LeftOut"
  readonly reason: Reason
}

export interface Failed extends Found {
  readonly _tag: "Failed"
  readonly error: SourceError
}

export type Entry = File | LeftOut | Failed

/** A directory that is being listed. */
interface Place {
  /** The name relative to the root: empty, or with a slash at its end. */
  readonly name: string
  readonly path: string
  /** The real path, if links are followed. */
  readonly real: string
  /** The real paths of the parent directories, to detect cycles. */
  readonly around: ReadonlyArray<string>
  /** The patterns of `include` that match a parent directory. Everything in such a directory is included. */
  readonly included: ReadonlyArray<string>
}

/** The services and options of the walk. */
interface Walk {
  readonly fs: FileSystem.FileSystem
  readonly path: Path.Path
  readonly options: Options
  readonly included: (path: string) => ReadonlyArray<string>
  readonly excluded: (path: string) => ReadonlyArray<string>
}

/**
 * Returns the entries below a directory, sorted by name within each directory.
 * Fails if the directory itself can't be listed.
 */
export const walk = (
  directory: string,
  options: Options
): Stream.Stream<Entry, SourceError, FileSystem.FileSystem | Path.Path> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const included = Patterns.matcher(options.include)
      const excluded = Patterns.matcher(options.exclude)
      const real = yield* Effect.orElseSucceed(fs.realPath(directory), () => directory)
      const place = { name: "", path: directory, real, around: [], included: [] }
      return entries({ fs, path, options, included, excluded }, place)
    })
  )

const entries = (walk: Walk, place: Place): Stream.Stream<Entry, SourceError> =>
  Stream.fromIterableEffect(list(walk, place.path)).pipe(
    Stream.mapEffect((listed) => resolved(walk, place, listed)),
    Stream.flatMap((listed) => entryOf(walk, place, listed))
  )

const entryOf = (
  walk: Walk,
  place: Place,
  { name: own, type, decodes }: Listed
): Stream.Stream<Entry> => {
  const name = `${place.name}${own}`
  const path = walk.path.join(place.path, own)
  const isDirectory = type === "Directory" || type === "LinkToDirectory"
  const matched = isDirectory ? `${name}/` : name
  const excluded = walk.excluded(matched)
  const included = [...place.included, ...walk.included(matched)]
  const found = { name, path, patterns: [...excluded, ...included] }
  const leftOut = (reason: Reason) => Stream.succeed<Entry>({ _tag: "LeftOut", ...found, reason })
  const failed = (error: SourceError) => Stream.succeed<Entry>({ _tag: "Failed", ...found, error })
  if (excluded.length > 0) return leftOut("Excluded")
  if (!decodes) return failed(undecodable(path))
  const below = (real: string) => {
    const around = [...place.around, place.real]
    return around.includes(real)
      ? leftOut("Cycle")
      : Stream.catch(
          Stream.suspend(() => entries(walk, { name: `${name}/`, path, real, around, included })),
          failed
        )
  }
  if (type === "Directory") return below(walk.path.join(place.real, own))
  const { include, links } = walk.options
  if (type === "LinkToDirectory" && links === "follow") {
    const real = Effect.orElseSucceed(walk.fs.realPath(path), () => path)
    return Stream.unwrap(Effect.map(real, below))
  }
  if (include.length > 0 && included.length === 0) return leftOut("NotIncluded")
  switch (type) {
    case "LinkToDirectory":
      return links === "skip" ? leftOut(type) : failed(linkToDirectory(path))
    case "NotAFile":
      return leftOut(type)
    case "File":
      return Stream.succeed({ _tag: "File", ...found })
  }
}

const linkToDirectory = (source: string) =>
  new SourceError({ source, reason: new SourceNotAFile({ type: "Directory" }) })

const undecodable = (source: string) =>
  new SourceError({
    source,
    reason: new SourceUnreadable({
      description: "its name is not UTF-8, as a key has to be",
      advice: "rename it"
    })
  })

/** A name in a directory and the type of its file. */
interface Listed {
  readonly name: string
  readonly type: "Directory" | "LinkToDirectory" | "File" | "NotAFile"
  /** False if the name on the disk has bytes that are not UTF-8. */
  readonly decodes: boolean
}

type Raw = Pick<Listed, "name" | "decodes"> & { readonly type: FileSystem.File.Type }

const list = ({ fs }: Walk, path: string): Effect.Effect<ReadonlyArray<Raw>, SourceError> =>
  fs.readDirectoryEntries(path).pipe(
    Effect.mapError(
      ({ reason }) =>
        new SourceError({
          source: path,
          reason:
            reason._tag === "NotFound"
              ? new SourceNotFound()
              : new SourceUnreadable({ description: reason.message })
        })
    ),
    Effect.map((entries) =>
      [...entries]
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        // If several names decode to the same text, at most one of them is that text.
        .map(({ name, type }, index, all) => ({
          name,
          type,
          decodes: all[index - 1]?.name !== name
        }))
    )
  )

/** The character that replaces bytes that are not UTF-8. */
const replacement = "\uFFFD"

/**
 * Finds the type of an entry. Some file systems don't tell types in lists, and a
 * link has the type of its target. An entry that has disappeared fails later,
 * when it is opened. A name with replacement characters is real only if the file
 * system finds an entry by that name.
 */
const resolved = (
  { fs, path }: Walk,
  place: Place,
  { name, type: listed, decodes }: Raw
): Effect.Effect<Listed> => {
  const full = path.join(place.path, name)
  const look = (type: FileSystem.File.Type): Effect.Effect<Listed["type"]> => {
    switch (type) {
      case "Directory":
      case "File":
        return Effect.succeed(type)
      case "Unknown":
        return Effect.matchEffect(fs.lstat(full), {
          onSuccess: ({ type }) =>
            type === "Unknown" ? Effect.succeed("File" as const) : look(type),
          onFailure: () => Effect.succeed("File" as const)
        })
      case "SymbolicLink":
        return Effect.match(fs.stat(full), {
          onSuccess: ({ type }) =>
            type === "Directory" ? "LinkToDirectory" : type === "File" ? type : "NotAFile",
          onFailure: () => "File" as const
        })
      default:
        return Effect.succeed("NotAFile")
    }
  }
  const isReal = name.includes(replacement) && decodes ? fs.lstat(full) : Effect.void
  return Effect.zipWith(look(listed), Effect.isSuccess(isReal), (type, real) => ({
    name,
    type,
    decodes: decodes && real
  }))
}
