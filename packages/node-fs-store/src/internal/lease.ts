/**
 * One holder at a time for one checkpoint, by files alone: Node has no file
 * locks, and not every network disk would honour them.
 *
 * **The lease** is a file that names its holder. It comes into being by link(2),
 * whole and only if there is none. A holder whose process or thread is surely
 * dead loses it to the next who asks. One that can't be seen from here (on
 * another host) loses it when it hasn't touched the file for a minute, and does
 * not touch it either while the next one watches it for 40 seconds: the first is
 * told by clocks that may be wrong, the second by none.
 *
 * **Ending a lease.** Nothing but its token's claim gives the right to replace
 * or remove a lease. A claim, too, is made by link(2), so that one process only
 * has it: of two takers, or of a taker and the holder that is just closing, one
 * gets it, and the other sees it and gives way. Having the claim, one reads the
 * lease again. If another token stands there, another taker was faster, and the
 * claim is moot, since tokens never come back; if not, nobody else may touch the
 * lease until the claim is given up. So a lease is never taken from anyone but
 * the holder that was judged, and never by two. A claim whose owner died is taken
 * over as a lease is: by a claim of the next level, on the owner's token.
 *
 * **What remains.** A taker on another host that sleeps for over a minute
 * between reading the lease and replacing it may replace one that is not the one
 * it read. The files of two holders have different names, and every holder
 * checks the lease before it makes a journal visible and before it reports a
 * part as recorded: the one that was pushed out fails with `LeaseLost`.
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
  /** Unique, also among the dead; no process makes the same one again. */
  readonly token: string
  /** The process that holds it: this one. */
  readonly self: Process.Identity
  /** Whether the holder before may still run, and write. */
  readonly contested: boolean
  /** Fails with `LeaseLost` once another process has the lease. */
  readonly check: Effect.Effect<void, CheckpointError, FileSystem.FileSystem>
}

/** Takes the lease until the scope closes; fails with `Busy` if another holder is alive. */
export const acquire = Effect.fnUntraced(function* (place: Place) {
  const claimant = yield* Holder.claimantOf(place)
  // Before anybody looks for it, and for longer than anybody does.
  if (Process.isHidden(claimant.self)) yield* Beacon.light(place.beacon(claimant.token))
  const silent = yield* Holder.silent(claimant)
  const contested = yield* Effect.acquireRelease(Claim.take(claimant, silent), () =>
    release(claimant)
  )
  yield* Effect.forkScoped(Effect.repeat(renew(claimant), Schedule.spaced(Holder.renewal)))
  const { token, self } = claimant
  return { token, self, contested, check: check(claimant) } satisfies Lease
})

/** Whether a process has it that lives, as far as can be seen from here. */
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

/** Nobody has taken anything over where there is nothing any more. */
const isThere = (directory: string) =>
  FileSystem.FileSystem.use((fs) => fs.exists(directory)).pipe(
    Effect.mapError(unavailable(directory)),
    Effect.filterOrFail(identity, () => {
      const description = "it was removed while an upload was using it"
      return new CheckpointError({ location: directory, reason: new Unavailable({ description }) })
    })
  )

/** A failure is no loss of the lease yet: the next renewal may succeed. */
const renew = (claimant: Claimant) =>
  Effect.ignore(Effect.andThen(check(claimant), Claim.touch(claimant.place.lease, claimant.text)))

/**
 * Removes the lease if it is still this claimant's. The claim is a link to the
 * lease itself, so that a full disk does not keep it. Whoever has made the
 * claim already is about to replace the lease.
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
