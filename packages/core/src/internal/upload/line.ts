/**
 * The line to one OSS, as all transfers of one client see it: how many bytes
 * may still be on their way, how fast they arrive, how many transfers it carries
 * at once, and which of them no longer moves, however long it may take in all.
 *
 * A byte that was read is not a byte that has arrived: sockets and proxies take
 * megabytes at once and pass them on slowly. Only a response says that they
 * have arrived.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import * as Monotonic from "../monotonic.ts"

/** One transfer on the line. */
interface Flow {
  /** Read so far, in bytes. */
  readonly reached: (bytes: number) => void
  /** Changes whenever something was read. */
  readonly movements: () => number
  /** How long the response may take while so many bytes are on their way on the whole line, in milliseconds. */
  readonly patience: (underWay: number) => number
  /** It was given up: fewer at once from now on, with more time for each. */
  readonly stalled: Effect.Effect<void>
}

export interface Line {
  /**
   * Runs `transfer` when the line has room for it, and hands it a function to
   * call with the number of bytes that have been read so far. If nothing is read
   * and no response comes for `timeout`, and for the time that the bytes under
   * way need at the rate seen so far, the transfer is interrupted and `onStall`
   * of that time, in milliseconds, is the failure.
   */
  readonly carry: <A, E, R, E2>(
    timeout: Duration.Duration,
    onStall: (millis: number) => E2,
    transfer: (reached: (bytes: number) => void) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | E2, R>
  /** How long a request without a body may wait behind them, in milliseconds. */
  readonly patience: () => number
}

/** In bytes a second: taken for the rate until one is known, and no lower one is believed. A line of 256 kbit/s has twice that. */
const slowest = 16 * 1024

/** The rate is the mean of so much time in which transfers ran, or of twice as much. In milliseconds. */
const period = 60_000

/** A stall is noticed at the latest this share of the timeout too late. */
const checksPerTimeout = 4

/** Beyond it, the time for a transfer no longer grows with stalls in a row. */
const mostStalls = 6

/**
 * Before the first response nothing tells a slow line from a dead one behind a
 * proxy that takes all at once. Till then a response is waited for no longer, in
 * milliseconds for each transfer on the line, than such a proxy needs for 12 MB
 * in five parts over 64 kbit/s; but a transfer's own bytes always have their time.
 */
const longest = 6 * 60_000

/** As good as no limit. */
const unlimited = 1_024

/** From here on there is no limit again. */
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

  /** What stalls together stalls for one reason, and counts once. */
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

  /** On their way at most, in bytes: read by transfers that have no response yet. */
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

/** Ends once a transfer stalls, with the time for which nothing moved, in milliseconds. */
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
    // Transfers that begin meanwhile take their share of the line.
    most = Math.max(most, underWay())
  } while (quiet < Duration.toMillis(timeout) + patience(most))
  yield* stalled
  return Math.round(quiet)
})

/** Counts what arrives against the time in which transfers ran. */
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
