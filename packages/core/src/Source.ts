/**
 * What is uploaded. A source knows how to be opened. Most then have a size, a
 * fingerprint that changes when their content does, and bytes that can be read
 * in any order, again, and concurrently: that is what lets parts go up side by
 * side straight from the source, and a later run carry on where an earlier one
 * stopped. Others are a sequence of bytes: it is read in order, a part at a
 * time into memory, and a later run reads it again from the start, comparing
 * what was sent already by its CRC64.
 *
 * @since 0.1.0
 */
import * as ByteSize from "effect/ByteSize"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { HttpClient } from "effect/http/HttpClient"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Body from "./Body.ts"
import * as Crc64 from "./Crc64.ts"
import * as HttpSource from "./internal/source/http.ts"
import {
  changed,
  SourceError,
  SourceNotAFile,
  SourceNotFound,
  SourceUnreadable
} from "./SourceError.ts"

export * from "./SourceError.ts"

/**
 * Something that can be uploaded. Reading it may fail with `E` besides, and
 * takes `R`; both appear in the upload's type.
 *
 * @category models
 * @since 0.1.0
 */
export interface Source<out E = never, out R = never> {
  /** For messages: a file's path as it was given. */
  readonly name: string
  /** Closed with the scope. */
  readonly open: Effect.Effect<Opened<E> | Sequence<E>, SourceError | E, R | Scope.Scope>
}

/**
 * A source that can be read at any place.
 *
 * @category models
 * @since 0.1.0
 */
export interface RandomAccess<out E = never, out R = never> extends Source<E, R> {
  readonly open: Effect.Effect<Opened<E>, SourceError | E, R | Scope.Scope>
}

/**
 * A source that is ready to be read at any place.
 *
 * @category models
 * @since 0.1.0
 */
export interface Opened<out E = never> {
  /** Tells this source from others in later runs too, such as a file's real path; part of the checkpoint's key. */
  readonly id: string
  /** In bytes. */
  readonly size: number
  /** As it was opened. Differs once the content differs. */
  readonly fingerprint: string
  /** As it is now: the upload compares the two before it is completed. */
  readonly currentFingerprint: Effect.Effect<string, SourceError | E>
  /** Fills `target` with the bytes from `offset` on, or fails. In any order, again, concurrently. */
  readonly read: (target: Uint8Array, offset: number) => Effect.Effect<void, SourceError | E>
  /** For sources where each read takes a round trip: it is better to read so many bytes at once. Default: any number is as good. */
  readonly block?: number | undefined
}

/**
 * A source that is ready to be read from the start to the end.
 *
 * @category models
 * @since 0.1.0
 */
export interface Sequence<out E = never> {
  /** Tells this source from others in later runs too; part of the checkpoint's key. */
  readonly id: string
  /** In bytes, where it is known beforehand. */
  readonly size: Option.Option<number>
  /** What can be told of the content without reading it. A later run whose fingerprint differs starts afresh. */
  readonly fingerprint: string
  /** From the start each time it is run, and each time the same: what was sent is compared with it. */
  readonly bytes: Stream.Stream<Uint8Array, SourceError | E>
}

/**
 * Bytes in memory. They are the same source in a later run if they have the
 * same name and the same content.
 *
 * @category constructors
 * @since 0.1.0
 */
export const bytes = (content: Uint8Array, name = "bytes"): RandomAccess => ({
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
 * **Details**
 *
 * A file system tells times in ticks, and a second change within one tick does
 * not show. So a file is only read once its last change is 20 milliseconds old,
 * or two seconds if its time is in whole seconds. That is by this machine's
 * clock: one of a file server that is behind by more is not noticed.
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
export const file = (path: string): RandomAccess<never, FileSystem.FileSystem> => ({
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
    // In this order: of a file that is replaced in between, the fingerprint must be the old one's.
    const handle = yield* Effect.mapError(fs.open(path, { flag: "r" }), failed)
    return {
      id: `file:${yield* Effect.mapError(fs.realPath(path), failed)}`,
      size: ByteSize.toNumberUnsafe(settled.size),
      fingerprint: fingerprintOf(settled),
      currentFingerprint: Effect.map(stat, fingerprintOf),
      read: readFully(path, handle)
    }
  })
})

/** What a file is, once it has been left alone for a tick. One that is written to all the time never is. */
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
  // One from the future tells that its clock is ahead, or that one of the two is made up.
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
 * what it has begun to read, so interruption waits: `target` is the caller's again.
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

/**
 * What is used of a `Blob` or a `File`, of the web or of Node.
 *
 * @category models
 * @since 0.1.0
 */
export interface BlobLike {
  /** In bytes. */
  readonly size: number
  readonly slice: (
    start: number,
    end: number
  ) => { readonly arrayBuffer: () => Promise<ArrayBuffer> }
  /** A `File` has one. */
  readonly name?: string
  /** A `File` has one, in milliseconds since 1970. */
  readonly lastModified?: number
}

/**
 * A `Blob` or a `File`. A file is the same source in a later run if it has the
 * same name, size and time of modification. A mere blob has nothing that tells
 * its content, so that it is read once more when it is opened, for its CRC64.
 *
 * **Example** (what a user chose)
 *
 * ```ts
 * import { Source, Upload } from "@effect-oss/core"
 *
 * const upload = (file: File) =>
 *   Upload.upload({ key: `photos/${file.name}`, source: Source.blob(file) })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const blob = (blob: BlobLike, name: string = blob.name ?? "blob"): RandomAccess => ({
  name,
  open: Effect.gen(function* () {
    const read = readBlob(blob, name)
    const { size, lastModified } = blob
    const content = lastModified ?? (yield* crc64({ read }, 0, size))
    const fingerprint = `${size}-${content}`
    return {
      id: `blob:${name}`,
      size,
      fingerprint,
      currentFingerprint: Effect.succeed(fingerprint),
      read
    }
  })
})

/** A blob never changes; that of a file which did can no longer be read. */
const readBlob = (blob: BlobLike, name: string) => (target: Uint8Array, offset: number) =>
  Effect.tryPromise({
    try: () => blob.slice(offset, offset + target.length).arrayBuffer(),
    catch: (cause) =>
      cause instanceof Error && /^Not(Readable|Found)Error$/.test(cause.name)
        ? changed(name, `the file behind it can no longer be read: ${cause.message}`)
        : unreadable(name, cause)
  }).pipe(
    Effect.filterOrFail(
      ({ byteLength }) => byteLength === target.length,
      () => changed(name, `it ends before byte ${offset + target.length}`)
    ),
    Effect.map((bytes) => target.set(new Uint8Array(bytes)))
  )

/**
 * What is behind a URL, fetched in ranges, so that nothing is stored on the
 * way. The answer to HEAD says what it is: with a length, ranges, and an ETag
 * or a time of modification, it can be read at any place, and a change is
 * noticed; without one of them it is a sequence. Requests that fail are sent
 * again, five times in all.
 *
 * **Gotchas**
 *
 * The URL has to allow HEAD and GET: one that is signed for GET alone can't be
 * used. Its query and its user are left out of messages and of the checkpoint,
 * since they may be secret; give an `id` where the query tells sources apart.
 *
 * **Example** (from one server to the other)
 *
 * ```ts
 * import { Source, Upload } from "@effect-oss/core"
 *
 * const copy = Upload.upload({
 *   key: "mirror/image.iso",
 *   source: Source.http("https://mirror.example/image.iso")
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const http = (url: string | URL, options?: HttpOptions): Source<never, HttpClient> =>
  HttpSource.make(url, options)

/**
 * How a URL is fetched.
 *
 * @category models
 * @since 0.1.0
 */
export interface HttpOptions {
  /** Tells this source from others. Default: the URL without user, query and fragment. */
  readonly id?: string | undefined
  /** Go with each request, for instance an `Authorization`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/**
 * Options of a sequence.
 *
 * @category models
 * @since 0.1.0
 */
export interface SequenceOptions {
  /** In bytes. If it proves wrong, nothing is stored. Default: not known; then parts grow with their number, see `Part.growing`. */
  readonly size?: number | undefined
}

/**
 * The bytes of a stream. It is run once an upload, and once more for each
 * resume: then what was sent is read again but not sent again, and if it is no
 * longer the same by its CRC64, the source has changed. `id` tells this stream
 * from others in later runs.
 *
 * **Details**
 *
 * Parts are read into memory one after the other, at most one more than are on
 * their way at once: 48 MiB with the defaults. Once they have grown large there
 * are fewer: they have 512 MiB together, or two of them more. The stream's
 * failure is the upload's; what is durable then stays, for the next run.
 *
 * **Example** (a dump that is made while it is sent)
 *
 * ```ts
 * import { Source, Upload } from "@effect-oss/core"
 * import { Stream } from "effect"
 *
 * const lines = Stream.range(1, 1_000_000).pipe(Stream.map((n) => `${n}\n`), Stream.encodeText)
 * const upload = Upload.upload({ key: "numbers.txt", source: Source.stream("numbers", lines) })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const stream = <E, R>(
  id: string,
  stream: Stream.Stream<Uint8Array, E, R>,
  options?: SequenceOptions
): Source<E, R> => ({
  name: id,
  open: Effect.map(Effect.context<R>(), (context) =>
    sequence(id, Stream.provideContext(stream, context), options)
  )
})

/**
 * The bytes of a Node `Readable`, or of any other `AsyncIterable`. `make` is
 * called each time it is read from the start, and has to begin there; what it
 * makes is closed in the end. Otherwise as `stream`.
 *
 * **Example** (the output of another program)
 *
 * ```ts
 * import { Source, Upload } from "@effect-oss/core"
 * import { spawn } from "node:child_process"
 *
 * const source = Source.readable("dump", () => spawn("pg_dump", ["shop"]).stdout)
 * const upload = Upload.upload({ key: "backups/shop.sql", source })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const readable = (
  id: string,
  make: () => AsyncIterable<unknown>,
  options?: SequenceOptions
): Source => {
  const failed = (cause: unknown) => unreadable(id, cause)
  const chunks = Stream.unwrap(
    Effect.map(Effect.try({ try: make, catch: failed }), (iterable) =>
      Stream.fromAsyncIterable(iterable, failed)
    )
  )
  const bytes = Stream.mapEffect(chunks, (chunk) =>
    chunk instanceof Uint8Array
      ? Effect.succeed(chunk)
      : unreadable(id, `it yields a ${typeof chunk} where bytes are expected`)
  )
  return { name: id, open: Effect.succeed(sequence<never>(id, bytes, options)) }
}

/** Nothing but its size can be told of a stream before it is run. */
const sequence = <E>(
  id: string,
  bytes: Stream.Stream<Uint8Array, SourceError | E>,
  { size }: SequenceOptions = {}
): Sequence<E> => ({
  id: `stream:${id}`,
  size: Option.fromUndefinedOr(size),
  fingerprint: "",
  bytes
})

const unreadable = (source: string, cause: unknown) =>
  new SourceError({
    source,
    reason: new SourceUnreadable({
      description: cause instanceof Error ? cause.message : String(cause)
    })
  })

/**
 * `size` bytes of an opened source from `offset` on, as a request's body.
 *
 * @category reading
 * @since 0.1.0
 */
export const slice = <E>(
  source: Pick<Opened<E>, "read" | "block">,
  offset: number,
  size: number
): Body.Body<SourceError | E> => {
  const body: Body.Body<SourceError | E> = {
    size,
    read: (target, position) => source.read(target, offset + position)
  }
  return source.block === undefined ? body : inBlocks(body, source.block)
}

/** Reads `block` bytes at once and gives them out in whatever pieces they are asked for. */
const inBlocks = <E>({ size, read }: Body.Body<E>, block: number): Body.Body<E> => {
  const held = { start: 0, bytes: new Uint8Array(0) }
  const hold = (start: number) => {
    const bytes = new Uint8Array(Math.min(block, size - start))
    return Effect.map(read(bytes, start), () => Object.assign(held, { start, bytes }))
  }
  return {
    size,
    read: Effect.fnUntraced(function* (target, offset) {
      for (let filled = 0; filled < target.length;) {
        const at = offset + filled
        const within = at >= held.start && at < held.start + held.bytes.length
        const { start, bytes } = within ? held : yield* hold(at)
        const piece = bytes.subarray(at - start, at - start + target.length - filled)
        target.set(piece, filled)
        filled += piece.length
      }
    })
  }
}

/**
 * The CRC64 of `size` bytes of an opened source from `offset` on.
 *
 * @category reading
 * @since 0.1.0
 */
export const crc64 = Effect.fnUntraced(function* <E>(
  source: Pick<Opened<E>, "read" | "block">,
  offset: number,
  size: number
) {
  const { read } = slice(source, offset, size)
  const buffer = new Uint8Array(Math.min(Body.pieceSize, size))
  let crc = 0n
  for (let done = 0; done < size; done += Body.pieceSize) {
    const piece = buffer.subarray(0, Math.min(Body.pieceSize, size - done))
    yield* read(piece, done)
    crc = Crc64.of(piece, crc)
  }
  return crc
})

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
