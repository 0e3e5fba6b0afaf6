/**
 * Reads who holds a lease or a claim, and finds out whether that process still
 * runs. If that can't be known, as for a process on another host, the last sign
 * of life decides.
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

/** How old the last sign of life of a holder on another host may be, in milliseconds. */
const limit = Duration.toMillis("60 seconds")

const Holder = Schema.Struct({
  token: Schema.String.check(Schema.isPattern(/^[0-9a-f-]{36}$/)),
  ...Process.Identity.fields,
  /** When the holder took it, by the holder's clock, in milliseconds since 1970. */
  at: Schema.Finite
})
const HolderText = Schema.fromJsonString(Holder)
const encodeHolder = Schema.encodeSync(HolderText)
const decodeHolder = Schema.decodeResult(HolderText)

/** A process that wants the lease or has it. */
export interface Claimant {
  readonly place: Place
  readonly self: Process.Identity
  readonly token: string
  /** The text of the lease if this claimant has it. */
  readonly text: string
}

/** Makes a claimant of this process. */
export const claimantOf = Effect.fnUntraced(function* (place: Place) {
  const self = yield* Process.self(place.directory)
  const at = yield* Clock.currentTimeMillis
  const token = (yield* Process.System).uuid()
  return { place, self, token, text: encodeHolder({ token, ...self, at }) } satisfies Claimant
})

/** A step of a lease. */
export type Held<A> = Effect.Effect<A, CheckpointError, FileSystem.FileSystem>

/** A lease or claim that was read. */
export interface Reading {
  readonly text: string
  readonly token: string
  readonly holder: Result.Result<typeof Holder.Type, unknown>
  /** The time of the last sign of life, in milliseconds since 1970. */
  readonly seen: number
}

/** The largest size of a lease in bytes. A lease has about 300. */
const maxBytes = 4_096

const decoder = new TextDecoder()

/** Reads a lease or a claim. None if the file doesn't exist. */
export const read = ({ root }: Place, path: string): Held<Option.Option<Reading>> =>
  Places.read(root, path, maxBytes).pipe(
    Effect.map(({ bytes, modified }) => Option.some(readingOf(decoder.decode(bytes), modified))),
    Effect.catch(absent(path, Option.none()))
  )

const readingOf = (text: string, seen: number): Reading => {
  const holder = decodeHolder(text)
  const token = Result.match(holder, {
    // If the text can't be read, the time stands for the token.
    onFailure: () => Math.floor(seen).toString(16).padStart(36, "0"),
    onSuccess: ({ token }) => token
  })
  return { text, token, holder, seen }
}

/** Succeeds with `value` if the error is that the file doesn't exist. */
export const absent =
  <A>(path: string, value: A) =>
  (error: PlatformError | CheckpointError): Effect.Effect<A, CheckpointError> =>
    error._tag === "PlatformError" && error.reason._tag === "NotFound"
      ? Effect.succeed(value)
      : Effect.fail(Places.orUnavailable(path)(error))

/**
 * Decides whether a holder lives. If its process can't be seen, it lives if its
 * last sign of life is at most a minute old. A time more than a minute in the
 * future says nothing. A thread of this process is judged by its signs of life
 * too, because other threads can't be seen everywhere.
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

/** The error for a checkpoint that another process holds. */
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

/** The interval at which a watched holder is looked at. */
const between = Duration.seconds(5)

/**
 * Watches a holder whose signs of life have stopped. A clock may have been set,
 * so this measures the time with this machine's monotonic clock: a holder that
 * gives no sign of life meanwhile has stopped. Returns the reading of a silent
 * holder. Returns none if the holder needn't be watched, or if it lives.
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

/** Whether a lease is unchanged between two readings. */
export const isSame = (one: Reading, other: Reading): boolean =>
  one.text === other.text && one.seen === other.seen
