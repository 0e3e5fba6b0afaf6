/**
 * Every stop point of an upload, and every pair of them. The upload is run to
 * its end from each point that leaves a new state; equal states have equal
 * futures, so that they need no second run.
 */
import type { Ending, Options, Stop, Subject } from "./crash.ts"
import { survive } from "./crash.ts"
import { withoutStacks } from "../kernel/scheduler.ts"
import type { Point } from "../kernel/process.ts"

/** The endings that end a process without its cooperation. */
export const killings: ReadonlyArray<Ending> = [
  "KilledAndCut",
  "KilledAndCarriedOut",
  "PowerLost",
  { powerLostWithLuck: 1 },
  { powerLostWithLuck: 2 },
  { powerLostWithLuck: 3 }
]

/** Numbers of stops, or of pairs of stops. */
export interface Count {
  /** Those that the upload survives. */
  readonly survived: number
  /** Those from which it was run to its end. */
  readonly ran: number
}

/** An upload that did not survive; the message says how to repeat it. */
export class NotSurvived extends Error {
  constructor(stops: ReadonlyArray<Place>, cause: unknown) {
    const where = stops.map(({ point }) => JSON.stringify(point)).join(" and ")
    const what = JSON.stringify(stops.map(({ at, ending }) => ({ at, ending })))
    super(`stopped ${what}, that is ${where}: ${String(cause)}`, { cause })
  }
}

/** A stop, and its point. */
interface Place extends Stop {
  readonly point: Point
  /** Equal for places with equal futures. */
  readonly leaves: string
}

const trying = (subject: Subject, stops: ReadonlyArray<Place>, options: Options) => {
  try {
    const report = survive(subject, stops, options)
    if (report.stopped !== stops.length) throw new Error("it was not stopped so often")
    return report
  } catch (cause) {
    throw new NotSurvived(stops, cause)
  }
}

/** Where the upload can be stopped in this way after these stops. */
const placesAfter = (
  subject: Subject,
  stops: ReadonlyArray<Place>,
  ending: Ending,
  isLast: boolean
): ReadonlyArray<Place> => {
  const { points, foreseen } = trying(subject, stops, { next: ending, isLast })
  const before = stops.at(-1)
  const from = before?.ending === "AnswerLost" ? before.at + 1 : 0
  const places = (points.at(-1) ?? []).slice(from).map((point, index) => {
    return { at: from + index, ending, point, leaves: foreseen[index] ?? "" }
  })
  return ending === "AnswerLost"
    ? places.filter(({ point }) => point.moment === "carriedOut")
    : places
}

/** Runs the upload to its end from each place that leaves a new state; `explore` returns the number of places. */
const explorer = (subject: Subject) => {
  const settled = new Set<string>()
  const seen = new Set<string>()
  return {
    seen,
    explore: (before: ReadonlyArray<Place>, ending: Ending) => {
      const places = placesAfter(subject, before, ending, true)
      for (const place of places) {
        if (seen.has(place.leaves)) continue
        seen.add(place.leaves)
        const { remains } = trying(subject, [...before, place], { settled, foreseen: place.leaves })
        for (const left of remains.slice(before.length)) settled.add(left)
      }
      return places.length
    }
  }
}

/** Stops an upload at each point, with each of these endings. */
export const everyStop = (subject: Subject, endings: ReadonlyArray<Ending>): Count =>
  withoutStacks(() => {
    const { explore, seen } = explorer(subject)
    let survived = 0
    for (const ending of endings) survived += explore([], ending)
    return { survived, ran: seen.size }
  })

/**
 * Stops an upload at each point with a first ending, and the run after that at
 * each of its points with a second ending, for each of these pairs of endings.
 * `Interrupted` may only be the second.
 */
export const everyPair = (
  subject: Subject,
  ways: ReadonlyArray<readonly [Ending, Ending]>
): Count =>
  withoutStacks(() => {
    const { explore, seen } = explorer(subject)
    const pairs = new Map<string, number>()
    let survived = 0
    for (const [ending, next] of ways) {
      for (const first of placesAfter(subject, [], ending, false)) {
        const name = `${JSON.stringify(next)} after ${first.leaves}`
        const count = pairs.get(name) ?? explore([first], next)
        pairs.set(name, count)
        survived += count
      }
    }
    return { survived, ran: seen.size }
  })
