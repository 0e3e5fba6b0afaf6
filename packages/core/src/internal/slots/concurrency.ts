/**
 * Decides how many parts to send at once: more while that makes the upload
 * faster, fewer when OSS asks for fewer requests. The decision is a pure function
 * of what the upload observed.
 */

/** The decisions so far. */
export interface State {
  /** How many parts may be in flight now. */
  readonly limit: number
  /** While a higher limit is tried: the limit before, its rate in bytes a second, and how many observations were not faster. Otherwise undefined. */
  readonly before:
    | { readonly limit: number; readonly rate: number; readonly doubts: number }
    | undefined
  /** How many observations to wait before a higher limit is tried again. */
  readonly rest: number
  /** The length of the last rest, in observations. */
  readonly lastRest: number
}

/** What happened since the last decision. */
export interface Observation {
  /** The rate of the upload, in bytes a second. */
  readonly rate: number
  /** Whether all slots were in use. If not, a higher limit would change nothing. */
  readonly full: boolean
  /** Whether OSS asked for fewer requests. */
  readonly throttled: boolean
  /** Whether the sending thread was busy most of the time. */
  readonly busy: boolean
}

/** The limits to try, in order. The first is also the lowest limit. */
export const levels: readonly [number, number, number] = [5, 16, 64]

/** How much faster a higher limit must be, as a factor, to be worth its connections. */
const worthwhile = 1.2

/** How many observations in a row must not be faster before a limit is given up. New connections take a while to become fast. */
const patience = 4

/** The rate, in bytes a second, above which no higher limit is tried. One process reaches about twice that, and the next level has three times the connections. */
const enough = 500e6

/** How long a rest is, in observations. Networks and servers change within hours, and trying too often is a burden for both. */
const firstRest = 40
const longestRest = 1_280

const [least] = levels

/** The state at the start of an upload. */
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
 * The next decision. If OSS throttles the upload, the limit is halved. If a higher
 * limit did not help, the limit before returns. In both cases a higher limit is
 * tried again after a rest of 40 observations, or of twice the last rest, up to
 * 1,280. If the rate is near the limit of one process, or the thread is busy, no
 * higher limit is tried.
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

/** Starts a rest. A rest that is interrupted starts again with the same length. */
const resting = ({ rest, lastRest }: State, limit: number): State => {
  const next = rest > 0 ? lastRest : Math.max(firstRest, Math.min(lastRest * 2, longestRest))
  return { limit, before: undefined, rest: next, lastRest: next }
}
