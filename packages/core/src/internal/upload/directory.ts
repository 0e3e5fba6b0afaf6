/** The requests of a directory: one for each file, and one that fails for each entry that can't be uploaded. */
import * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import type { Path } from "effect/Path"
import * as Stream from "effect/Stream"
import * as Source from "../../Source.ts"
import type { UploadRequest } from "../../UploadRequest.ts"
import * as Directory from "../source/directory.ts"

export type { Entry, LeftOut } from "../source/directory.ts"

interface Options {
  readonly include?: ReadonlyArray<string> | undefined
  readonly exclude?: ReadonlyArray<string> | undefined
  readonly links?: "follow" | "skip" | "fail" | undefined
}

/**
 * All entries below a directory, sorted within each directory. Includes the
 * entries that are left out, with the reason.
 */
export const entries = (
  directory: string,
  { include = [], exclude = [], links = "skip" }: Options = {}
): Stream.Stream<Directory.Entry, Source.SourceError, FileSystem | Path> =>
  Directory.walk(directory, { include, exclude, links })

/**
 * The request for one entry of a directory, or undefined if it is left out. The
 * request of an unusable entry fails with the entry's error.
 */
export const requestFor = (
  entry: Directory.Entry,
  prefix: string
): UploadRequest<never, FileSystem> | undefined => {
  const { name, path } = entry
  const parent = prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`
  const key = `${parent}${name}`
  switch (entry._tag) {
    case "File":
      return { key, source: Source.file(path) }
    case "Failed":
      return { key, source: { name: path, open: Effect.fail(entry.error) } }
    case "LeftOut":
      return undefined
  }
}

/**
 * The requests of a directory. Logs a warning for each entry that is left out for
 * another reason than a pattern.
 */
export const requests = (
  path: string,
  prefix: string,
  options?: Options
): Stream.Stream<UploadRequest<never, FileSystem>, Source.SourceError, FileSystem | Path> =>
  entries(path, options).pipe(
    Stream.tap(warned),
    Stream.map((entry) => requestFor(entry, prefix)),
    Stream.filter((request) => request !== undefined)
  )

/** Entries that a pattern leaves out need no warning. */
const warned = (entry: Directory.Entry) =>
  entry._tag !== "LeftOut" || entry.reason === "Excluded" || entry.reason === "NotIncluded"
    ? Effect.void
    : Effect.logWarning(`${entry.path} is left out: ${whyLeftOut[entry.reason]}`)

const whyLeftOut = {
  LinkToDirectory: "it is a link to a directory",
  Cycle: "it is a link to a directory around it",
  NotAFile: "it is a pipe, a socket or a device"
} as const
