/**
 * Writes the name of this process into a lease or a claim: the only way in which
 * either changes hands. `internal/lease.ts` explains why this is safe.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import { CheckpointError, Unavailable } from "@effect-oss/core/CheckpointStore"
import * as File from "./file.ts"
import type { Claimant, Held, Reading } from "./holder.ts"
import * as Holder from "./holder.ts"
import { discard, fileMode, sync, unavailable, unsupported } from "./place.ts"
import * as Process from "./process.ts"

/** How often to try again if the file changed after it was read. */
const patience = 32

/**
 * Takes the lease. Returns true if the holder before may still run. `silent` is
 * a holder that was watched without a sign of life, so it counts as dead
 * although its process can't be seen.
 */
export const take = (
  claimant: Claimant,
  silent: Option.Option<Reading>
): Effect.Effect<boolean, CheckpointError, FileSystem.FileSystem> =>
  takeAt(claimant, claimant.place.lease, 1, (held) =>
    Option.exists(silent, (watched) => Holder.isSame(watched, held))
  )

/** Takes the lease or claim at `path`. A claim of `level` gives the right to replace it. */
const takeAt: (
  claimant: Claimant,
  path: string,
  level: number,
  isGivenUp: (held: Reading) => boolean,
  tries?: number
) => Held<boolean> = Effect.fnUntraced(function* (
  claimant,
  path,
  level,
  isGivenUp,
  tries = patience
) {
  if (tries === 0) return yield* restless(path)
  const again = Effect.suspend(() => takeAt(claimant, path, level, isGivenUp, tries - 1))
  const held = yield* Holder.read(claimant.place, path)
  if (Option.isNone(held)) return (yield* create(claimant, path)) ? false : yield* again
  const fate = yield* Holder.judge(claimant, held.value)
  if (fate === "Alive" || (fate === "Unknown" && !isGivenUp(held.value))) {
    return yield* Holder.busy(claimant, held.value)
  }
  const claim = claimant.place.claim(held.value.token, level)
  const contested = yield* Effect.acquireUseRelease(
    // A claim is held for a moment only. If it is older than a minute, its owner is dead or has
    // missed its turn.
    takeAt(claimant, claim, level + 1, () => true),
    (contested) =>
      Effect.map(supersede(claimant, path, held.value), (done) =>
        done ? Option.some(contested || fate === "Unknown") : Option.none()
      ),
    () => Effect.ignore(discard(claim))
  )
  return Option.isSome(contested) ? contested.value : yield* again
})

const restless = (path: string) =>
  new CheckpointError({
    location: path,
    reason: new Unavailable({ description: "it changes faster than it can be read" })
  })

/** Creates the file. False if it exists already. */
const create = (claimant: Claimant, path: string) =>
  withCandidate(claimant, path, (candidate) => linkOrCreate(claimant, candidate, path))

/**
 * Creates a file with the claimant's name. Fails with `AlreadyExists` if the
 * file exists. A file system without hard links, such as FAT, exFAT or an SMB
 * share, takes two steps for that. A process that reads the file in between
 * finds a lease without a readable name, and respects it for a minute.
 */
export const linkTo = (
  claimant: Claimant,
  from: string,
  path: string
): Effect.Effect<void, PlatformError, FileSystem.FileSystem> =>
  FileSystem.FileSystem.use((fs) => fs.link(from, path)).pipe(
    Effect.catchIf(
      (error) => unsupported.has(File.codeOf(error)),
      () => createExclusively(path, claimant.text)
    )
  )

const createExclusively = Effect.fnUntraced(function* (path: string, text: string) {
  const fs = yield* FileSystem.FileSystem
  const file = yield* fs.open(path, { flag: "wx", mode: fileMode })
  yield* file.writeAll(new TextEncoder().encode(text)).pipe(
    Effect.andThen(file.sync),
    Effect.andThen(touch(path, text)),
    Effect.onError(() => Effect.ignore(discard(path)))
  )
}, Effect.scoped)

const linkOrCreate = (claimant: Claimant, from: string, path: string) =>
  linkTo(claimant, from, path).pipe(
    Effect.as(true),
    Effect.catchReason("PlatformError", "AlreadyExists", () => Effect.succeed(false))
  )

/**
 * Replaces the file for the owner of the claim on it. False if the file has
 * changed since it was read.
 */
const supersede = Effect.fnUntraced(function* (claimant: Claimant, path: string, held: Reading) {
  const now = yield* Holder.read(claimant.place, path)
  if (Option.isNone(now) || now.value.text !== held.text) return false
  return yield* withCandidate(claimant, path, (candidate) =>
    FileSystem.FileSystem.use((fs) => fs.rename(candidate, path)).pipe(Effect.as(true))
  )
})

/**
 * Writes the claimant's name to a temporary file and syncs it, so that others
 * see the whole name or nothing, even after a power failure. Returns false if
 * the file disappears before `use` is done, because a new holder cleared it
 * away.
 */
const withCandidate = Effect.fnUntraced(function* (
  { place, text }: Claimant,
  path: string,
  use: (candidate: string) => Effect.Effect<boolean, PlatformError, FileSystem.FileSystem>
) {
  const fs = yield* FileSystem.FileSystem
  const candidate = place.candidate((yield* Process.System).uuid())
  const steps = sync(candidate).pipe(
    Effect.andThen(touch(candidate, text)),
    Effect.andThen(use(candidate)),
    Effect.catch(Holder.absent(path, false))
  )
  return yield* fs
    .writeFileString(candidate, text, { flag: "wx", mode: fileMode })
    .pipe(
      Effect.mapError(unavailable(path)),
      Effect.andThen(steps),
      Effect.ensuring(Effect.ignore(discard(candidate)))
    )
})

/** Gives a sign of life: sets a new time, or writes the same text again if times can't be set. */
export const touch = Effect.fnUntraced(function* (path: string, text: string) {
  const fs = yield* FileSystem.FileSystem
  const seconds = (yield* Clock.currentTimeMillis) / 1000
  yield* fs.utimes(path, seconds, seconds).pipe(
    Effect.catchIf(
      (error) => unsupported.has(File.codeOf(error)),
      () => fs.writeFileString(path, text, { flag: "r+" })
    )
  )
})
