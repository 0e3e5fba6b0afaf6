/**
 * Who holds a lease or a claim, as its file tells, and whether that process
 * still runs. What can't be known for sure, such as of a process on another
 * host, is told by its last sign of life.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Busy, CheckpointError } from "@effect-oss/core/CheckpointStore"
import type { Place } from "./place.ts"
import * as Places from "./place.ts"
import * as Process from "./process.ts"

/** A holder that can't be seen from here is suspected after this time without a sign of life. */
const limit = Duration.toMillis("60 seconds")

const Holder = Schema.Struct({
  token: Schema.String.check(Schema.isPattern(/^[0-9a-f-]{36}$/)),
  ...Process.Identity.fields,
  /** By the holder's clock, in milliseconds since 1970. */
  at: Schema.Finite
})
const HolderText = Schema.fromJsonString(Holder)
const encodeHolder = Schema.encodeSync(HolderText)
const decodeHolder = Schema.decodeResult(HolderText)

/** A process that wants the lease, or has it. */
export interface Claimant {
  readonly place: Place
  readonly self: Process.Identity
  readonly token: string
  /** What the lease reads if this claimant has it. */
  readonly text: string
}

/** This process, as one that wants a checkpoint. */
export const claimantOf = Effect.fnUntraced(function* (place: Place) {
  const self = yield* Process.self(place.directory)
  const at = yield* Clock.currentTimeMillis
  const token = (yield* Process.System).uuid()
  return { place, self, token, text: encodeHolder({ token, ...self, at }) } satisfies Claimant
})

/** What the steps of a lease need, and what they fail with. */
export type Held<A> = Effect.Effect<A, CheckpointError, FileSystem.FileSystem>

/** A lease or claim as it was found. */
export interface Reading {
  readonly text: string
  readonly token: string
  readonly holder: Result.Result<typeof Holder.Type, unknown>
  /** Of the last sign of life, in milliseconds since 1970. */
  readonly seen: number
}

/** A lease has some 300 bytes; what is larger is none. */
const maxBytes = 4_096

const decoder = new TextDecoder()

/** Reads a lease or a claim; none if there is no such file. */
export const read = ({ root }: Place, path: string): Held<Option.Option<Reading>> =>
  Places.read(root, path, maxBytes).pipe(
    Effect.map(({ bytes, modified }) => Option.some(readingOf(decoder.decode(bytes), modified))),
    Effect.catch(absent(path, Option.none()))
  )

const readingOf = (text: string, seen: number): Reading => {
  const holder = decodeHolder(text)
  const token = Result.match(holder, {
    // Of one that can't be read, the time has to do.
    onFailure: () => Math.floor(seen).toString(16).padStart(36, "0"),
    onSuccess: ({ token }) => token
  })
  return { text, token, holder, seen }
}

/** Takes a value in place of a file that isn't there. */
export const absent =
  <A>(path: string, value: A) =>
  (error: PlatformError | CheckpointError): Effect.Effect<A, CheckpointError> =>
    error._tag === "PlatformError" && error.reason._tag === "NotFound"
      ? Effect.succeed(value)
      : Effect.fail(Places.orUnavailable(path)(error))

/**
 * Whether a holder lives. Where its process can't be seen, its last sign of life
 * says that it does, if it is no older than a minute; a time in the future by
 * more than that says nothing. A thread of this process gives signs of life as
 * others do: its process says nothing of it where threads can't be seen.
 */
export const judge = Effect.fnUntraced(function* (
  { self, place }: Claimant,
  { holder, token, seen }: Reading
) {
  const fate = Result.isSuccess(holder)
    ? yield* Process.fate(holder.success, self, place.beacon(token))
    : "Unknown"
  if (fate === "Dead") return fate
  if (fate === "Alive" && Result.isSuccess(holder) && !Process.isSelf(holder.success, self)) {
    return fate
  }
  const age = (yield* Clock.currentTimeMillis) - seen
  return Math.abs(age) <= limit ? "Alive" : "Unknown"
})

/** The refusal of a checkpoint that is held. */
export const busy = ({ place }: Claimant, { holder }: Reading): CheckpointError =>
  new CheckpointError({
    location: place.lease,
    reason: new Busy({
      holder: Result.match(holder, {
        onFailure: () => "a process that left no readable name",
        onSuccess: ({ pid, host }) => `process ${pid} on host ${host}`
      })
    })
  })

/** How often a holder gives a sign of life. */
export const renewal = Duration.seconds(20)

/** How often it is looked at meanwhile. */
const between = Duration.seconds(5)

/**
 * Watches a holder whose signs of life have stopped, by this machine's clock. It
 * may be that the clock was set, here or there: so whoever doesn't give one
 * while this process waits, by a clock that nobody sets, has stopped. Yields
 * what was watched if so; none if there is no need to wait, or if it lives.
 */
export const silent = Effect.fnUntraced(function* (
  claimant: Claimant
): Effect.fn.Return<Option.Option<Reading>, CheckpointError, FileSystem.FileSystem> {
  const { place } = claimant
  const found = yield* read(place, place.lease)
  if (Option.isNone(found) || (yield* judge(claimant, found.value)) !== "Unknown") {
    return Option.none()
  }
  yield* Effect.logInfo(`${busy(claimant, found.value).problem}, without a sign of life: waiting`)
  const { watch } = yield* Process.System
  for (let left = watch; Duration.toMillis(left) > 0; left = Duration.subtract(left, between)) {
    yield* Effect.sleep(Duration.min(left, between))
    const now = yield* read(place, place.lease)
    if (Option.isNone(now) || !isSame(now.value, found.value)) return Option.none()
  }
  return found
})

/** Whether nothing has happened to a lease between two readings. */
export const isSame = (one: Reading, other: Reading): boolean =>
  one.text === other.text && one.seen === other.seen
