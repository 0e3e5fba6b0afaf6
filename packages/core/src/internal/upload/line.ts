/**
 * The line to OSS that all transfers of one client share. It counts the bytes
 * that may be in flight, measures how fast they arrive, limits how many transfers
 * run at once after a stall, and finds transfers that no longer make progress. It
 * doesn't limit how long a transfer takes in all.
 *
 * A byte that was read may not have arrived: sockets and proxies take megabytes
 * at once and pass them on slowly. Only a response proves that they have arrived.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import * as Monotonic from "../monotonic.ts"

/** One transfer on the line. */
interface Flow {
  /** Called with the number of bytes read so far. */
  readonly reached: (bytes: number) => void
  /** Changes with each read. */
  readonly movements: () => number
  /** How long the response may take with so many bytes in flight on the line, in milliseconds. */
  readonly patience: (underWay: number) => number
  /** Run when the transfer is given up. Then fewer run at once, with more time for each. */
  readonly stalled: Effect.Effect<void>
}

export interface Line {
  /**
   * Runs `transfer` when the line has room for it, and passes it a function to
   * call with the number of bytes read so far. The transfer stalls if nothing is
   * read and no response comes for `timeout` plus the time that the bytes in
   * flight need at the measured rate. Then it is interrupted and fails with
   * `onStall`, called with that time in milliseconds.
   */
  readonly carry: <A, E, R, E2>(
    timeout: Duration.Duration,
    onStall: (millis: number) => E2,
    transfer: (reached: (bytes: number) => void) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | E2, R>
  /** How long a request without a body may wait behind the bytes in flight, in milliseconds. */
  readonly patience: () => number
}

/**
 * The lowest rate that is assumed, in bytes a second, also while none is known. A
 * line of 256 kbit/s has twice that.
 */
const slowest = 16 * 1024

/** The rate is the mean over one or two periods in which transfers ran. In milliseconds. */
const period = 60_000

/** How often a transfer is checked in one timeout: a stall is found at most a quarter too late. */
const checksPerTimeout = 4

/** The time for a transfer doubles with each stall in a row, up to a factor of 2 to this power. */
const mostStalls = 6

/**
 * The longest wait before the first response, in milliseconds for each transfer
 * on the line. Until then, a slow line looks like a dead one behind a proxy that
 * takes all bytes at once. It is enough for 12 MB in five parts over 64 kbit/s.
 * A transfer always has the time that its own bytes need.
 */
const longest = 6 * 60_000

/** In practice no limit. */
const unlimited = 1_024

/** When the limit has grown to this many transfers, it is lifted. */
const many = 64

export const make = (): Line => {
  const flows = new Map<Flow, number>()
  const rate = rateMeter()
  const gate = Semaphore.makeUnsafe(unlimited)
  let allowed = unlimited
  let stalls = 0
  let rounds = 0

  const allow = (count: number) =>
    Effect.suspend(() => {
      if (count === allowed) return Effect.void
      allowed = count
      return gate.resize(count)
    })

  const timeFor = (bytes: number) =>
    (2 ** Math.min(stalls + 1, mostStalls) * bytes * 1_000) / Math.max(slowest, rate.current())

  const patience = (underWay: number, own: number) =>
    rate.current() > 0
      ? timeFor(underWay)
      : Math.min(timeFor(underWay), Math.max(longest * flows.size, (2_000 * own) / slowest))

  /** Transfers that stall together stall for one reason, so they count once. */
  const stalled = (round: number) =>
    Effect.suspend(() => {
      if (round !== rounds) return Effect.void
      rounds++
      stalls++
      return allow(Math.max(1, Math.floor(Math.min(allowed, flows.size) / 2)))
    })

  const begin = Effect.map(Monotonic.now, (now) => {
    rate.tick(now, flows.size > 0)
    const round = rounds
    let movements = 0
    const flow: Flow = {
      reached: (bytes) => {
        movements++
        flows.set(flow, bytes)
      },
      movements: () => movements,
      patience: (underWay) => patience(underWay, flows.get(flow) ?? 0),
      stalled: Effect.suspend(() => stalled(round))
    }
    flows.set(flow, 0)
    return flow
  })

  const end = (flow: Flow) =>
    Effect.map(Monotonic.now, (now) => {
      rate.tick(now, true)
      const bytes = flows.get(flow) ?? 0
      flows.delete(flow)
      return bytes
    })

  const arrived = (bytes: number) =>
    Effect.suspend(() => {
      rate.add(bytes)
      stalls = 0
      return allow(allowed + 1 >= many ? unlimited : allowed + 1)
    })

  /** The most bytes that can be in flight: those that transfers without a response have read. */
  const underWay = () => {
    let bytes = 0
    for (const read of flows.values()) bytes += read
    return bytes
  }

  return {
    carry: (timeout, onStall, transfer) =>
      gate.withPermit(
        Effect.flatMap(begin, (flow) => {
          let success = false
          const moving = Effect.raceFirst(
            transfer(flow.reached),
            Effect.flatMap(stall(flow, timeout, underWay), (millis) => Effect.fail(onStall(millis)))
          )
          return Effect.ensuring(
            Effect.tap(moving, () => Effect.sync(() => (success = true))),
            Effect.flatMap(end(flow), (bytes) => (success ? arrived(bytes) : Effect.void))
          )
        })
      ),
    patience: () => patience(underWay(), 0)
  }
}

/** Returns once a transfer stalls: how long it made no progress, in milliseconds. */
const stall = Effect.fnUntraced(function* (
  { movements, patience, stalled }: Flow,
  timeout: Duration.Duration,
  underWay: () => number
) {
  const tick = Duration.toMillis(timeout) / checksPerTimeout
  let seen = 0
  let quiet = 0
  let most = 0
  do {
    yield* Effect.sleep(tick)
    if (movements() !== seen) quiet = most = 0
    else quiet += tick
    seen = movements()
    // Transfers that begin in the meantime take their share of the line.
    most = Math.max(most, underWay())
  } while (quiet < Duration.toMillis(timeout) + patience(most))
  yield* stalled
  return Math.round(quiet)
})

/** Measures the rate: the bytes that arrived, by the time in which transfers ran. */
const rateMeter = () => {
  let at = 0
  let before = { bytes: 0, millis: 0 }
  let now = { bytes: 0, millis: 0 }
  return {
    tick: (time: number, busy: boolean) => {
      if (busy) now.millis += time - at
      at = time
      if (now.millis < period || now.bytes === 0) return
      before = now
      now = { bytes: 0, millis: 0 }
    },
    add: (bytes: number) => {
      now.bytes += bytes
    },
    /** In bytes a second; 0 if nothing has arrived. */
    current: () => ((before.bytes + now.bytes) * 1_000) / Math.max(1, before.millis + now.millis)
  }
}

const lines = new WeakMap<object, Line>()

/** The line of this client: all uploads that share the client share it. */
export const of = (client: object): Line => {
  const known = lines.get(client)
  if (known !== undefined) return known
  const made = make()
  lines.set(client, made)
  return made
}
