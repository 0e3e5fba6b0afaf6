/**
 * How many parts are worth sending at once, where nobody says: more while that
 * makes the whole faster, fewer when OSS asks for it. A decision out of what
 * was observed: it knows no time and sends nothing.
 */

/**
 * What has been decided so far.
 */
export interface State {
  /** How many parts may be on their way now. */
  readonly limit: number
  /** While more is being tried: how fast the limit before was, in bytes a second, and how often this one has not been faster; else none. */
  readonly before:
    | { readonly limit: number; readonly rate: number; readonly doubts: number }
    | undefined
  /** After so many observations more is tried again. */
  readonly rest: number
  /** The last rest, in observations. */
  readonly lastRest: number
}

/**
 * What happened since the last decision.
 */
export interface Observation {
  /** In bytes a second. */
  readonly rate: number
  /** Whether all of the limit was in use: if not, a higher one would change nothing. */
  readonly full: boolean
  /** Whether OSS asked for fewer requests. */
  readonly throttled: boolean
  /** Whether the thread that sends had little time left. */
  readonly busy: boolean
}

/**
 * The limits that are tried, one after the other. The first is also the least.
 */
export const levels: readonly [number, number, number] = [5, 16, 64]

/** What more connections have to gain, as a factor: below it, they only cost. */
const worthwhile = 1.2

/** New connections take a while to become fast: so many observations in a row have to show that they don't. */
const patience = 4

/** In bytes a second: half of what one process carries at all. The next level has three times the connections: they would not be three times as fast. */
const enough = 500e6

/** In observations. A network and a server change in the course of hours, but whoever asks too often is a nuisance to both. */
const firstRest = 40
const longestRest = 1_280

const [least] = levels

/**
 * Where an upload begins.
 */
export const initial: State = {
  limit: least,
  before: undefined,
  rest: 0,
  lastRest: 0
}

/** Whether a higher limit has helped each time so far. */
export const isGrowing = ({ before, lastRest }: State): boolean =>
  lastRest === 0 && (before === undefined || before.doubts === 0)

/**
 * The next decision. A throttled upload halves its limit; one for which a higher
 * limit has brought nothing goes back. Both try more again after a rest of 40
 * observations, or of twice the last one, up to 1,280. What is as fast as this
 * machine allows, or whose thread is busy, tries no higher one.
 */
export const step = (state: State, { rate, full, throttled, busy }: Observation): State => {
  const { limit, before, rest } = state
  if (throttled) return resting(state, Math.max(least, Math.floor(limit / 2)))
  if (rest > 0) return { ...state, rest: rest - 1 }
  if (!full || busy || (before === undefined && rate >= enough)) return state
  if (before !== undefined && rate < before.rate * worthwhile) {
    const doubts = before.doubts + 1
    return doubts < patience
      ? { ...state, before: { ...before, doubts } }
      : resting(state, before.limit)
  }
  const next = levels.find((level) => level > limit)
  return next === undefined
    ? { ...state, before: undefined }
    : { ...state, limit: next, before: { limit, rate, doubts: 0 } }
}

/** A rest that is disturbed begins again, no longer than it was. */
const resting = ({ rest, lastRest }: State, limit: number): State => {
  const next = rest > 0 ? lastRest : Math.max(firstRest, Math.min(lastRest * 2, longestRest))
  return { limit, before: undefined, rest: next, lastRest: next }
}
