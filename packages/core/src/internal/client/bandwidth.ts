/**
 * How a limit of bandwidth gives leave to send: in portions, one after the other.
 */
import * as Effect from "effect/Effect"
import type { Length } from "../byteCount.ts"
import { byteCount, shown } from "../byteCount.ts"

/** In a second at most: enough for smooth progress of many uploads, few enough to cost nothing. */
const portionsPerSecond = 50

/** In bytes; larger ones don't cost less. */
const largestPortion = 256 * 1024

/** Dies unless the limit is a positive number. */
export const positive = (options: { readonly bytesPerSecond: Length }) => {
  const given = options.bytesPerSecond
  const rate = typeof given === "number" ? given : byteCount(given)
  return rate > 0
    ? Effect.succeed(rate)
    : Effect.die(new RangeError(`a rate of ${shown(given)} a second is not possible`))
}

/** The most that is asked for at once, in bytes. */
export const portionFor = (bytesPerSecond: number): number =>
  Math.max(1, Math.min(largestPortion, Math.floor(bytesPerSecond / portionsPerSecond)))

/**
 * When portions may be sent: nothing is saved up, so that there are no bursts
 * after a pause. Pure.
 *
 * `free` is when the line will be free again, `now` the time, both in
 * milliseconds; yields how long to wait, and when it will be free after that.
 */
export const reserve = (
  free: number,
  now: number,
  bytes: number,
  bytesPerSecond: number
): { readonly wait: number; readonly free: number } => {
  const start = Math.max(free, now)
  return { wait: start - now, free: start + (bytes / bytesPerSecond) * 1_000 }
}
