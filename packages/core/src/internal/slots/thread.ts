/**
 * Measures how busy the sending thread is. A busy thread gains nothing from more
 * connections.
 */
import * as Context from "effect/Context"

/** The time that the thread has worked, in milliseconds from an arbitrary origin. Undefined if the runtime doesn't measure it. */
export type Worked = () => number | undefined

interface Utilization {
  readonly active: number
}

/** Node measures it, in workers too. */
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

/** The share of time above which a thread is busy. A thread that waits for the processor counts as working. */
const most = 0.6

/** Returns a function that tells whether the thread was busy during the last `elapsed` milliseconds. */
export const watch = (worked: Worked): ((elapsed: number) => boolean) => {
  let last = worked()
  return (elapsed) => {
    const before = last
    last = worked()
    return before !== undefined && last !== undefined && last - before > elapsed * most
  }
}
