/** The state of one upload's display, and the lines of it that stay. Pure. */
import type { Progress, UploadEvent } from "@effect-oss/core/UploadEvent"
import * as Render from "../Render.ts"
import * as Line from "./line.ts"

export interface View extends Progress {
  /** In milliseconds. */
  readonly startedAt: number
  readonly completing: boolean
  /** The last tenth, or doubling, that was written as a line. */
  readonly milestone: number
  /** True: no request succeeds, and one line about it stands for all retries. */
  readonly waiting: boolean
}

/**
 * How to show an upload:
 *
 * - `Bar`: above a bar that is drawn again and again;
 * - `Lines`: for a log, a line at each tenth, or at each doubling of an unknown length;
 * - `Summary`: only the last line.
 */
export type Style = "Bar" | "Lines" | "Summary"

export const initial = (startedAt: number): View => ({
  startedAt,
  durable: 0,
  sent: 0,
  total: null,
  rate: 0,
  eta: null,
  completing: false,
  milestone: 0,
  waiting: false
})

/** The view after an event, and the lines to write, without line ends; `at` is in milliseconds. */
export const next = (
  before: View,
  event: UploadEvent,
  at: number,
  style: Style
): { readonly view: View; readonly lines: ReadonlyArray<string> } => {
  const view = seen(before, event)
  if (event._tag === "Completed") {
    return { view, lines: [Render.result(event.result, at - view.startedAt)] }
  }
  const lines = style === "Summary" ? [] : note(event, before)
  const milestone = milestoneOf(view)
  // The last sample comes directly before `Completed` and says the same.
  const worthIt = style === "Lines" && milestone > view.milestone && view.durable !== view.total
  return worthIt
    ? { view: { ...view, milestone }, lines: [...lines, Line.plain(view, 10 * milestone)] }
    : { view, lines }
}

const seen = (view: View, event: UploadEvent): View => {
  switch (event._tag) {
    case "Started":
      return { ...view, total: event.size }
    case "Resumed": {
      const durable = Math.max(view.durable, event.bytes)
      const resumed = { ...view, durable, sent: Math.max(view.sent, durable) }
      return { ...resumed, milestone: milestoneOf(resumed) }
    }
    case "Restarted":
      return { ...initial(view.startedAt), total: view.total }
    case "Progress": {
      const { _tag, ...progress } = event
      return { ...view, ...progress }
    }
    case "Waiting":
      return { ...view, waiting: true }
    case "PartUploaded":
      return { ...view, waiting: false }
    case "Completing":
      return { ...view, completing: true, waiting: false }
    default:
      return view
  }
}

/** A line for an event that remains worth knowing. */
const note = (event: UploadEvent, { waiting }: View): ReadonlyArray<string> => {
  switch (event._tag) {
    case "Resumed":
      return event.parts === 0 ? [] : [Render.event(event)]
    case "Started":
    case "Restarted":
    case "Waiting":
      return [Render.event(event)]
    case "Retrying":
      return waiting ? [] : [Render.event(event)]
    default:
      return []
  }
}

/** From this size on, each doubling gets a line. */
const firstDoubling = 1024 * 1024

const milestoneOf = (progress: Progress): number => {
  const done = Line.percent(progress)
  return done === undefined
    ? Math.max(0, Math.floor(Math.log2(progress.durable / firstDoubling)) + 1)
    : Math.floor(done / 10)
}
