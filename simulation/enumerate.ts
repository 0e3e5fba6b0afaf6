/** Every stop point of an upload, and every pair of them. */
import type { Ending, Stop } from "./crash.ts"
import { survive } from "./crash.ts"
import type { Point } from "./Process.ts"

/** Of all endings that take a process away, one after another. */
export const killings: ReadonlyArray<Ending> = [
  "KilledAndCut",
  "KilledAndCarriedOut",
  "PowerLost",
  { powerLostWithLuck: 1 },
  { powerLostWithLuck: 2 },
  { powerLostWithLuck: 3 }
]

/** What was done. */
export interface Count {
  /** Of one run that nothing stops. */
  readonly points: number
  /** Uploads that were stopped, all of them survived. */
  readonly survived: number
}

/** An upload that did not survive, and how to see that again. */
export class NotSurvived extends Error {
  constructor(
    stops: ReadonlyArray<Stop>,
    points: ReadonlyArray<Point | undefined>,
    cause: unknown
  ) {
    const where = points.map((point) => JSON.stringify(point)).join(" and ")
    super(`stopped ${JSON.stringify(stops)}, that is ${where}: ${String(cause)}`, { cause })
  }
}

const trying = (
  content: Uint8Array,
  stops: ReadonlyArray<Stop>,
  points: ReadonlyArray<Point | undefined>
) => {
  try {
    return survive(content, stops)
  } catch (cause) {
    throw new NotSurvived(stops, points, cause)
  }
}

/** Stops an upload at each point, in each of these ways. */
export const everyStop = (content: Uint8Array, endings: ReadonlyArray<Ending>): Count => {
  const points = survive(content, []).points[0] ?? []
  let survived = 0
  for (const ending of endings) {
    for (const [at, point] of points.entries()) {
      if (ending === "AnswerLost" && point.moment !== "carriedOut") continue
      const { stopped } = trying(content, [{ at, ending }], [point])
      if (stopped !== 1) throw new Error(`point ${at} was not reached`)
      survived++
    }
  }
  return { points: points.length, survived }
}

/**
 * Stops an upload at each point that `matters`, and the next run at each of its
 * own; `endingsOf` says in which ways.
 */
export const everyPair = (
  content: Uint8Array,
  matters: (point: Point) => boolean,
  endingsOf: (first: number, second: number) => ReadonlyArray<readonly [Ending, Ending]>
): Count => {
  const points = survive(content, []).points[0] ?? []
  let survived = 0
  for (const [first, point] of points.entries()) {
    if (!matters(point)) continue
    for (const ending of new Set(endingsOf(first, 0).map(([ending]) => ending))) {
      const next = trying(content, [{ at: first, ending }], [point]).points[1] ?? []
      for (const [second, then] of next.entries()) {
        if (!matters(then)) continue
        for (const endings of endingsOf(first, second)) {
          if (endings[0] !== ending) continue
          const stops = [
            { at: first, ending },
            { at: second, ending: endings[1] }
          ]
          const { stopped } = trying(content, stops, [point, then])
          if (stopped !== 2) throw new Error(`points ${first} and ${second} were not reached`)
          survived++
        }
      }
    }
  }
  return { points: points.length, survived }
}

/** Requests, and what changes the journal or makes its directory: the rest of the disk's steps are about the lease and names. */
export const isRequestOrRecord = (point: Point): boolean => {
  switch (point.call) {
    case "write":
      return point.path.includes(".journal") && point.moment !== "before"
    case "sync":
      return point.path.includes(".journal") && point.moment === "after"
    case "mkdir":
      return point.moment === "after"
    case "rename":
    case "remove":
      return point.path.includes(".journal") && point.moment === "after"
    case "stat":
    case "read":
    case "readLink":
    case "list":
    case "open":
    case "link":
    case "utimes":
      return false
    default:
      return true
  }
}
