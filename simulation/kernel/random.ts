/**
 * The randomness of a world, out of one seed: the same seed gives the same
 * world. It is Effect's `Random` as well, so that the library's own draws
 * repeat too.
 */
import type { Random } from "effect/Random"

export interface SeededRandom extends Random {
  /** From 0 (inclusive) to 1 (exclusive). */
  readonly next: () => number
  /** A whole number from `min` to `max`, both inclusive. */
  readonly int: (min: number, max: number) => number
  readonly chance: (probability: number) => boolean
  readonly pick: <A>(from: ReadonlyArray<A>) => A
  /** 32 hex digits with hyphens, as in a UUID. */
  readonly uuid: () => string
}

/** The mulberry32 generator: small, fast, and good enough to draw worlds. */
const mulberry32 = (seed: number) => {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

export const make = (seed: number): SeededRandom => {
  const next = mulberry32(Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995)
  const int = (min: number, max: number) => min + Math.floor(next() * (max - min + 1))
  const hex = (digits: number) =>
    Array.from({ length: digits }, () => int(0, 15).toString(16)).join("")
  return {
    next,
    int,
    chance: (probability) => next() < probability,
    pick: <A>(from: ReadonlyArray<A>): A => {
      const picked = from[int(0, from.length - 1)]
      if (picked === undefined) throw new Error("there is nothing to pick from")
      return picked
    },
    uuid: () => [8, 4, 4, 4, 12].map(hex).join("-"),
    nextDoubleUnsafe: next,
    nextIntUnsafe: () => int(Number.MIN_SAFE_INTEGER / 4, Number.MAX_SAFE_INTEGER / 4)
  }
}
