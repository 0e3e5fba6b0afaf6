/** A source that is a regular file. A file with fewer or more bytes than its size has changed. */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type { RandomAccessSource } from "../../Source.ts"
import { SourceError, SourceNotAFile } from "../../SourceError.ts"
import { changed, fromPlatform } from "./errors.ts"
import * as Fingerprint from "./fingerprint.ts"
import { leftAlone } from "./leftAlone.ts"
import * as RealPath from "./realPath.ts"
import { unchanged } from "./unchanged.ts"

export const make = (path: string): RandomAccessSource<never, FileSystem.FileSystem> => ({
  name: path,
  open: Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const stat = Effect.mapError(fs.stat(path), fromPlatform(path))
    const { info, isLink } = yield* look(fs, path, stat)
    if (info.type !== "File") {
      return yield* new SourceError({
        source: path,
        reason: new SourceNotAFile({ type: info.type })
      })
    }
    const settled = yield* leftAlone(info, stat, fingerprintOf)
    // The order matters: if the file is replaced in between, the fingerprint must be the old
    // file's.
    const handle = yield* openHandle(fs, path)
    const fingerprint = fingerprintOf(settled)
    const currentFingerprint = Effect.map(stat, fingerprintOf)
    const size = ByteSize.toNumberUnsafe(settled.size)
    const opened = { path, size, handle, fingerprint, currentFingerprint }
    if (size === 0) yield* isEmpty(opened)
    const real = isLink ? fs.realPath(path) : RealPath.ofFile(fs, path)
    return {
      _tag: "RandomAccess",
      id: `file:${yield* Effect.mapError(real, fromPlatform(path))}`,
      size,
      fingerprint,
      currentFingerprint,
      read: reader(opened)
    }
  })
})

/**
 * Finds the type of a path, and whether it is a link. If the file system can't
 * tell, the path is treated as a link.
 */
const look = <E>(
  fs: FileSystem.FileSystem,
  path: string,
  stat: Effect.Effect<FileSystem.File.Info, E>
) => {
  const followed = Effect.map(stat, (info) => ({ info, isLink: true }))
  return Effect.matchEffect(fs.lstat(path), {
    onFailure: () => followed,
    onSuccess: (info) =>
      info.type === "SymbolicLink" ? followed : Effect.succeed({ info, isLink: false })
  })
}

interface OpenFile {
  readonly path: string
  /** The size in bytes, from the file system. */
  readonly size: number
  readonly handle: FileSystem.File
  readonly fingerprint: string
  readonly currentFingerprint: Effect.Effect<string, SourceError>
}

const fingerprintOf = (info: FileSystem.File.Info): string =>
  Fingerprint.make({
    size: ByteSize.toNumberUnsafe(info.size),
    modified: Option.getOrUndefined(Option.map(info.mtime, (date) => date.getTime())),
    inode: Option.getOrUndefined(info.ino)
  })

/**
 * Opens the file until the scope closes. A failure to close it is logged: the
 * bytes have been read nevertheless.
 */
const openHandle = (fs: FileSystem.FileSystem, path: string) =>
  Effect.uninterruptible(
    Effect.flatMap(Effect.scope, (scope) => {
      const own = Scope.makeUnsafe()
      const close = Effect.catchCause(Scope.close(own, Exit.void), (cause) =>
        Effect.logWarning(`${path}: could not be closed`, cause)
      )
      return fs.open(path, { flag: "r" }).pipe(
        Scope.provide(own),
        Effect.mapError(fromPlatform(path)),
        Effect.tap(() => Scope.addFinalizer(scope, close))
      )
    })
  )

/** Checks that an empty file has no bytes: files of `/proc` have size 0, but content. */
const isEmpty = (file: OpenFile) =>
  Effect.flatMap(fill(file, new Uint8Array(1), 0, 0), (read) =>
    read === 0 ? Effect.void : goesOn(file)
  )

const goesOn = ({ path, size }: OpenFile) =>
  changed(path, `it goes on after its size of ${size} bytes`)

const reader = (file: OpenFile) => {
  const every = Math.min(Math.max(file.size / 16, leastBetweenLooks), mostBetweenLooks)
  let untilLook = every
  const look = Effect.suspend(() => {
    untilLook = every
    return unchanged(file, file.path)
  })
  return (target: Uint8Array, offset: number): Effect.Effect<void, SourceError> =>
    Effect.flatMap(
      offset + target.length < file.size
        ? fill(file, target, offset, target.length)
        : last(file, target, offset),
      () => {
        untilLook -= target.length
        return untilLook > 0 ? Effect.void : look
      }
    )
}

/**
 * How many bytes to read between two looks at the fingerprint. A look costs
 * little, and a changed file should be noticed early.
 */
const leastBetweenLooks = 1024 * 1024
const mostBetweenLooks = 64 * 1024 * 1024

/** Reads the end of the file and tries to read one byte more, which must not exist. */
const last = (file: OpenFile, target: Uint8Array, offset: number) => {
  const bytes = new Uint8Array(target.length + 1)
  return Effect.flatMap(fill(file, bytes, offset, target.length), (read) => {
    if (read > target.length) return goesOn(file)
    target.set(bytes.subarray(0, target.length))
    return Effect.void
  })
}

/**
 * Reads until there are at least `least` bytes. A read may be short, and only
 * the end of the file gives 0 bytes. The system finishes a read that it has
 * begun, so an interruption waits for it: afterwards nothing writes to `target`.
 */
const fill = (
  file: OpenFile,
  target: Uint8Array,
  offset: number,
  least: number,
  filled = 0
): Effect.Effect<number, SourceError> => {
  const { path, handle, size } = file
  const rest = filled === 0 ? target : target.subarray(filled)
  const reading = handle.read(rest, { position: BigInt(offset + filled) })
  return Effect.matchEffect(Effect.uninterruptible(reading), {
    onFailure: (error) => Effect.fail(fromPlatform(path)(error)),
    onSuccess: (read) => {
      const now = filled + read
      if (now >= least) return Effect.succeed(now)
      return read > 0
        ? fill(file, target, offset, least, now)
        : changed(path, `it ends at byte ${offset + now}, before its size of ${size} bytes`)
    }
  })
}
