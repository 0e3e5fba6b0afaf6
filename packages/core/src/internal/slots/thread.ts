/**
 * How busy the thread is that sends. More connections don't help one that has
 * no time left: they only cost.
 */
import * as Context from "effect/Context"

/** The time in which the thread was at work, in milliseconds from an arbitrary origin; undefined where the runtime doesn't say. */
export type Worked = () => number | undefined

interface Utilization {
  readonly active: number
}

/** Node has it, in workers too. */
const ofThisRuntime: Worked = () => {
  const { performance } = globalThis as {
    readonly performance?: { readonly eventLoopUtilization?: () => Utilization }
  }
  return performance?.eventLoopUtilization?.().active
}

export const Current: Context.Reference<Worked> = Context.Reference<Worked>(
  "@effect-oss/core/Thread",
  { defaultValue: () => ofThisRuntime }
)

/** Above this share of its time, a thread has too little left for more connections. It is at work even while it waits for the processor. */
const most = 0.6

/** Tells after each number of milliseconds whether the thread was busy in them. */
export const watch = (worked: Worked): ((elapsed: number) => boolean) => {
  let last = worked()
  return (elapsed) => {
    const before = last
    last = worked()
    return before !== undefined && last !== undefined && last - before > elapsed * most
  }
}
