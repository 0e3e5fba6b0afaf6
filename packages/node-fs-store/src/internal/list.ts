/** Reading all journals of a store, each once, whatever their number. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { CheckpointError, Damaged } from "@effect-oss/core/CheckpointStore"
import * as Journal from "./journal.ts"
import * as Place from "./place.ts"

/** A journal as it was read from its file. */
export interface Read extends Journal.Journal {
  readonly path: string
  /** Of its file. */
  readonly inode: string
}

/** Reads a journal. */
export const parse = Effect.fnUntraced(function* (root: Place.Root, { path }: Place.JournalFile) {
  const { bytes, isWhole, inode } = yield* Place.read(root, path, Journal.maxBytes)
  const journal = yield* Effect.mapError(
    isWhole ? Effect.fromResult(Journal.recover(bytes)) : Effect.fail(tooLarge),
    (reason) => new CheckpointError({ location: path, reason })
  )
  return { ...journal, path, inode } satisfies Read
})

const tooLarge = new Damaged({ description: `it has more than ${Journal.maxBytes} bytes` })

/** Whose it is, is told by its text and by its name. */
export const own = (
  { path, hash }: Place.JournalFile,
  { checkpointKey }: Journal.Journal
): Effect.Effect<void, CheckpointError> =>
  Place.hashOf(checkpointKey) === hash
    ? Effect.void
    : new CheckpointError({
        location: path,
        reason: new Damaged({ description: "it is another checkpoint's, under a wrong name" })
      })

/** The newest journals of all checkpoints whose hashes begin so. Those that can't be read are left out, with a warning. */
export const journals = (
  root: Place.Root,
  hash?: string
): Stream.Stream<Read, CheckpointError, FileSystem.FileSystem> =>
  directories(root, hash).pipe(
    Effect.mapError(Place.orUnavailable(root.directory)),
    Stream.fromIterableEffect,
    Stream.mapEffect((directory) => inDirectory(root, directory, hash)),
    Stream.flatMap(Stream.fromIterable)
  )

const directories = Effect.fnUntraced(function* (root: Place.Root, hash: string | undefined) {
  yield* Place.checkRoot(root)
  if (hash !== undefined) return [Place.directoryOf(root, hash)]
  return yield* Effect.catchReason(Place.directories(root), "PlatformError", "NotFound", () =>
    Effect.succeed([])
  )
})

/** How many files are read at once. */
const concurrency = 32

const inDirectory = (root: Place.Root, directory: string, hash: string | undefined) =>
  Place.journals(root, directory, hash).pipe(
    // The later ones come last, and count.
    Effect.map((files) => new Map(files.map((file) => [file.hash, file])).values()),
    Effect.catchReason("PlatformError", "NotFound", () => Effect.succeed([])),
    Effect.mapError(Place.orUnavailable(directory)),
    Effect.flatMap((files) =>
      Effect.forEach(files, (file) => read(root, directory, file), { concurrency })
    ),
    Effect.map((read) => read.flatMap(Option.toArray))
  )

const read = (root: Place.Root, directory: string, file: Place.JournalFile) =>
  readOf(root, file).pipe(
    Effect.asSome,
    // Its holder may just have put another generation in its place.
    Effect.catchReason("PlatformError", "NotFound", () => again(root, directory, file.hash)),
    Effect.catch((error) => Effect.as(Effect.logWarning(error.message), Option.none()))
  )

const readOf = (root: Place.Root, file: Place.JournalFile) =>
  Effect.tap(parse(root, file), (journal) => own(file, journal))

const again = Effect.fnUntraced(
  function* (root: Place.Root, directory: string, hash: string) {
    const newest = (yield* Place.journals(root, directory, hash)).at(-1)
    return newest === undefined ? Option.none() : Option.some(yield* readOf(root, newest))
  },
  Effect.retry({ times: 3, while: (error) => error._tag === "PlatformError" })
)
