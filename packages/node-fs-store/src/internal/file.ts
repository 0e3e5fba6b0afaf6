/**
 * Reads files that another user may have planted. A named pipe would block the
 * reader forever, a link would lead it elsewhere, and an endless file would fill
 * its memory. A file that others can write to proves nothing. So this opens a
 * file without waiting, doesn't follow links, reads at most a limit, and checks
 * the owner of the opened file.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import { systemError } from "effect/PlatformError"
import * as Result from "effect/Result"
import type { BigIntStats } from "node:fs"
import {
  closeSync,
  constants,
  fstat,
  fstatSync,
  open,
  openSync,
  read as readInto,
  readSync
} from "node:fs"

/** A file that was read. */
export interface Found extends Standing {
  /** The first bytes of the file, up to the limit. */
  readonly bytes: Uint8Array
  /** False if the file is larger than the limit. */
  readonly isWhole: boolean
  /** False for pipes, links and other files that aren't regular. Their bytes are not read. */
  readonly isRegular: boolean
  /** When it was last changed, in milliseconds since 1970. */
  readonly modified: number
  /** The inode number, which a copy doesn't share; empty if unknown. */
  readonly inode: string
}

/** The owner and the permissions of a file or directory. */
export interface Standing {
  /** The id of the owner; undefined if unknown. */
  readonly owner: number | undefined
  /** The permission bits. */
  readonly mode: number
}

/** Why this user can't trust a file or directory; undefined if there is no reason. */
export const distrust = (
  { owner, mode }: Standing,
  user: number | undefined
): string | undefined => {
  // Without user ids, as on Windows, permissions mean nothing either.
  if (user === undefined || owner === undefined) return undefined
  if (owner !== user && owner !== root) return `it belongs to user ${owner}, not to user ${user}`
  const permissions = (mode & 0o7777).toString(8).padStart(4, "0")
  return (mode & othersMayWrite) === 0
    ? undefined
    : `others may write to it: its mode is ${permissions}`
}

/** The superuser, who can change any file anyway. */
const root = 0

const othersMayWrite = 0o022

/** Windows has neither of the optional flags. */
const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0)

const nothing = { bytes: new Uint8Array(0), isWhole: true, modified: 0, inode: "" } as const
const aLink: Found = { ...nothing, isRegular: false, owner: undefined, mode: 0 }

/**
 * Reads a file with Node's own calls, because Effect's FileSystem can't open a
 * pipe without waiting.
 */
export const readByNode = (path: string, limit: number): Effect.Effect<Found, PlatformError> =>
  Effect.callback((resume) => {
    const fail = (cause: NodeJS.ErrnoException) => resume(Effect.fail(refused(path, cause)))
    open(path, flags, (error, descriptor) => {
      if (error !== null) {
        return error.code === "ELOOP" ? resume(Effect.succeed(aLink)) : fail(error)
      }
      fstat(descriptor, { bigint: true }, (error, stats) => {
        if (error !== null) return closing(descriptor, () => fail(error))
        const bytes = new Uint8Array(stats.isFile() ? Math.min(Number(stats.size), limit) : 0)
        fill(descriptor, bytes, 0, (error, length) =>
          closing(descriptor, () => {
            if (error !== null) return fail(error)
            resume(Effect.succeed(foundOf(stats, bytes.subarray(0, length), limit)))
          })
        )
      })
    })
  })

/**
 * Reads a file synchronously. For many small files this is ten times as fast as
 * a call through Node's threads. It blocks the process, so use it for local
 * disks only.
 */
export const readByNodeSync = (path: string, limit: number): Result.Result<Found, PlatformError> =>
  Result.match(
    Result.try(() => openSync(path, flags)),
    {
      onFailure: (cause) =>
        errnoOf(cause) === "ELOOP" ? Result.succeed(aLink) : Result.fail(refused(path, cause)),
      onSuccess: (descriptor) => {
        const found = Result.try({
          try: () => readOpen(descriptor, limit),
          catch: (cause) => refused(path, cause)
        })
        closeSync(descriptor)
        return found
      }
    }
  )

const readOpen = (descriptor: number, limit: number): Found => {
  const stats = fstatSync(descriptor, { bigint: true })
  const bytes = new Uint8Array(stats.isFile() ? Math.min(Number(stats.size), limit) : 0)
  return foundOf(stats, bytes.subarray(0, fillSync(descriptor, bytes)), limit)
}

/** A read may be short; only the end of the file gives 0. */
const fillSync = (descriptor: number, bytes: Uint8Array): number => {
  let length = 0
  while (length < bytes.length) {
    const read = readSync(descriptor, bytes, { offset: length })
    if (read === 0) break
    length += read
  }
  return length
}

const foundOf = (stats: BigIntStats, bytes: Uint8Array, limit: number): Found => {
  const isRegular = stats.isFile()
  return {
    bytes,
    isWhole: !isRegular || stats.size <= BigInt(limit),
    isRegular,
    modified: Number(stats.mtimeMs),
    inode: String(stats.ino),
    owner: Number(stats.uid),
    mode: Number(stats.mode)
  }
}

/** Closes a file that was only read, which waits for no disk. */
const closing = (descriptor: number, then: () => void) => {
  closeSync(descriptor)
  then()
}

const fill = (
  descriptor: number,
  bytes: Uint8Array,
  from: number,
  done: (error: NodeJS.ErrnoException | null, length: number) => void
): void => {
  if (from === bytes.length) return done(null, from)
  readInto(descriptor, bytes, from, bytes.length - from, from, (error, length) => {
    if (error !== null) return done(error, from)
    return length === 0 ? done(null, from) : fill(descriptor, bytes, from + length, done)
  })
}

const refused = (path: string, cause: unknown): PlatformError =>
  systemError({
    _tag: errnoOf(cause) === "ENOENT" ? "NotFound" : "Unknown",
    module: "FileSystem",
    method: "open",
    pathOrDescriptor: path,
    cause
  })

/** Reads a file with Effect's FileSystem, for example a simulated one. */
export const readByFileSystem = Effect.fnUntraced(function* (path: string, limit: number) {
  const fs = yield* FileSystem.FileSystem
  const bytes = yield* fs.readFile(path)
  const info = yield* fs.stat(path)
  return {
    bytes: bytes.subarray(0, limit),
    isWhole: bytes.length <= limit,
    isRegular: info.type === "File",
    modified: Option.match(info.mtime, { onNone: () => 0, onSome: (date) => date.getTime() }),
    inode: Option.match(info.ino, { onNone: () => "", onSome: String }),
    ...standingOf(info)
  } satisfies Found
})

/** The owner and permissions in a result of Effect's FileSystem. */
export const standingOf = ({ uid, mode }: FileSystem.File.Info): Standing => ({
  owner: Option.getOrUndefined(uid),
  mode
})

/** The code of an error of the operating system, such as `ENOENT`; empty if there is none. */
export const codeOf = ({ reason: { cause } }: PlatformError): string => errnoOf(cause)

const errnoOf = (cause: unknown) =>
  cause instanceof Error && "code" in cause ? String(cause.code) : ""
