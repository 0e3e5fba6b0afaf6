/**
 * Time and turns of a simulated world. Each process and the server has a lane:
 * its fibers' turns and timers go through the lane alone, so that a lane that
 * is halted never moves again, whatever its fibers were about to do, and one
 * that is suspended moves later. There is no I/O, no promise and no real
 * timer: a world is a plain loop, and repeats itself.
 */
import type * as Clock from "effect/Clock"
import { Clock as ClockReference } from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Scheduler from "effect/Scheduler"

/** What takes turns by itself. */
export interface Lane {
  readonly name: string
  /** Clock and scheduler, for the fibers of this lane. */
  readonly context: Context.Context<never>
  /** Runs a task in this lane's turn. */
  readonly post: (task: () => void) => void
  /** Runs a task after so many milliseconds; the answer calls it off. */
  readonly after: (millis: number, task: () => void) => () => void
  /** Nothing of this lane ever runs again. */
  readonly halt: () => void
  readonly suspend: () => void
  readonly wake: () => void
  /** Turns and timers that are still to come. */
  readonly pending: () => number
  readonly isHalted: () => boolean
}

export interface LaneOptions {
  /** The wall clock less the true time, in milliseconds. */
  readonly offset?: () => number
  /** Sees what each turn has done. */
  readonly afterTurn?: () => void
}

interface Timer {
  readonly at: number
  readonly lane: LaneState
  task: (() => void) | undefined
}

interface LaneState {
  halted: boolean
  /** Turns that wait for the lane to wake; undefined while it is awake. */
  parked: Array<() => void> | undefined
  pending: number
  readonly afterTurn: (() => void) | undefined
}

/** Why the world stopped: as wished, nothing left to do, out of time, or it spins without time passing. */
export type Stop = "Done" | "Idle" | "Late" | "Spinning"

export interface Kernel {
  /** The true time, in milliseconds. */
  readonly now: () => number
  readonly lane: (name: string, options?: LaneOptions) => Lane
  /** Goes on until `done`, at most to the time `until`. */
  readonly run: (done: () => boolean, until: number) => Stop
  /** Lets so many milliseconds pass, whatever happens in them. */
  readonly pass: (millis: number) => void
}

/** For many worlds: operations that fail are part of them, and their stacks would take a sixth of the time. */
export const withoutStacks = <A>(run: () => A): A => {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    return run()
  } finally {
    Error.stackTraceLimit = limit
  }
}

/** No world needs so many turns at one moment. */
const maxTurns = 2_000_000

export const make = (start = 1_700_000_000_000): Kernel => {
  let now = start
  let turns: Array<{ readonly lane: LaneState; readonly task: () => void }> = []
  let head = 0
  /** Latest first. */
  const timers: Array<Timer> = []

  const enqueue = (lane: LaneState, task: () => void) => {
    if (lane.halted) return
    lane.pending++
    if (lane.parked === undefined) turns.push({ lane, task })
    else lane.parked.push(task)
  }

  const addTimer = (lane: LaneState, millis: number, task: () => void) => {
    const timer: Timer = { at: now + Math.max(0, millis), lane, task }
    let low = 0
    let high = timers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((timers[middle]?.at ?? 0) > timer.at) low = middle + 1
      else high = middle
    }
    timers.splice(low, 0, timer)
    lane.pending++
    return () => {
      if (timer.task === undefined) return
      timer.task = undefined
      lane.pending--
      timers.splice(timers.indexOf(timer), 1)
    }
  }

  const takeTurn = () => {
    const turn = turns[head++]
    if (turn === undefined) {
      turns = []
      head = 0
      return false
    }
    const { lane, task } = turn
    if (lane.halted) return true
    if (lane.parked !== undefined) {
      lane.parked.push(task)
      return true
    }
    lane.pending--
    task()
    lane.afterTurn?.()
    return true
  }

  const fire = (until: number): Stop | undefined => {
    const timer = timers.at(-1)
    if (timer === undefined) return "Idle"
    if (timer.at > until && !timer.lane.halted) return "Late"
    timers.pop()
    const { lane, task } = timer
    timer.task = undefined
    lane.pending--
    if (task === undefined || lane.halted) return undefined
    now = Math.max(now, timer.at)
    enqueue(lane, task)
    return undefined
  }

  const kernel: Kernel = {
    now: () => now,
    lane: (name, options = {}) => laneOf({ name, options, now: () => now, enqueue, addTimer }),
    run: (done, until) => {
      for (let left = maxTurns; ;) {
        if (done()) return "Done"
        if (takeTurn()) {
          if (--left === 0) return "Spinning"
          continue
        }
        left = maxTurns
        const stop = fire(until)
        if (stop !== undefined) return stop
      }
    },
    pass: (millis) => {
      const until = now + millis
      kernel.run(() => false, until)
      now = until
    }
  }
  return kernel
}

const laneOf = (given: {
  readonly name: string
  readonly options: LaneOptions
  readonly now: () => number
  readonly enqueue: (lane: LaneState, task: () => void) => void
  readonly addTimer: (lane: LaneState, millis: number, task: () => void) => () => void
}): Lane => {
  const { name, now, enqueue, addTimer } = given
  const { offset = () => 0, afterTurn } = given.options
  const state: LaneState = { halted: false, parked: undefined, pending: 0, afterTurn }
  const post = (task: () => void) => enqueue(state, task)
  const after = (millis: number, task: () => void) => addTimer(state, millis, task)
  const clock = clockOf(() => now() + offset(), now, after)
  return {
    name,
    context: Context.make(Scheduler.Scheduler, schedulerOf(post)).pipe(
      Context.add(ClockReference, clock)
    ),
    post,
    after,
    halt: () => {
      state.halted = true
      state.parked = undefined
    },
    suspend: () => {
      state.parked ??= []
    },
    wake: () => {
      const parked = state.parked ?? []
      state.parked = undefined
      state.pending -= parked.length
      for (const task of parked) post(task)
    },
    pending: () => state.pending,
    isHalted: () => state.halted
  }
}

const schedulerOf = (post: (task: () => void) => void): Scheduler.Scheduler => {
  const dispatcher = { scheduleTask: post, flush: () => undefined }
  return {
    executionMode: "async",
    shouldYield: () => false,
    makeDispatcher: () => dispatcher
  }
}

/** `wall` may jump; sleeping goes by the true time. */
const clockOf = (
  wall: () => number,
  now: () => number,
  after: (millis: number, task: () => void) => () => void
): Clock.Clock => {
  const nanos = (millis: number) => BigInt(Math.round(millis * 1000)) * 1000n
  return {
    currentTimeMillisUnsafe: wall,
    currentTimeMillis: Effect.sync(wall),
    currentTimeNanosUnsafe: () => nanos(wall()),
    currentTimeNanos: Effect.sync(() => nanos(wall())),
    monotonicTimeNanosUnsafe: () => nanos(now()),
    monotonicTimeNanos: Effect.sync(() => nanos(now())),
    sleep: (duration) =>
      Effect.callback<void>((resume) => {
        const cancel = after(Duration.toMillis(duration), () => resume(Effect.void))
        return Effect.sync(cancel)
      })
  }
}
