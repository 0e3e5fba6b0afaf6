/**
 * Bandwidth limits: bytes are sent in portions, one after the other.
 */
import * as Effect from "effect/Effect"
import type { Length } from "../byteCount.ts"
import { byteCount, shown } from "../byteCount.ts"

/** Keeps many uploads smooth at next to no cost. Above 12.5 MiB/s `largestPortion` decides. */
const portionsPerSecond = 50

/** In bytes. Larger portions are not cheaper. */
const largestPortion = 256 * 1024

/** Dies unless the limit is a positive number. */
export const positive = (options: { readonly bytesPerSecond: Length }) => {
  const given = options.bytesPerSecond
  const rate = typeof given === "number" ? given : byteCount(given)
  return rate > 0
    ? Effect.succeed(rate)
    : Effect.die(new RangeError(`a rate of ${shown(given)} a second is not possible`))
}

/** The size of a portion, in bytes. */
export const portionFor = (bytesPerSecond: number): number =>
  Math.max(1, Math.min(largestPortion, Math.floor(bytesPerSecond / portionsPerSecond)))

/**
 * Reserves the line for one portion. Unused time is not saved up, so no burst
 * follows a pause. Pure.
 *
 * `free` is the time when the line becomes free and `now` the current time, both
 * in milliseconds. Returns the time to wait and the new value of `free`.
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
