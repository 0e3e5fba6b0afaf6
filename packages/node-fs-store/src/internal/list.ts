/** Lists the journals of a store. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { CheckpointError, Damaged } from "@effect-oss/core/CheckpointStore"
import type * as File from "./file.ts"
import * as Journal from "./journal.ts"
import * as Place from "./place.ts"
import * as Process from "./process.ts"

/** A journal that was read. */
export interface Read extends Journal.Journal {
  readonly path: string
  /** The inode number of the journal's file. */
  readonly inode: string
}

/** Reads a journal. */
export const parse = Effect.fnUntraced(function* (root: Place.Root, file: Place.JournalFile) {
  const found = yield* Place.read(root, file.path, Journal.maxBytes)
  return yield* Effect.fromResult(journalIn(file, found))
})

const journalIn = (
  { path }: Place.JournalFile,
  { bytes, isWhole, inode }: File.Found
): Result.Result<Read, CheckpointError> =>
  Result.mapBoth(isWhole ? Journal.recover(bytes) : Result.fail(tooLarge), {
    onFailure: (reason) => new CheckpointError({ location: path, reason }),
    onSuccess: (journal) => ({ ...journal, path, inode })
  })

const tooLarge = new Damaged({ description: `it has more than ${Journal.maxBytes} bytes` })

/** Fails if the text of the journal belongs to another checkpoint than its name. */
export const own = <A extends Journal.Journal>(
  { path, hash }: Place.JournalFile,
  journal: A
): Result.Result<A, CheckpointError> =>
  Place.isHashOf(hash, journal.checkpointKey, journal.checkpoint.header)
    ? Result.succeed(journal)
    : Result.fail(
        new CheckpointError({
          location: path,
          reason: new Damaged({ description: "it belongs to another checkpoint" })
        })
      )

/**
 * The newest journal of each checkpoint whose hash begins with `hash`. Journals
 * that can't be read are skipped with a warning.
 */
export const journals = (
  root: Place.Root,
  hash?: string
): Stream.Stream<Read, CheckpointError, FileSystem.FileSystem> =>
  Stream.unwrap(
    Effect.map(isLocal(root), (isLocal) =>
      directories(root, hash).pipe(
        Effect.mapError(Place.orUnavailable(root.directory)),
        Stream.fromIterableEffect,
        Stream.mapEffect((directory) => inDirectory({ ...root, isLocal }, directory, hash)),
        Stream.flatMap(Stream.fromIterable)
      )
    )
  )

/**
 * Whether the store is on a local disk, where reading a small file takes less
 * time than handing it to a thread.
 */
const isLocal = ({ directory }: Place.Root) =>
  Effect.flatMap(Process.System, ({ fileSystem }) =>
    Effect.map(fileSystem(directory), (type) => Process.ofOneKernel.has(type))
  )

interface Root extends Place.Root {
  readonly isLocal: boolean
}

const directories = Effect.fnUntraced(function* (root: Place.Root, hash: string | undefined) {
  yield* Place.checkRoot(root)
  if (hash !== undefined) return [Place.directoryOf(root, hash)]
  return yield* Effect.catchReason(Place.directories(root), "PlatformError", "NotFound", () =>
    Effect.succeed([])
  )
})

/** How many files are read at once, or before other fibers may run. */
const batch = 32

const inDirectory = (root: Root, directory: string, hash: string | undefined) =>
  Place.journals(root, directory, hash).pipe(
    // Later generations come last, and replace earlier ones.
    Effect.map((files) => Array.from(new Map(files.map((file) => [file.hash, file])).values())),
    Effect.catchReason("PlatformError", "NotFound", () => Effect.succeed([])),
    Effect.mapError(Place.orUnavailable(directory)),
    Effect.flatMap((files) => readAll(root, directory, files)),
    Effect.map((read) => read.flatMap(Option.toArray))
  )

const readAll = Effect.fnUntraced(function* (
  root: Root,
  directory: string,
  files: ReadonlyArray<Place.JournalFile>
) {
  const { readSync, user } = yield* Process.System
  if (readSync === undefined || !root.isLocal) {
    return yield* Effect.forEach(
      files,
      (file) => orLeftOut(root, directory, file, readOf(root, file)),
      { concurrency: batch }
    )
  }
  const read = (file: Place.JournalFile) =>
    Result.flatMap(readSync(file.path, Journal.maxBytes), (found) =>
      Result.flatMap(Place.checked(root, file.path, user, found), (found) =>
        Result.flatMap(journalIn(file, found), (journal) => own(file, journal))
      )
    )
  const all: Array<Option.Option<Read>> = []
  for (let index = 0; index < files.length; index += batch) {
    for (const file of files.slice(index, index + batch)) {
      const result = read(file)
      all.push(
        Result.isSuccess(result)
          ? Option.some(result.success)
          : yield* orLeftOut(root, directory, file, Effect.fail(result.failure))
      )
    }
    yield* Effect.yieldNow
  }
  return all
})

/** Skips a journal that can't be read, with a warning. */
const orLeftOut = <R>(
  root: Place.Root,
  directory: string,
  file: Place.JournalFile,
  read: Effect.Effect<Read, CheckpointError | PlatformError, R>
) =>
  Effect.asSome(read).pipe(
    // Its holder may just have replaced it with the next generation.
    Effect.catchReason("PlatformError", "NotFound", () => again(root, directory, file.hash)),
    Effect.catch((error) => Effect.as(Effect.logWarning(error.message), Option.none<Read>()))
  )

const readOf = (root: Place.Root, file: Place.JournalFile) =>
  Effect.flatMap(parse(root, file), (journal) => Effect.fromResult(own(file, journal)))

const again = Effect.fnUntraced(
  function* (root: Place.Root, directory: string, hash: string) {
    const newest = (yield* Place.journals(root, directory, hash)).at(-1)
    return newest === undefined ? Option.none() : Option.some(yield* readOf(root, newest))
  },
  Effect.retry({ times: 3, while: (error) => error._tag === "PlatformError" })
)
