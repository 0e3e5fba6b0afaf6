/**
 * One look at a store's directories for many files of one run: each of them
 * asks whether it has a checkpoint, and in most stores most directories aren't
 * even there. What this process opens shows at once; what another one opens,
 * after a second at the latest, as if the question had come that much earlier.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Place from "./place.ts"

/** In nanoseconds. */
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
    /** Whether there is such a directory of checkpoints. */
    has: (directory: string) => Effect.map(look(), (directories) => directories.has(directory)),
    /** A directory may have come into being. */
    changed: Effect.sync(() => {
      changes++
      last = undefined
    })
  }
}

export type Glance = ReturnType<typeof make>
