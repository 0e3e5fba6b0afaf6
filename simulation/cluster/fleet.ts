/** The runners of a world, and what happens to them. */
import { Effect } from "effect"
import type { Success } from "effect/Effect"
import { pass } from "../../packages/cluster/test/world.ts"
import * as Runner from "./runner.ts"

/** `draw` is a number from 0 to 1: it picks the runner. */
export type Fleet = Success<typeof make>

export const make = Effect.sync(() => {
  const runners: Array<Runner.Runner> = []
  let names = 0
  let blows = 0
  const add = Effect.suspend(() => Runner.start(`runner-${names++}`)).pipe(
    Effect.map((runner) => void runners.push(runner))
  )
  /** Takes one away. */
  const take = (draw: number) => runners.splice(Math.floor(draw * runners.length), 1)[0]
  return {
    add,
    kill: (draw: number, requests: "lost" | "carriedOut") =>
      Effect.suspend(() => {
        blows++
        return take(draw)?.kill(requests) ?? Effect.void
      }),
    suspend: Effect.fnUntraced(function* (draw: number, seconds: number) {
      const runner = take(draw)
      if (runner === undefined) return
      blows++
      yield* runner.suspend
      yield* pass(seconds)
      yield* runner.resume
      runners.push(runner)
    }),
    stop: (draw: number) => Effect.suspend(() => take(draw)?.stop ?? Effect.void),
    end: Effect.suspend(() => Effect.forEach(runners, ({ stop }) => stop, { discard: true })),
    blows: () => blows
  }
})
