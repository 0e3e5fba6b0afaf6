/**
 * Finds out which directories of a store exist, with one look for many files of
 * one run. Each of those files asks whether it has a checkpoint, and in most
 * stores most directories don't exist. A checkpoint that this process opens
 * shows at once. One that another process opens shows within a second, as if the
 * question had come that much earlier.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Place from "./place.ts"

/** How long a look stays valid, in nanoseconds. */
const freshFor = 1_000_000_000n

export const make = (root: Place.Root) => {
  let last: { readonly at: bigint; readonly directories: ReadonlySet<string> } | undefined
  let changes = 0
  const look = Effect.fnUntraced(function* () {
    const now = yield* Clock.monotonicTimeNanos
    if (last !== undefined && now - last.at < freshFor) return last.directories
    const before = changes
    const directories = new Set(yield* Place.directories(root))
    if (before === changes) last = { at: now, directories }
    return directories
  })
  return {
    /** Whether this directory exists. */
    has: (directory: string) => Effect.map(look(), (directories) => directories.has(directory)),
    /** Call this when a directory may have been created. */
    changed: Effect.sync(() => {
      changes++
      last = undefined
    })
  }
}

export type Glance = ReturnType<typeof make>
