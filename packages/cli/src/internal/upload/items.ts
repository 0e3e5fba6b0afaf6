/** Finds the files of the arguments one after the other, and what is left out and why. */
import * as Source from "@effect-oss/core/Source"
import type { SourceError } from "@effect-oss/core/Source"
import type { UploadRequest } from "@effect-oss/core/Upload"
import * as Directory from "@effect-oss/core/internal/upload/directory"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Stream from "effect/Stream"
import type { ObjectUrl } from "../ObjectUrl.ts"
import { within } from "../ObjectUrl.ts"
import type { LeftOutReason, Selection } from "./input.ts"

export type Request = UploadRequest<never, FileSystem.FileSystem>

/** The state of a file before it was opened. */
export interface Look {
  readonly size: number
  /** The modification time in milliseconds since 1970. */
  readonly modified: number
  readonly inode: number
}

export type Item =
  | {
      readonly _tag: "File"
      readonly request: Request
      readonly path: string
      readonly patterns: ReadonlyArray<string>
      /** The state of the file, if it has been looked at. */
      readonly look?: Look | undefined
      /** False if it will fail and send nothing. */
      readonly usable: boolean
    }
  | {
      readonly _tag: "LeftOut"
      readonly path: string
      readonly reason: LeftOutReason
      readonly patterns: ReadonlyArray<string>
    }

/** A path argument. */
export interface Given {
  readonly path: string
  readonly type: FileSystem.File.Type
  /** The key. Undefined: the file's name is appended to the folder. */
  readonly key?: string | undefined
}

export type Items = Stream.Stream<Item, SourceError, FileSystem.FileSystem | Path.Path>

/** The items of all arguments, in order. */
export const itemsOf = (
  given: ReadonlyArray<Given>,
  url: ObjectUrl,
  selection: Selection,
  path: Path.Path
): Items =>
  Stream.fromIterable(given).pipe(
    Stream.flatMap((one) => ofOne(one, url, selection, path)),
    Stream.mapEffect((item) => selected(item, selection))
  )

const ofOne = (given: Given, url: ObjectUrl, selection: Selection, path: Path.Path): Items => {
  if (given.type !== "Directory") {
    const key = given.key ?? within(url, path.basename(given.path)).key
    return Stream.succeed({ ...fileAt(given.path, key, []), usable: given.type !== "Unknown" })
  }
  // As in rsync, a slash at the end stands for the content of a directory.
  const isContent = /(?:^|\/)\.{0,2}\/*$/.test(given.path)
  const prefix = isContent ? url.key : within(url, path.basename(given.path)).key
  return Stream.map(Directory.entries(given.path, selection), (entry): Item => {
    const request = Directory.requestFor(entry, prefix)
    return entry._tag === "LeftOut" || request === undefined
      ? { _tag: "LeftOut", path: entry.path, reason: reasonOf(entry), patterns: entry.patterns }
      : {
          _tag: "File",
          request,
          path: entry.path,
          patterns: entry.patterns,
          usable: entry._tag === "File"
        }
  })
}

const reasonOf = (entry: Directory.Entry): LeftOutReason =>
  entry._tag === "LeftOut" ? entry.reason : "NotAFile"

const fileAt = (path: string, key: string, patterns: ReadonlyArray<string>): Item => ({
  _tag: "File",
  request: { key, source: Source.file(path) },
  path,
  patterns,
  usable: true
})

/** Filters by age and size. If a file can't be read, the upload reports that. */
const selected = Effect.fnUntraced(function* (item: Item, selection: Selection) {
  const { newerThan, maxSize } = selection
  if (item._tag === "LeftOut" || (newerThan === undefined && maxSize === undefined)) return item
  const look = yield* lookAt(item.path)
  if (look === undefined) return item
  const leftOut = (reason: LeftOutReason): Item => ({
    _tag: "LeftOut",
    path: item.path,
    reason,
    patterns: item.patterns
  })
  if (newerThan !== undefined && look.modified <= newerThan) return leftOut("TooOld")
  if (maxSize !== undefined && look.size > maxSize) return leftOut("TooLarge")
  return { ...item, look }
})

/** Undefined if the file can't be read or isn't regular. */
export const lookAt = (
  path: string
): Effect.Effect<Look | undefined, never, FileSystem.FileSystem> =>
  FileSystem.FileSystem.use((fs) => fs.stat(path)).pipe(
    Effect.match({
      onFailure: () => undefined,
      onSuccess: ({ type, size, mtime, ino }) =>
        type === "File"
          ? {
              size: Number(size),
              modified: Option.match(mtime, { onNone: () => 0, onSome: (date) => date.getTime() }),
              inode: Number(Option.getOrElse(ino, () => 0))
            }
          : undefined
    })
  )
