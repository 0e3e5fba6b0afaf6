/**
 * What is uploaded. A source knows how to be opened; an opened source has a
 * size, a fingerprint that changes when its content does, and bytes that can be
 * read in any order, again, and concurrently. That is what lets parts go up
 * side by side, and a later run carry on where an earlier one stopped.
 *
 * @since 0.1.0
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Body from "./Body.ts"
import * as Crc64 from "./Crc64.ts"

/**
 * There is nothing at that place.
 *
 * @category reasons
 * @since 0.1.0
 */
export class SourceNotFound extends Schema.TaggedError<SourceNotFound>()("SourceNotFound", {}) {}

/**
 * It is a directory, a pipe, a socket or a device: its size is not fixed.
 *
 * @category reasons
 * @since 0.1.0
 */
export class SourceNotAFile extends Schema.TaggedError<SourceNotAFile>()("SourceNotAFile", {
  /** What it is instead, such as `Directory`. */
  type: Schema.String
}) {}

/**
 * It exists but can't be read.
 *
 * @category reasons
 * @since 0.1.0
 */
export class SourceUnreadable extends Schema.TaggedError<SourceUnreadable>()("SourceUnreadable", {
  description: Schema.String
}) {}

/**
 * It is no longer what it was when the upload began.
 *
 * @category reasons
 * @since 0.1.0
 */
export class SourceChanged extends Schema.TaggedError<SourceChanged>()("SourceChanged", {
  description: Schema.String
}) {}

/**
 * The source can't be uploaded as it is.
 *
 * @category errors
 * @since 0.1.0
 */
export class SourceError extends Schema.TaggedError<SourceError>("@effect-oss/core/SourceError")(
  "SourceError",
  {
    /** The source's name, as it was given. */
    source: Schema.String,
    reason: Schema.Union([SourceNotFound, SourceNotAFile, SourceUnreadable, SourceChanged])
  }
) {
  override get message(): string {
    switch (this.reason._tag) {
      case "SourceNotFound":
        return `${this.source}: no such file`
      case "SourceNotAFile":
        return `${this.source}: not a regular file but a ${this.reason.type}`
      case "SourceUnreadable":
        return `${this.source}: cannot be read: ${this.reason.description}`
      case "SourceChanged":
        return `${this.source}: changed while it was being uploaded: ${this.reason.description}`
    }
  }
}

/**
 * Something that can be uploaded.
 *
 * @category models
 * @since 0.1.0
 */
export interface Source<out R = never> {
  /** For messages: a file's path as it was given. */
  readonly name: string
  /** Closed with the scope. */
  readonly open: Effect.Effect<Opened, SourceError, R | Scope.Scope>
}

/**
 * A source that is ready to be read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Opened {
  /** Tells this source from others in later runs too, such as a file's real path; part of the checkpoint's key. */
  readonly id: string
  /** In bytes. */
  readonly size: number
  /** As it was opened. Differs once the content differs. */
  readonly fingerprint: string
  /** As it is now: the upload compares the two before it is completed. */
  readonly currentFingerprint: Effect.Effect<string, SourceError>
  /** Fills `target` with the bytes from `offset` on, or fails. In any order, again, concurrently. */
  readonly read: (target: Uint8Array, offset: number) => Effect.Effect<void, SourceError>
}

/**
 * Bytes in memory. They are the same source in a later run if they have the
 * same name and the same content.
 *
 * @category constructors
 * @since 0.1.0
 */
export const bytes = (content: Uint8Array, name = "bytes"): Source => ({
  name,
  open: Effect.sync(() => {
    const fingerprint = () => `${content.length}-${Crc64.of(content)}`
    return {
      id: `bytes:${name}`,
      size: content.length,
      fingerprint: fingerprint(),
      currentFingerprint: Effect.sync(fingerprint),
      read: Body.fromBytes(content).read
    }
  })
})

/**
 * A regular file. It counts as changed once its size, its time of modification
 * or its inode differs: also when another file is renamed over it.
 *
 * **Example** (a file)
 *
 * ```ts
 * import { Source, Upload } from "@effect-oss/core"
 *
 * const upload = Upload.upload({ key: "backups/db.tar", source: Source.file("db.tar") })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const file = (path: string): Source<FileSystem.FileSystem> => ({
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
    const handle = yield* Effect.mapError(fs.open(path, { flag: "r" }), failed)
    return {
      id: `file:${yield* Effect.mapError(fs.realPath(path), failed)}`,
      size: ByteSize.toNumberUnsafe(info.size),
      fingerprint: fingerprintOf(info),
      currentFingerprint: Effect.map(stat, fingerprintOf),
      read: readFully(path, handle)
    }
  })
})

const fingerprintOf = (info: FileSystem.File.Info): string => {
  const modified = Option.match(info.mtime, { onNone: () => "", onSome: (date) => date.getTime() })
  return `${info.size}-${modified}-${Option.getOrElse(info.ino, () => "")}`
}

/** A read may be short; only the end of the file gives 0. */
const readFully = (path: string, handle: FileSystem.File) =>
  Effect.fnUntraced(function* (target: Uint8Array, offset: number) {
    let filled = 0
    while (filled < target.length) {
      const read = yield* Effect.mapError(
        handle.read(target.subarray(filled), { position: BigInt(offset + filled) }),
        fromPlatform(path)
      )
      if (read === 0) {
        return yield* changed(
          path,
          `it ends at byte ${offset + filled}, before its size at the start`
        )
      }
      filled += read
    }
  })

/**
 * `size` bytes of an opened source from `offset` on, as a request's body.
 *
 * @category reading
 * @since 0.1.0
 */
export const slice = (source: Opened, offset: number, size: number): Body.Body<SourceError> => ({
  size,
  read: (target, position) => source.read(target, offset + position)
})

/**
 * The CRC64 of `size` bytes of an opened source from `offset` on.
 *
 * @category reading
 * @since 0.1.0
 */
export const crc64 = Effect.fnUntraced(function* (source: Opened, offset: number, size: number) {
  const buffer = new Uint8Array(Math.min(pieceSize, size))
  let crc = 0n
  for (let done = 0; done < size; done += pieceSize) {
    const piece = buffer.subarray(0, Math.min(pieceSize, size - done))
    yield* source.read(piece, offset + done)
    crc = Crc64.of(piece, crc)
  }
  return crc
})

/** For reading what isn't sent, in bytes. */
const pieceSize = 256 * 1024

/**
 * The error of a source that is no longer what it was.
 *
 * @category errors
 * @since 0.1.0
 */
export const changed = (source: string, description: string): SourceError =>
  new SourceError({ source, reason: new SourceChanged({ description }) })

const fromPlatform =
  (source: string) =>
  (error: PlatformError): SourceError =>
    new SourceError({
      source,
      reason:
        error.reason._tag === "NotFound"
          ? new SourceNotFound()
          : new SourceUnreadable({ description: error.reason.message })
    })
