/**
 * Time and turns of a simulated world. Each process and the server has a lane.
 * The fibers of a lane take turns and set timers only through that lane. A lane
 * that is halted never runs again, whatever its fibers were about to do; a lane
 * that is suspended runs later. There is no I/O, no promise and no real timer:
 * a world is a plain loop, and repeats exactly.
 */
import * as Context from "effect/Context"
import { Clock as ClockReference } from "effect/Clock"
import * as EffectScheduler from "effect/Scheduler"
import { virtualClock } from "./clock.ts"

/** One sequence of turns: a process, the server, or the world itself. */
export interface Lane {
  readonly name: string
  /** Clock and scheduler, for the fibers of this lane. */
  readonly context: Context.Context<never>
  /** Queues a task as a turn of this lane. */
  readonly post: (task: () => void) => void
  /** Queues a task after some milliseconds; the returned function cancels it. */
  readonly after: (millis: number, task: () => void) => () => void
  /** Ends this lane: no turn or timer of it ever runs again. */
  readonly halt: () => void
  readonly suspend: () => void
  readonly wake: () => void
  /** The number of turns and timers that are still to come. */
  readonly pending: () => number
  readonly isHalted: () => boolean
}

export interface LaneOptions {
  /** The wall clock minus the true time, in milliseconds. */
  readonly offset?: () => number
  /** Runs after each turn. */
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

export interface Scheduler {
  /** The true time, in milliseconds. */
  readonly now: () => number
  readonly lane: (name: string, options?: LaneOptions) => Lane
  /** Runs until `done`, at most to the time `until`. */
  readonly run: (done: () => boolean, until: number) => Stop
  /** Lets some milliseconds pass, whatever happens in them. */
  readonly pass: (millis: number) => void
}

/** Runs without stack traces: in many worlds, operations that fail would spend a sixth of the time on them. */
export const withoutStacks = <A>(run: () => A): A => {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    return run()
  } finally {
    Error.stackTraceLimit = limit
  }
}

/** No world needs this many turns at one moment. */
const maxTurns = 2_000_000

export const make = (start = 1_700_000_000_000): Scheduler => {
  let now = start
  const turns = turnQueue()
  const timers = timerQueue()

  const addTimer = (lane: LaneState, millis: number, task: () => void) => {
    const timer: Timer = { at: now + Math.max(0, millis), lane, task }
    timers.add(timer)
    lane.pending++
    return () => {
      if (timer.task === undefined) return
      timer.task = undefined
      lane.pending--
      timers.remove(timer)
    }
  }

  const fire = (until: number): Stop | undefined => {
    const timer = timers.first()
    if (timer === undefined) return "Idle"
    if (timer.at > until && !timer.lane.halted) return "Late"
    timers.removeFirst()
    const { lane, task } = timer
    timer.task = undefined
    lane.pending--
    if (task === undefined || lane.halted) return undefined
    now = Math.max(now, timer.at)
    turns.add(lane, task)
    return undefined
  }

  const scheduler: Scheduler = {
    now: () => now,
    lane: (name, options = {}) =>
      makeLane({ name, options, now: () => now, enqueue: turns.add, addTimer }),
    run: (done, until) => {
      for (let left = maxTurns; ;) {
        if (done()) return "Done"
        if (turns.take()) {
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
      scheduler.run(() => false, until)
      now = until
    }
  }
  return scheduler
}

/** Turns in the order in which they were queued. */
const turnQueue = () => {
  let turns: Array<{ readonly lane: LaneState; readonly task: () => void }> = []
  let head = 0
  return {
    add: (lane: LaneState, task: () => void) => {
      if (lane.halted) return
      lane.pending++
      if (lane.parked === undefined) turns.push({ lane, task })
      else lane.parked.push(task)
    },
    /** Takes one turn; false if there is none. */
    take: (): boolean => {
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
  }
}

/** Timers by their time; those of the same time in the order in which they were added. */
const timerQueue = () => {
  /** Latest first. */
  const timers: Array<Timer> = []
  return {
    add: (timer: Timer) => {
      let low = 0
      let high = timers.length
      while (low < high) {
        const middle = (low + high) >>> 1
        if ((timers[middle]?.at ?? 0) > timer.at) low = middle + 1
        else high = middle
      }
      timers.splice(low, 0, timer)
    },
    remove: (timer: Timer) => void timers.splice(timers.indexOf(timer), 1),
    first: () => timers.at(-1),
    removeFirst: () => void timers.pop()
  }
}

const makeLane = (given: {
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
  const clock = virtualClock({ wall: () => now() + offset(), monotonic: now, after })
  return {
    name,
    context: Context.make(EffectScheduler.Scheduler, effectScheduler(post)).pipe(
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

const effectScheduler = (post: (task: () => void) => void): EffectScheduler.Scheduler => {
  const dispatcher = { scheduleTask: post, flush: () => undefined }
  return {
    executionMode: "async",
    shouldYield: () => false,
    makeDispatcher: () => dispatcher
  }
}
