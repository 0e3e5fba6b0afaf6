/** The events of a world, in order, with the time of each. */
import type { Stats } from "./stats.ts"
import * as StatsOf from "./stats.ts"

/** A world broke an invariant. */
export class Violation extends Error {
  readonly trace: Trace
  constructor(message: string, trace: Trace) {
    super(`seed ${trace.seed}: ${message}`)
    this.trace = trace
  }
}

export interface Trace {
  readonly seed: number
  readonly stats: Stats
  readonly tell: (event: () => string) => void
  readonly violated: (message: string) => never
  /** Throws the violation again where it was taken for a defect of the process. */
  readonly rethrow: () => void
  readonly lines: () => ReadonlyArray<string>
}

/** Events become text only when somebody reads them: most worlds end well. */
export const make = (seed: number, now: () => number): Trace => {
  const begin = now()
  const events: Array<readonly [number, () => string]> = []
  let violation: Violation | undefined
  const trace: Trace = {
    seed,
    stats: { ...StatsOf.none(), worlds: 1 },
    tell: (event) => void events.push([now() - begin, event]),
    violated: (message) => {
      violation ??= new Violation(message, trace)
      throw violation
    },
    rethrow: () => {
      if (violation !== undefined) throw violation
    },
    lines: () => events.map(([at, event]) => `${(at / 1000).toFixed(3).padStart(11)}  ${event()}`)
  }
  return trace
}
