/**
 * What you upload. A source opens as one of two kinds.
 *
 * - `RandomAccess`: its size is known, and its bytes can be read in any order,
 *   again, and concurrently. Parts are sent side by side, straight from the
 *   source, and a later run resumes without reading what was sent.
 * - `Sequential`: its bytes can only be read from the start to the end. They are
 *   read into memory one part at a time. A later run reads them again from the
 *   start and compares what was sent by its CRC64.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type { HttpClient } from "effect/http/HttpClient"
import type { Command } from "effect/process/ChildProcess"
import type { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { Length } from "./Part.ts"
import * as BlobSource from "./internal/source/blob.ts"
import * as BytesSource from "./internal/source/bytes.ts"
import * as CommandSource from "./internal/source/command.ts"
import * as FileSource from "./internal/source/file.ts"
import * as HttpSource from "./internal/source/http.ts"
import * as StreamSource from "./internal/source/stream.ts"
import type { SourceError } from "./SourceError.ts"

export * from "./SourceError.ts"

/**
 * Something that can be uploaded. Reading it may also fail with `E`, and needs
 * `R`. Both appear in the type of the upload.
 *
 * @category models
 * @since 0.1.0
 */
export interface Source<out E = never, out R = never> {
  /** For messages, such as a file's path as you gave it. */
  readonly name: string
  /** The opened source stays open until the scope closes. */
  readonly open: Effect.Effect<Opened<E>, SourceError | E, R | Scope.Scope>
}

/**
 * A source that always opens as `RandomAccess`.
 *
 * @category models
 * @since 0.1.0
 */
export interface RandomAccessSource<out E = never, out R = never> extends Source<E, R> {
  readonly open: Effect.Effect<RandomAccess<E>, SourceError | E, R | Scope.Scope>
}

/**
 * A source that is ready to be read. Its `_tag` says how.
 *
 * @category models
 * @since 0.1.0
 */
export type Opened<E = never> = RandomAccess<E> | Sequential<E>

/**
 * An opened source whose bytes can be read at any offset.
 *
 * @category models
 * @since 0.1.0
 */
export interface RandomAccess<out E = never> {
  readonly _tag: "RandomAccess"
  /** Tells this source from others, in later runs too, such as a file's real path. Part of the checkpoint's key. */
  readonly id: string
  /** In bytes. */
  readonly size: number
  /** Of the content when the source was opened. Differs once the content differs. */
  readonly fingerprint: string
  /** Of the content now. The upload compares the two before it completes. */
  readonly currentFingerprint: Effect.Effect<string, SourceError | E>
  /** Fills `target` with the bytes from `offset` on, or fails. In any order, again, and concurrently. */
  readonly read: (target: Uint8Array, offset: number) => Effect.Effect<void, SourceError | E>
  /** Of the content, such as `image/png`, where it is known. The object gets it unless the request says another. Default: it follows from the key. */
  readonly contentType?: string | undefined
  /** In bytes: how much to read at once where each read takes a round trip. Default: reads of any size cost the same. */
  readonly block?: number | undefined
}

/**
 * An opened source whose bytes can only be read from the start to the end.
 *
 * @category models
 * @since 0.1.0
 */
export interface Sequential<out E = never> {
  readonly _tag: "Sequential"
  /** Tells this source from others, in later runs too. Part of the checkpoint's key. */
  readonly id: string
  /** In bytes; null if it isn't known before the end. */
  readonly size: number | null
  /** What is known of the content without reading it. A later run with another fingerprint starts afresh. */
  readonly fingerprint: string
  /** Begins at the start each time it is run, and yields the same bytes each time. */
  readonly bytes: Stream.Stream<Uint8Array, SourceError | E>
  /** As of `RandomAccess`. */
  readonly contentType?: string | undefined
  /** What it lacks to be read at any offset, such as `ranges (Accept-Ranges: bytes)`. The error says it if an option needs that, such as `discover`. */
  readonly lacks?: string | undefined
}

/**
 * Bytes in memory. They are the same source in a later run if they have the
 * same name and the same content.
 *
 * @category constructors
 * @since 0.1.0
 */
export const bytes = (content: Uint8Array, name = "bytes"): RandomAccessSource =>
  BytesSource.make(content, name)

/**
 * A regular file. It counts as changed once its size, its time of modification
 * or its inode differs, and so also when another file is renamed over it. If a
 * later run finds only another inode, as after a remount of a network share, it
 * compares what was sent with the file by CRC64 instead of sending it again.
 *
 * **Details**
 *
 * A file system counts times in ticks, and a second change within one tick
 * doesn't show. So a file is only read once its last change is 20 milliseconds
 * old, or two seconds if its time is in whole seconds. This machine's clock
 * decides: the clock of a file server that is behind by more goes unnoticed.
 *
 * While it is read, the file is looked at every 1 to 64 MiB. A file that was
 * written to, or that has more or fewer bytes than its size says, fails with
 * `SourceChanged`. Files of `/proc` say that they are empty: upload a copy.
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
export const file = (path: string): RandomAccessSource<never, FileSystem.FileSystem> =>
  FileSource.make(path)

/**
 * The members of a `Blob` or a `File` that are used, on the web or in Node.
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
  /** Its content type; empty if it isn't known. */
  readonly type?: string
}

/**
 * A `Blob` or a `File`. A file is the same source in a later run if it has the
 * same name, size and time of modification. If only the time differs, as of a
 * copy, what was sent is compared with the file by CRC64 instead of being sent
 * again. A blob has nothing that tells its
 * content, so it is read once more when it is opened, for its CRC64. The object
 * gets its `type` as content type, unless the request says another.
 *
 * **Example** (a file that the user chose)
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
export const blob = (blob: BlobLike, name: string = blob.name ?? "blob"): RandomAccessSource =>
  BlobSource.make(blob, name)

/**
 * How a URL is fetched.
 *
 * @category models
 * @since 0.1.0
 */
export interface HttpOptions {
  /** Tells this source from others. Default: the URL without user, query and fragment. */
  readonly id?: string | undefined
  /** Sent with each request to the URL's own server, for instance an `Authorization`. A server that it redirects to doesn't get them. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/**
 * The content of a URL, fetched in ranges. Nothing is stored on the way. The
 * answer to HEAD decides how it opens: as random access if it has a length,
 * ranges, and an ETag or a time of modification; otherwise as sequential, which
 * `discover` and `from` refuse.
 * Requests that fail are sent again, five times in all.
 *
 * Several servers may answer for one URL. Each range has to be the one that was
 * asked for, and its ETag or time of modification has to be the first response's.
 * Otherwise the upload fails with `SourceChanged`, or with `SourceUnreadable` if
 * the server doesn't tell: parts of two versions never become one object.
 *
 * **Gotchas**
 *
 * The URL has to allow HEAD and GET: one that is signed for GET alone fails. Its
 * query and its user may be secret, so messages and checkpoints leave them out.
 * Give an `id` if the query tells sources apart. A browser doesn't let a program
 * follow redirects without your headers: give the URL that it redirects to.
 *
 * **Example** (from one server to another)
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
 * Options of a sequential source.
 *
 * @category models
 * @since 0.1.0
 */
export interface SequentialOptions {
  /** A number of bytes, or a text such as `"1.5 GiB"`. If it proves wrong, nothing is stored. Default: not known; then parts grow with their number. */
  readonly size?: Length | undefined
}

/**
 * The bytes of a stream. The stream is run once for each upload, and once more
 * for each resume. A resume reads what was sent, but doesn't send it again; if
 * its CRC64 differs, the source has changed. `id` tells this stream from others
 * in later runs.
 *
 * **Details**
 *
 * Parts are read into memory one after the other. Memory holds at most one part
 * more than are sent at once: 48 MiB with the defaults. Parts that have grown
 * large share 512 MiB, or the memory of two parts if that is more. If the stream
 * fails, the upload fails; what is durable stays for the next run.
 *
 * **Gotchas**
 *
 * A stream that can be run only once yields nothing the second time. If a later
 * run is empty, or within one upload shorter than an earlier run, the upload
 * fails with `SourceUnreadable`.
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
  options?: SequentialOptions
): Source<E, R> => StreamSource.make(id, stream, options)

/**
 * The bytes of a Node `Readable`, or of any other `AsyncIterable`. `make` is
 * called each time the source is read from the start, and has to return a new
 * object that begins there. What it returns is closed in the end. Everything
 * else is as for `stream`.
 *
 * **Gotchas**
 *
 * - An object that was read before is spent: what is left of it isn't the
 *   content. If `make` returns the same object twice, the upload fails with
 *   `SourceUnreadable`.
 * - The standard output of a child process ends in the same way whether the
 *   program succeeds, fails half-way or never starts. Use `command` for it.
 *
 * **Example** (rows that a database driver streams)
 *
 * ```ts
 * import { Source, Upload } from "@effect-oss/core"
 * import type { Readable } from "node:stream"
 *
 * declare const database: { readonly copyOut: (table: string) => Readable }
 *
 * const source = Source.readable("orders", () => database.copyOut("orders"))
 * const upload = Upload.upload({ key: "exports/orders.csv", source })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const readable = (
  id: string,
  make: () => AsyncIterable<unknown>,
  options?: SequentialOptions
): Source => StreamSource.fromIterable(id, make, options)

/**
 * The standard output of a command. The command is started each time the source
 * is read from the start, and stopped when the upload ends. The upload only
 * succeeds if the command exits with 0: if it exits with another code, is ended
 * by a signal or can't be started, the upload fails with `SourceUnreadable` and
 * nothing is stored. Of a pipeline every command has to succeed. Everything else
 * is as for `stream`.
 *
 * **Details**
 *
 * The end of what the command writes to standard error is part of the error's
 * message. Its arguments are not: they may be secret. Unless you say otherwise,
 * its standard input is empty.
 *
 * **Example** (a dump, compressed while it is made)
 *
 * ```ts
 * import { Source, Upload } from "@effect-oss/core"
 * import { ChildProcess } from "effect/process"
 *
 * const dump = ChildProcess.make("pg_dump", ["shop"]).pipe(
 *   ChildProcess.pipeTo(ChildProcess.make("zstd", []))
 * )
 * const upload = Upload.upload({ key: "backups/shop.zst", source: Source.command("shop", dump) })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const command = (
  id: string,
  command: Command,
  options?: SequentialOptions
): Source<never, ChildProcessSpawner> => CommandSource.make(id, command, options)
