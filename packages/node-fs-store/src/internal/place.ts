/**
 * The files of one checkpoint: their names, and the few steps that all of them
 * need. `HASH` stands for the checkpoint's key.
 *
 * - `HASH.lease`: who holds the checkpoint
 * - `HASH.TOKEN.1.claim`: who may end the lease with this token
 * - `HASH.TOKEN.2.claim`: who may end the claim of the first level with this token, and so on
 * - `HASH.TOKEN.alive`, in part: a socket of the process with this token, in a container
 * - `HASH.GENERATION.TOKEN.journal`: the records; the highest generation counts
 * - `….tmp`: on its way to becoming one of these
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import { CheckpointError, Unavailable } from "@effect-oss/core/CheckpointStore"
import { createHash } from "node:crypto"

/** Only the owner may read a checkpoint. */
export const fileMode = 0o600
const directoryMode = 0o700

/** Where one checkpoint is. */
export interface Place {
  readonly directory: string
  readonly hash: string
  readonly lease: string
  readonly candidate: (id: string) => string
  readonly claim: (token: string, level: number) => string
  readonly beacon: (token: string) => string
  readonly journal: (generation: number, token: string) => string
}

/** A journal's file, as its name tells. */
export interface JournalFile {
  readonly path: string
  readonly hash: string
  readonly generation: number
}

/** Half of a SHA-256: 128 bits are plenty to tell keys apart. */
export const hashOf = (key: string): string =>
  createHash("sha256").update(key).digest("hex").slice(0, 32)

/** The place of the checkpoint with this key. */
export const make = (path: Path.Path, directory: string, key: string): Place => {
  const hash = hashOf(key)
  const file = (name: string) => path.join(directory, `${hash}.${name}`)
  return {
    directory,
    hash,
    lease: file("lease"),
    candidate: (id) => file(`${id}.lease.tmp`),
    claim: (token, level) => file(`${token}.${level}.claim`),
    // A socket's path has to be short; two that are the same do no harm, since the later one isn't made.
    beacon: (token) =>
      path.join(directory, `${hash.slice(0, beaconHash)}.${token.slice(0, 8)}.alive`),
    journal: (generation, token) => file(`${generation}.${token}.journal`)
  }
}

/** So many digits of a checkpoint's hash are in the name of a beacon. */
const beaconHash = 16

const journalName = /^([0-9a-f]{32})\.([1-9]\d{0,14})\.[0-9a-f-]{36}\.journal$/
const litterName =
  /^([0-9a-f]{32})\.(?:\d+\.)?[0-9a-f-]{36}\.(?:journal\.tmp|lease\.tmp|\d+\.claim)$/
const beaconName = /^([0-9a-f]{16})\.[0-9a-f]{8}\.alive$/

/** The journals in a directory, of one checkpoint or of all, oldest generation first. */
export const journals = (
  path: Path.Path,
  directory: string,
  hash?: string
): Effect.Effect<ReadonlyArray<JournalFile>, PlatformError, FileSystem.FileSystem> =>
  FileSystem.FileSystem.use((fs) => fs.readDirectory(directory)).pipe(
    Effect.map((names) =>
      names
        .flatMap((name) => {
          const match = journalName.exec(name)
          return match?.[1] === undefined || (hash !== undefined && match[1] !== hash)
            ? []
            : [{ path: path.join(directory, name), hash: match[1], generation: Number(match[2]) }]
        })
        .sort((a, b) => a.generation - b.generation)
    )
  )

/**
 * What runs that died left of this checkpoint. `token` is that of the lease
 * now held: claims on it are other runs', and still of use to them.
 */
export const litter = (path: Path.Path, place: Place, token: string) =>
  FileSystem.FileSystem.use((fs) => fs.readDirectory(place.directory)).pipe(
    Effect.map((names) => {
      const beacon = path.basename(place.beacon(token))
      const isOwn = (name: string) => name.startsWith(`${place.hash}.${token}.`) || name === beacon
      return names
        .filter((name) => {
          const hash = litterName.exec(name)?.[1] ?? beaconName.exec(name)?.[1]
          return hash !== undefined && place.hash.startsWith(hash) && !isOwn(name)
        })
        .map((name) => path.join(place.directory, name))
    })
  )

/** Whether there are any files of this checkpoint. */
export const isLittered = ({ directory, hash }: Place) =>
  FileSystem.FileSystem.use((fs) => fs.readDirectory(directory)).pipe(
    Effect.map((names) => names.some((name) => name.startsWith(hash.slice(0, beaconHash))))
  )

/** Removes a file, unless it is gone. */
export const discard = (file: string) =>
  FileSystem.FileSystem.use((fs) => fs.remove(file)).pipe(
    Effect.catchReason("PlatformError", "NotFound", () => Effect.void)
  )

/** Makes what was written to a file, or created, renamed or removed in a directory, durable. */
export const sync = (path: string) =>
  FileSystem.FileSystem.use((fs) => fs.open(path)).pipe(
    Effect.flatMap((handle) => handle.sync),
    Effect.scoped
  )

/** Creates a directory, and those above it, durably; one that exists is left as it is. */
export const ensureDirectory: (
  path: Path.Path,
  directory: string
) => Effect.Effect<void, PlatformError, FileSystem.FileSystem> = Effect.fnUntraced(
  function* (path, directory) {
    const fs = yield* FileSystem.FileSystem
    const parent = path.dirname(directory)
    // Whoever created it may have been killed before it was durable.
    if (yield* fs.exists(directory)) return yield* Effect.ignore(sync(parent))
    if (parent !== directory) yield* ensureDirectory(path, parent)
    yield* fs
      .makeDirectory(directory, { mode: directoryMode })
      .pipe(Effect.catchReason("PlatformError", "AlreadyExists", () => Effect.void))
    yield* sync(parent)
  }
)

/** A file system's refusal, as an error of the checkpoint at `location`. */
export const unavailable =
  (location: string) =>
  (error: PlatformError): CheckpointError => {
    const { cause } = error.reason
    const description = cause instanceof Error ? cause.message : error.reason.message
    return new CheckpointError({ location, reason: new Unavailable({ description }) })
  }
