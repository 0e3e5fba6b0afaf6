/** A source that is a regular file. */
import * as ByteSize from "effect/ByteSize"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { RandomAccessSource } from "../../Source.ts"
import { SourceError, SourceNotAFile } from "../../SourceError.ts"
import { changed, fromPlatform } from "./errors.ts"

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
    const settled = yield* leftAlone(info, stat)
    // In this order: if the file is replaced in between, the fingerprint must be the old one's.
    const handle = yield* Effect.mapError(fs.open(path, { flag: "r" }), failed)
    return {
      _tag: "RandomAccess",
      id: `file:${yield* Effect.mapError(fs.realPath(path), failed)}`,
      size: ByteSize.toNumberUnsafe(settled.size),
      fingerprint: fingerprintOf(settled),
      currentFingerprint: Effect.map(stat, fingerprintOf),
      read: readFully(path, handle)
    }
  })
})

/** The file's state once it has been left alone for a tick. A file that is written to all the time never is. */
const leftAlone = Effect.fnUntraced(function* <E>(
  first: FileSystem.File.Info,
  stat: Effect.Effect<FileSystem.File.Info, E>
) {
  let info = first
  for (let looks = 0; looks < 10; looks++) {
    const wait = untilTick(info, yield* Clock.currentTimeMillis)
    if (wait === 0) break
    const next = yield* Effect.delay(stat, wait)
    const isLeftAlone = fingerprintOf(next) === fingerprintOf(info)
    info = next
    if (isLeftAlone) break
  }
  return info
})

/** Milliseconds until one more change would show. */
const untilTick = ({ mtime }: FileSystem.File.Info, now: number): number => {
  if (Option.isNone(mtime)) return 0
  const modified = mtime.value.getTime()
  const tick = modified % 1_000 === 0 ? coarseTick : fineTick
  const age = now - modified
  // A time in the future means that its clock is ahead, or that one of the two is made up.
  return age < 0 ? (age > -aheadAtMost ? tick : 0) : Math.max(0, tick - age)
}

/** Linux: at most 10 ms. */
const fineTick = 20
/** FAT: 2 s. */
const coarseTick = 2_000
const aheadAtMost = 10 * 60_000

const fingerprintOf = (info: FileSystem.File.Info): string => {
  const modified = Option.match(info.mtime, { onNone: () => "", onSome: (date) => date.getTime() })
  return `${info.size}-${modified}-${Option.getOrElse(info.ino, () => "")}`
}

/**
 * A read may be short; only the end of the file gives 0. The system finishes
 * what it has begun to read, so interruption waits: then `target` is the caller's again.
 */
const readFully = (path: string, handle: FileSystem.File) =>
  Effect.fnUntraced(function* (target: Uint8Array, offset: number) {
    let filled = 0
    while (filled < target.length) {
      const rest = handle.read(target.subarray(filled), { position: BigInt(offset + filled) })
      const read = yield* Effect.mapError(Effect.uninterruptible(rest), fromPlatform(path))
      if (read === 0) {
        return yield* changed(
          path,
          `it ends at byte ${offset + filled}, before its size at the start`
        )
      }
      filled += read
    }
  })
