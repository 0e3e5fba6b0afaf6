/**
 * Gives each checkpoint one holder at a time, with files alone: Node has no file
 * locks, and not every network disk honours them.
 *
 * **The lease** is a file that names its holder. link(2) creates it whole, and
 * only if there is none. A holder whose process or thread is surely dead loses
 * the lease to the next process that asks. A holder that can't be seen, on
 * another host, loses it if it hasn't touched the file for a minute, and still
 * doesn't while the next process watches it for 40 seconds. Clocks that may be
 * wrong decide the first condition, but not the second.
 *
 * **Ending a lease.** Only the owner of the claim on its token may replace or
 * remove a lease. link(2) creates a claim, too, so only one process gets it,
 * whether two processes want to take the lease or one wants to take it while the
 * holder releases it. The other sees the claim and gives way. The owner of the
 * claim reads the lease again. If the lease has another token, another process
 * was faster, and the claim has no meaning, because tokens never return.
 * Otherwise no other process may touch the lease until the claim is given up. So
 * a lease is taken only from the holder that was judged, and by one process
 * only. If the owner of a claim dies, the claim is taken over like a lease: with
 * a claim of the next level on the owner's token.
 *
 * **What remains.** If a process on another host sleeps for more than a minute
 * between reading the lease and replacing it, it may replace a lease that it
 * hasn't read. The files of two holders have different names, and every holder
 * checks the lease before it makes a journal visible and before it reports a
 * part as recorded. So the holder that was replaced fails with `LeaseLost`.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { CheckpointError, LeaseLost, Unavailable } from "@effect-oss/core/CheckpointStore"
import * as Beacon from "./beacon.ts"
import * as Claim from "./claim.ts"
import type { Claimant } from "./holder.ts"
import * as Holder from "./holder.ts"
import type { Place } from "./place.ts"
import { discard, persistently, unavailable } from "./place.ts"
import * as Process from "./process.ts"

/** A lease that is held. */
export interface Lease {
  /** Unique: no process ever makes the same token again. */
  readonly token: string
  /** This process, which holds the lease. */
  readonly self: Process.Identity
  /** Whether the holder before may still run and write. */
  readonly contested: boolean
  /** Fails with `LeaseLost` if another process has taken the lease. */
  readonly check: Effect.Effect<void, CheckpointError, FileSystem.FileSystem>
}

/** Takes the lease until the scope closes. Fails with `Busy` if another holder is alive. */
export const acquire = Effect.fnUntraced(function* (place: Place) {
  const claimant = yield* Holder.claimantOf(place)
  // The beacon is lit before the lease exists, and goes out after it is gone.
  if (Process.isHidden(claimant.self)) yield* Beacon.light(place.beacon(claimant.token))
  const silent = yield* Holder.silent(claimant)
  const contested = yield* Effect.acquireRelease(Claim.take(claimant, silent), () =>
    release(claimant)
  )
  yield* Effect.forkScoped(Effect.repeat(renew(claimant), Schedule.spaced(Holder.renewal)))
  const { token, self } = claimant
  return { token, self, contested, check: check(claimant) } satisfies Lease
})

/** Whether a living process has the lease, as far as that can be seen from here. */
export const isHeld = Effect.fnUntraced(function* (place: Place) {
  const held = yield* Holder.read(place, place.lease)
  if (Option.isNone(held)) return false
  return (yield* Holder.judge(yield* Holder.claimantOf(place), held.value)) === "Alive"
})

const check = Effect.fnUntraced(function* ({ place, text }: Claimant) {
  const held = yield* Holder.read(place, place.lease)
  if (Option.exists(held, (held) => held.text === text)) return
  yield* isThere(place.root.directory)
  yield* isThere(place.directory)
  return yield* new CheckpointError({ location: place.lease, reason: new LeaseLost() })
})

/**
 * Fails with `Unavailable` if the directory is gone: then no other process has
 * taken the lease.
 */
const isThere = (directory: string) =>
  FileSystem.FileSystem.use((fs) => fs.exists(directory)).pipe(
    Effect.mapError(unavailable(directory)),
    Effect.filterOrFail(identity, () => {
      const description = "it was removed while an upload was using it"
      return new CheckpointError({ location: directory, reason: new Unavailable({ description }) })
    })
  )

/** Renews the lease. A failure doesn't lose it: the next renewal may succeed. */
const renew = (claimant: Claimant) =>
  Effect.ignore(Effect.andThen(check(claimant), Claim.touch(claimant.place.lease, claimant.text)))

/**
 * Removes the lease if this claimant still has it. The claim is a hard link to
 * the lease, so a full disk doesn't prevent it. If another process already has
 * the claim, it is about to replace the lease.
 */
const release = (claimant: Claimant) => {
  const { lease, claim } = claimant.place
  const own = claim(claimant.token, 1)
  return Effect.acquireUseRelease(
    Claim.linkTo(claimant, lease, own),
    () => Effect.andThen(check(claimant), discard(lease)),
    () => Effect.ignore(discard(own))
  ).pipe(
    persistently,
    Effect.catchReason("CheckpointError", "LeaseLost", () => Effect.void),
    Effect.catchReason("PlatformError", "AlreadyExists", () => Effect.void),
    Effect.catchReason("PlatformError", "NotFound", () => Effect.void),
    Effect.catch((error) =>
      Effect.logWarning(`${lease}: in use until this process ends: ${error.message}`)
    )
  )
}
