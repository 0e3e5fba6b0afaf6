/**
 * Names the files of one checkpoint, and has the steps that they share. `HASH`
 * is the hash of the checkpoint's key. It begins with the hash of the object,
 * and its first two digits name the directory. With 256 directories, opening one
 * checkpoint reads few names, however many others there are.
 *
 * - `HASH.lease`: names the holder of the checkpoint
 * - `HASH.TOKEN.1.claim`: names the process that may end the lease with this
 *   token
 * - `HASH.TOKEN.2.claim`: names the process that may end the first claim with
 *   this token, and so on
 * - `HASH.TOKEN.alive`, shortened: a socket of the process with this token, in a
 *   container
 * - `HASH.GENERATION.TOKEN.journal`: the records; the highest generation counts
 * - `….tmp`: a temporary file that becomes one of these
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Checkpoint from "@effect-oss/core/Checkpoint"
import { CheckpointError, Unavailable, Untrusted } from "@effect-oss/core/CheckpointStore"
import { hash as digestOf } from "node:crypto"
import * as File from "./file.ts"
import { System } from "./process.ts"

/** Only the owner can read a checkpoint. */
export const fileMode = 0o600
const directoryMode = 0o700

/** The directory of a store. */
export interface Root {
  readonly path: Path.Path
  readonly directory: string
  /** Whether to accept files that others can write to. */
  readonly allowShared: boolean
}

/** The files of one checkpoint. */
export interface Place {
  readonly root: Root
  readonly directory: string
  readonly hash: string
  readonly lease: string
  readonly candidate: (id: string) => string
  readonly claim: (token: string, level: number) => string
  readonly beacon: (token: string) => string
  readonly journal: (generation: number, token: string) => string
}

/** The path, hash and generation of a journal, from its name. */
export interface JournalFile {
  readonly path: string
  readonly hash: string
  readonly generation: number
}

/** The hash of a checkpoint: 64 bits of its object and 64 bits of its key. */
export const hashOf = (key: string): string =>
  `${halfOf(Checkpoint.objectOfKey(key))}${halfOf(key)}`

/** The beginning of the hashes of an object's checkpoints. */
export const objectHashOf = (object: Checkpoint.ObjectPlace): string =>
  halfOf(Checkpoint.objectOf(object))

const half = 16
const halfOf = (text: string) => digestOf("sha256", text).slice(0, half)

/** Whether a checkpoint's header belongs to the hash of its file. */
export const isHashOf = (hash: string, key: string, header: Checkpoint.Header): boolean =>
  hash === `${halfOf(Checkpoint.objectOf(header))}${halfOf(key)}`

/** The directory of the checkpoints whose hashes begin with `hash`. */
export const directoryOf = ({ path, directory }: Root, hash: string): string =>
  path.join(directory, hash.slice(0, 2))

/** Names the files of the checkpoint with this key. */
export const make = (root: Root, key: string): Place => {
  const { path } = root
  const hash = hashOf(key)
  const directory = directoryOf(root, hash)
  const file = (name: string) => path.join(directory, `${hash}.${name}`)
  return {
    root,
    directory,
    hash,
    lease: file("lease"),
    candidate: (id) => file(`${id}.lease.tmp`),
    claim: (token, level) => file(`${token}.${level}.claim`),
    // A socket's path must be short. If two are equal, the second isn't made, which does no harm.
    beacon: (token) => path.join(directory, `${hash.slice(half)}.${token.slice(0, 8)}.alive`),
    journal: (generation, token) => file(`${generation}.${token}.journal`)
  }
}

const directoryName = /^[0-9a-f]{2}$/
const journalName = /^([0-9a-f]{32})\.([1-9]\d{0,14})\.[0-9a-f-]{36}\.journal$/
const litterName =
  /^([0-9a-f]{32})\.(?:\d+\.)?[0-9a-f-]{36}\.(?:journal\.tmp|lease\.tmp|\d+\.claim)$/
const beaconName = /^([0-9a-f]{16})\.[0-9a-f]{8}\.alive$/

const names = (directory: string) => FileSystem.FileSystem.use((fs) => fs.readDirectory(directory))

/** The directories of a store that may hold checkpoints. */
export const directories = ({ path, directory }: Root) =>
  Effect.map(names(directory), (names) =>
    names
      .filter((name) => directoryName.test(name))
      .toSorted()
      .map((name) => path.join(directory, name))
  )

/** The journals in a directory whose hashes begin with `hash`, oldest generation first. */
export const journals = (
  { path }: Root,
  directory: string,
  hash = ""
): Effect.Effect<ReadonlyArray<JournalFile>, PlatformError, FileSystem.FileSystem> =>
  Effect.map(names(directory), (names) =>
    names
      .flatMap((name) => {
        const match = name.startsWith(hash) ? journalName.exec(name) : null
        return match?.[1] === undefined
          ? []
          : [{ path: path.join(directory, name), hash: match[1], generation: Number(match[2]) }]
      })
      .sort((a, b) => a.generation - b.generation)
  )

/**
 * The files that dead runs left of this checkpoint. `token` is the token of the
 * current lease: claims on it belong to other living runs.
 */
export const litter = (place: Place, token: string) =>
  Effect.map(names(place.directory), (names) => {
    const { path } = place.root
    const beacon = path.basename(place.beacon(token))
    const isOwn = (name: string) => name.startsWith(`${place.hash}.${token}.`) || name === beacon
    return names
      .filter((name) => isLitter(place, name) && !isOwn(name))
      .map((name) => path.join(place.directory, name))
  })

const isLitter = ({ hash }: Place, name: string) =>
  litterName.exec(name)?.[1] === hash || beaconName.exec(name)?.[1] === hash.slice(half)

/** Whether this checkpoint has any files. */
export const isLittered = (place: Place) =>
  Effect.map(names(place.directory), (names) =>
    names.some((name) => name.startsWith(place.hash) || isLitter(place, name))
  )

/** Removes a file if it exists. */
export const discard = (file: string) =>
  FileSystem.FileSystem.use((fs) => fs.remove(file)).pipe(
    Effect.catchReason("PlatformError", "NotFound", () => Effect.void)
  )

/**
 * Tries a removal again for a second. If a disk fails for a moment, a file would
 * stay: a lease while this process lives, or a checkpoint until you sweep.
 */
export const persistently = <A, R>(
  removal: Effect.Effect<A, PlatformError | CheckpointError, R>
): Effect.Effect<A, PlatformError | CheckpointError, R> =>
  Effect.flatMap(System, ({ again }) =>
    Effect.retry(removal, {
      while: ({ reason }) => !lasting.has(reason._tag),
      schedule: Schedule.spaced(again),
      times: 10
    })
  )

/** Errors that another attempt would not change. */
const lasting: ReadonlySet<string> = new Set(["LeaseLost", "AlreadyExists", "NotFound"])

/** Syncs a file to the disk. */
export const sync = (path: string) =>
  FileSystem.FileSystem.use((fs) => fs.open(path)).pipe(
    Effect.flatMap((handle) => handle.sync),
    Effect.scoped
  )

/**
 * Makes created, renamed and removed names of a directory durable. FAT, exFAT,
 * SMB and Windows have no such call; they write names by themselves, sooner or
 * later.
 */
export const syncDirectory = (directory: string) =>
  Effect.catchIf(
    sync(directory),
    (error) => unsupported.has(File.codeOf(error)),
    () => Effect.void
  )

/** The errors of file systems for calls that they don't support. */
export const unsupported: ReadonlySet<string> = new Set([
  "EPERM",
  "EINVAL",
  "ENOSYS",
  "ENOTSUP",
  "EOPNOTSUPP",
  "EISDIR",
  "EBADF"
])

/** Creates the directory of a store if it is missing. Fails if other users can write to it. */
export const ensureRoot = (root: Root) => ensure(root, root.directory)

/**
 * Creates the directory of a checkpoint if it is missing. Fails if other users
 * can write to it.
 */
export const ensureDirectory = ({ root, directory }: Place) => ensure(root, directory)

const ensure = Effect.fnUntraced(function* (root: Root, directory: string) {
  const found = yield* stat(directory)
  if (Option.isNone(found)) return yield* create(root.path, directory)
  yield* trusted(root, directory, File.standingOf(found.value))
  // The process that created it may have died before it was durable.
  yield* Effect.ignore(sync(root.path.dirname(directory)))
})

/** Creates a directory and its parents, durably. */
const create: (
  path: Path.Path,
  directory: string
) => Effect.Effect<void, PlatformError, FileSystem.FileSystem> = Effect.fnUntraced(
  function* (path, directory) {
    const fs = yield* FileSystem.FileSystem
    const parent = path.dirname(directory)
    if (parent !== directory && Option.isNone(yield* stat(parent))) yield* create(path, parent)
    yield* fs
      .makeDirectory(directory, { mode: directoryMode })
      .pipe(Effect.catchReason("PlatformError", "AlreadyExists", () => Effect.void))
    yield* syncDirectory(parent)
  }
)

const stat = (path: string) =>
  FileSystem.FileSystem.use((fs) => fs.stat(path)).pipe(
    Effect.asSome,
    Effect.catchReason("PlatformError", "NotFound", () => Effect.succeedNone)
  )

/**
 * Fails if other users can write to a store's directory. Succeeds if the
 * directory doesn't exist.
 */
export const checkRoot = Effect.fnUntraced(function* (root: Root) {
  const found = yield* stat(root.directory)
  if (Option.isSome(found)) yield* trusted(root, root.directory, File.standingOf(found.value))
})

const trusted = Effect.fnUntraced(function* (
  { allowShared }: Root,
  location: string,
  standing: File.Standing
) {
  const description = allowShared ? undefined : File.distrust(standing, (yield* System).user)
  if (description !== undefined) return yield* untrusted(location, description)
})

/** Reads a file of a store, up to a limit. Fails if other users can write to it. */
export const read = Effect.fnUntraced(function* (root: Root, location: string, limit: number) {
  const system = yield* System
  return yield* Effect.fromResult(
    checked(root, location, system.user, yield* system.read(location, limit))
  )
})

/** Fails if other users can write to the file that was read, or if it isn't a regular file. */
export const checked = (
  { allowShared }: Root,
  location: string,
  user: number | undefined,
  found: File.Found
): Result.Result<File.Found, CheckpointError> => {
  const description = found.isRegular
    ? allowShared
      ? undefined
      : File.distrust(found, user)
    : "it is not a regular file, but a pipe, a link or the like"
  return description === undefined
    ? Result.succeed(found)
    : Result.fail(untrusted(location, description))
}

const untrusted = (location: string, description: string) =>
  new CheckpointError({ location, reason: new Untrusted({ description }) })

/** Turns an error of the file system into one of the checkpoint at `location`. */
export const unavailable =
  (location: string) =>
  (error: PlatformError): CheckpointError => {
    const { cause } = error.reason
    const description = cause instanceof Error ? cause.message : error.reason.message
    return new CheckpointError({ location, reason: new Unavailable({ description }) })
  }

/** Turns an error of the file system into one of the checkpoint, and keeps other errors. */
export const orUnavailable =
  (location: string) =>
  (error: PlatformError | CheckpointError): CheckpointError =>
    error._tag === "PlatformError" ? unavailable(location)(error) : error
