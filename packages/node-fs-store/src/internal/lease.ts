/**
 * One holder at a time for one checkpoint, by files alone: Node has no file
 * locks, and not every network disk would honour them.
 *
 * **The lease** is a file that names its holder. It comes into being by link(2),
 * whole and only if there is none. A holder whose process is surely dead loses
 * it to the next who asks; one that can't be seen from here (on another host) loses
 * it when it hasn't touched the file for a minute.
 *
 * **Ending a lease.** Nothing but its token's claim gives the right to replace
 * or remove a lease. A claim, too, is made by link(2), so that one process only
 * has it: of two takers, or of a taker and the holder who is just closing, one
 * gets it, and the other sees it and gives way. Having the claim, one reads the
 * lease again. If another token stands there, somebody was faster, and the claim
 * is moot, since tokens never come back; if not, nobody else may touch the
 * lease until the claim is given up. So a lease is never taken from anyone but
 * the holder who was judged, and never by two. A claim whose owner died is taken
 * over as a lease is: by a claim of the next level, on the owner's token.
 *
 * **What remains.** A taker on another host that sleeps for over a minute
 * between reading the lease and replacing it may replace one that is not the one
 * it read. The files of two holders have different names, and every holder
 * checks the lease before it makes a journal visible and before it reports a
 * part as recorded: the one that was pushed out fails with `LeaseLost`.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { Busy, CheckpointError, LeaseLost, Unavailable } from "@effect-oss/core/CheckpointStore"
import * as Beacon from "./beacon.ts"
import type { Place } from "./place.ts"
import { discard, fileMode, sync, unavailable } from "./place.ts"
import * as Process from "./process.ts"

/** A holder that can't be seen from here is given up after this time without a sign of life. */
const limit = Duration.toMillis("60 seconds")
const renewal = Duration.seconds(20)

/** A lease that is held. */
export interface Lease {
  /** Unique, also among the dead; no process makes the same one again. */
  readonly token: string
  /** Whether the holder before may still run, and write. */
  readonly contested: boolean
  /** Fails with `LeaseLost` once somebody else has the lease. */
  readonly check: Effect.Effect<void, CheckpointError, FileSystem.FileSystem>
}

const Holder = Schema.Struct({
  token: Schema.String.check(Schema.isPattern(/^[0-9a-f-]{36}$/)),
  ...Process.Identity.fields,
  /** By the holder's clock, in milliseconds since 1970. */
  at: Schema.Finite
})
const HolderText = Schema.fromJsonString(Holder)
const encodeHolder = Schema.encodeSync(HolderText)
const decodeHolder = Schema.decodeResult(HolderText)

/** Somebody who wants the lease, or has it. */
interface Claimant {
  readonly place: Place
  readonly self: Process.Identity
  readonly token: string
  /** What the lease reads if this claimant has it. */
  readonly text: string
}

/** Takes the lease until the scope closes; fails with `Busy` if another holder is alive. */
export const acquire = Effect.fnUntraced(function* (place: Place) {
  const claimant = yield* claimantOf(place)
  // Before anybody looks for it, and for longer than anybody does.
  if (Process.isHidden(claimant.self)) yield* Beacon.light(place.beacon(claimant.token))
  const contested = yield* Effect.acquireRelease(take(claimant, place.lease, 1), () =>
    release(claimant)
  )
  yield* Effect.forkScoped(Effect.repeat(renew(claimant), Schedule.spaced(renewal)))
  return { token: claimant.token, contested, check: check(claimant) } satisfies Lease
})

const claimantOf = Effect.fnUntraced(function* (place: Place) {
  const self = yield* Process.self(place.directory)
  const at = yield* Clock.currentTimeMillis
  const token = (yield* Process.System).uuid()
  return { place, self, token, text: encodeHolder({ token, ...self, at }) } satisfies Claimant
})

type Held<A> = Effect.Effect<A, CheckpointError, FileSystem.FileSystem>

/** How often what was read may have changed before it could be acted upon. */
const patience = 32

/**
 * Puts the claimant's name into the file at `path`, which is ended by claims of
 * `level`. True if whoever was there may still run.
 */
const take: (claimant: Claimant, path: string, level: number, tries?: number) => Held<boolean> =
  Effect.fnUntraced(function* (claimant, path, level, tries = patience) {
    if (tries === 0) return yield* restless(path)
    const again = Effect.suspend(() => take(claimant, path, level, tries - 1))
    const held = yield* read(path)
    if (Option.isNone(held)) return (yield* create(claimant, path)) ? false : yield* again
    const fate = yield* judge(claimant, held.value)
    if (fate === "Alive") return yield* busy(claimant, held.value)
    const claim = claimant.place.claim(held.value.token, level)
    const contested = yield* Effect.acquireUseRelease(
      take(claimant, claim, level + 1),
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
    reason: new Unavailable({
      description: "it changes faster than it can be read, or is a link"
    })
  })

const busy = ({ place }: Claimant, { holder }: Reading) =>
  new CheckpointError({
    location: place.lease,
    reason: new Busy({
      holder: Result.match(holder, {
        onFailure: () => "a process that left no readable name",
        onSuccess: ({ pid, host }) => `process ${pid} on host ${host}`
      })
    })
  })

/** A lease or claim as it was found. */
interface Reading {
  readonly text: string
  readonly token: string
  readonly holder: Result.Result<typeof Holder.Type, unknown>
  /** Of the last sign of life, in milliseconds since 1970. */
  readonly seen: number
}

const read = (path: string): Held<Option.Option<Reading>> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const text = yield* fs.readFileString(path)
    const info = yield* fs.stat(path)
    const seen = Option.match(info.mtime, { onNone: () => 0, onSome: (date) => date.getTime() })
    const holder = decodeHolder(text)
    const token = Result.match(holder, {
      onFailure: () => seen.toString(16).padStart(36, "0"),
      onSuccess: ({ token }) => token
    })
    return Option.some({ text, token, holder, seen })
  }).pipe(Effect.catch(absent(path, Option.none())))

const absent =
  <A>(path: string, value: A) =>
  (error: PlatformError): Effect.Effect<A, CheckpointError> =>
    error.reason._tag === "NotFound" ? Effect.succeed(value) : Effect.fail(unavailable(path)(error))

/** Where the process can't be seen, its last sign of life decides; a clock that was set back gives no eternal life. */
const judge = Effect.fnUntraced(function* (
  { self, place }: Claimant,
  { holder, token, seen }: Reading
) {
  const fate = Result.isSuccess(holder)
    ? yield* Process.fate(holder.success, self, place.beacon(token))
    : "Unknown"
  if (fate !== "Unknown") return fate
  const age = (yield* Clock.currentTimeMillis) - seen
  return Math.abs(age) <= limit ? "Alive" : "Unknown"
})

/** Whether somebody has it who lives, as far as can be seen from here. */
export const isHeld = Effect.fnUntraced(function* (place: Place) {
  const held = yield* read(place.lease)
  if (Option.isNone(held)) return false
  return (yield* judge(yield* claimantOf(place), held.value)) === "Alive"
})

/** False if there is one already. */
const create = (claimant: Claimant, path: string) =>
  withCandidate(claimant, path, (candidate) =>
    FileSystem.FileSystem.use((fs) => fs.link(candidate, path)).pipe(
      Effect.as(true),
      Effect.catchReason("PlatformError", "AlreadyExists", () => Effect.succeed(false))
    )
  )

/** Replaces what was read, for the owner of the claim on it. False if something else is there now. */
const supersede = Effect.fnUntraced(function* (claimant: Claimant, path: string, held: Reading) {
  const now = yield* read(path)
  if (Option.isNone(now) || now.value.text !== held.text) return false
  return yield* withCandidate(claimant, path, (candidate) =>
    FileSystem.FileSystem.use((fs) => fs.rename(candidate, path)).pipe(Effect.as(true))
  )
})

/**
 * Writes the claimant's name into a file of its own, so that others see all of
 * it or nothing, also after a loss of power: what can't be read can't be judged.
 * False if it is gone before `use` is done: a new holder cleared it away.
 */
const withCandidate = Effect.fnUntraced(function* (
  { place, text }: Claimant,
  path: string,
  use: (candidate: string) => Effect.Effect<boolean, PlatformError, FileSystem.FileSystem>
) {
  const fs = yield* FileSystem.FileSystem
  const candidate = place.candidate((yield* Process.System).uuid())
  const steps = sync(candidate).pipe(
    Effect.andThen(touch(candidate)),
    Effect.andThen(use(candidate)),
    Effect.catch(absent(path, false))
  )
  return yield* fs
    .writeFileString(candidate, text, { flag: "wx", mode: fileMode })
    .pipe(
      Effect.mapError(unavailable(path)),
      Effect.andThen(steps),
      Effect.ensuring(Effect.ignore(discard(candidate)))
    )
})

/** By Effect's clock: hosts that share a directory need clocks that agree within half a minute. */
const touch = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  const seconds = (yield* Clock.currentTimeMillis) / 1000
  yield* fs.utimes(path, seconds, seconds)
})

const check = Effect.fnUntraced(function* ({ place, text }: Claimant) {
  const held = yield* Effect.catch(
    FileSystem.FileSystem.use((fs) => fs.readFileString(place.lease)),
    absent(place.lease, "")
  )
  if (held === text) return
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
  Effect.ignore(Effect.andThen(check(claimant), touch(claimant.place.lease)))

/**
 * Removes the lease if it is still this claimant's. The claim is a link to the
 * lease itself, so that a full disk does not keep it. Whoever has made the
 * claim already is about to replace the lease.
 */
const release = (claimant: Claimant) => {
  const { lease, claim } = claimant.place
  const own = claim(claimant.token, 1)
  return Effect.acquireUseRelease(
    FileSystem.FileSystem.use((fs) => fs.link(lease, own)),
    () => Effect.andThen(check(claimant), discard(lease)),
    () => Effect.ignore(discard(own))
  ).pipe(
    Effect.catchReason("CheckpointError", "LeaseLost", () => Effect.void),
    Effect.catchReason("PlatformError", "AlreadyExists", () => Effect.void),
    Effect.catchReason("PlatformError", "NotFound", () => Effect.void),
    Effect.catch((error) =>
      Effect.logWarning(`${lease}: in use until this process ends: ${error.message}`)
    )
  )
}
