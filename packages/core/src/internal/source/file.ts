/**
 * A source that is a regular file. Its size is believed only as far as the
 * bytes go: a file that has fewer bytes, or more, has changed.
 */
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

export const make = (path: string): RandomAccessSource<never, FileSystem.FileSystem> => ({
  name: path,
  open: Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const failed = fromPlatform(path)
    const stat = Effect.mapError(fs.stat(path), failed)
    const info = yield* stat
    if (info.type !== "File") {
      return yield* new SourceError({
        source: path,
        reason: new SourceNotAFile({ type: info.type })
      })
    }
    const settled = yield* leftAlone(info, stat, fingerprintOf)
    // In this order: if the file is replaced in between, the fingerprint must be the old one's.
    const handle = yield* openHandle(fs, path)
    const fingerprint = fingerprintOf(settled)
    const currentFingerprint = Effect.map(stat, fingerprintOf)
    const size = ByteSize.toNumberUnsafe(settled.size)
    const opened = { path, size, handle, fingerprint, currentFingerprint }
    if (size === 0) yield* isEmpty(opened)
    return {
      _tag: "RandomAccess",
      id: `file:${yield* Effect.mapError(fs.realPath(path), failed)}`,
      size,
      fingerprint,
      currentFingerprint,
      read: reader(opened)
    }
  })
})

interface OpenFile {
  readonly path: string
  /** In bytes, as the file system says. */
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

/** The handle is closed with the scope. If that fails, the bytes have been read all the same: it is logged. */
const openHandle = (fs: FileSystem.FileSystem, path: string) =>
  Effect.acquireRelease(
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const handle = yield* Scope.provide(fs.open(path, { flag: "r" }), scope)
      return { scope, handle }
    }),
    ({ scope }) =>
      Effect.catchCause(Scope.close(scope, Exit.void), (cause) =>
        Effect.logWarning(`${path}: could not be closed`, cause)
      )
  ).pipe(
    Effect.map(({ handle }) => handle),
    Effect.mapError(fromPlatform(path))
  )

/** Files of `/proc` say that they are empty, and are not. */
const isEmpty = (file: OpenFile) =>
  Effect.flatMap(fill(file, new Uint8Array(1), 0, 0), (read) =>
    read === 0 ? Effect.void : goesOn(file)
  )

const goesOn = ({ path, size }: OpenFile) =>
  changed(path, `it goes on after its size of ${size} bytes`)

const reader = (file: OpenFile) => {
  const every = Math.min(Math.max(file.size / 16, leastBetweenLooks), mostBetweenLooks)
  let untilLook = every
  return Effect.fnUntraced(function* (target: Uint8Array, offset: number) {
    yield* offset + target.length < file.size
      ? fill(file, target, offset, target.length)
      : last(file, target, offset)
    untilLook -= target.length
    if (untilLook > 0) return
    untilLook = every
    yield* unchanged(file)
  })
}

/** In bytes read: a file that changes is noticed while there is still much to send, and a look costs little. */
const leastBetweenLooks = 1024 * 1024
const mostBetweenLooks = 64 * 1024 * 1024

/** Reads the end of the file, and one byte beyond it: there may be none. */
const last = Effect.fnUntraced(function* (file: OpenFile, target: Uint8Array, offset: number) {
  const bytes = new Uint8Array(target.length + 1)
  const read = yield* fill(file, bytes, offset, target.length)
  if (read > target.length) return yield* goesOn(file)
  target.set(bytes.subarray(0, target.length))
})

const unchanged = ({ path, fingerprint, currentFingerprint }: OpenFile) =>
  currentFingerprint.pipe(
    Effect.catchReason("SourceError", "SourceNotFound", () => changed(path, "it is gone")),
    Effect.filterOrFail(
      (current) => current === fingerprint,
      (current) => changed(path, Fingerprint.difference(fingerprint, current))
    )
  )

/**
 * Reads until there are at least `least` bytes. A read may be short; only the
 * end of the file gives 0. The system finishes what it has begun to read, so
 * interruption waits: then `target` is the caller's again.
 */
const fill = Effect.fnUntraced(function* (
  { path, handle, size }: OpenFile,
  target: Uint8Array,
  offset: number,
  least: number
) {
  let filled = 0
  do {
    const rest = handle.read(target.subarray(filled), { position: BigInt(offset + filled) })
    const read = yield* Effect.mapError(Effect.uninterruptible(rest), fromPlatform(path))
    if (read === 0 && filled < least) {
      return yield* changed(
        path,
        `it ends at byte ${offset + filled}, before its size of ${size} bytes`
      )
    }
    filled += read
  } while (filled < least)
  return filled
})
