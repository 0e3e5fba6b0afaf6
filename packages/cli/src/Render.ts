/**
 * An upload's events as people see them: one bar that is drawn again and again
 * under lines that stay, or plain lines alone. Pure: a view, an event and a
 * style give the next view and what to write.
 *
 * @since 0.1.0
 */
import type { RestartReason } from "@effect-oss/core/Checkpoint"
import type { Operation } from "@effect-oss/core/OssError"
import * as OssError from "@effect-oss/core/OssError"
import type { UploadEvent, UploadResult } from "@effect-oss/core/UploadEvent"
import { fitting, printable, spare } from "./internal/text.ts"
import * as Size from "./Size.ts"

/**
 * How to show an upload:
 *
 * - `Bar`: for a terminal of `columns` characters;
 * - `Lines`: for a log, a line at each tenth, without control codes;
 * - `Summary`: only the last line.
 *
 * @category models
 * @since 0.1.0
 */
export type Style =
  | { readonly _tag: "Bar"; readonly columns: number; readonly color: boolean }
  | { readonly _tag: "Lines" }
  | { readonly _tag: "Summary" }

/**
 * What has been seen of an upload.
 *
 * @category models
 * @since 0.1.0
 */
export interface View {
  /** When the command began, in milliseconds. */
  readonly startedAt: number
  /** Of the source, in bytes. */
  readonly total: number
  /** In bytes. */
  readonly sent: number
  /** In bytes a second. */
  readonly rate: number
  /** In milliseconds; null while it isn't known. */
  readonly eta: number | null
  readonly completing: boolean
  /** The last tenth that has a line, 0 to 9. */
  readonly tenth: number
}

/**
 * A view before the first event; `startedAt` in milliseconds.
 *
 * @category constructors
 * @since 0.1.0
 */
export const initial = (startedAt: number): View => ({
  startedAt,
  total: 0,
  sent: 0,
  rate: 0,
  eta: null,
  completing: false,
  tenth: 0
})

/**
 * What to write after an event.
 *
 * @category models
 * @since 0.1.0
 */
export interface Frame {
  readonly view: View
  /** Lines that stay, without line ends. */
  readonly lines: ReadonlyArray<string>
  /** What the bar's line shows from now on; empty for none, undefined for no change. */
  readonly bar: string | undefined
}

/**
 * Shows one event, which happened at `at` milliseconds.
 *
 * @category rendering
 * @since 0.1.0
 */
export const render = (before: View, event: UploadEvent, at: number, style: Style): Frame => {
  const view = next(before, event)
  const notes = style._tag === "Summary" ? [] : note(event)
  if (event._tag === "Completed") {
    return { view, lines: [summary(event.result, at - view.startedAt)], bar: "" }
  }
  if (style._tag === "Bar") {
    const redraw = event._tag !== "PartUploaded"
    return { view, lines: notes, bar: redraw ? bar(view, style) : undefined }
  }
  const tenth = Math.floor(percent(view) / 10)
  return style._tag === "Lines" && tenth > view.tenth
    ? { view: { ...view, tenth }, lines: [...notes, milestone(view, tenth)], bar: undefined }
    : { view, lines: notes, bar: undefined }
}

const next = (view: View, event: UploadEvent): View => {
  switch (event._tag) {
    case "Started":
      return { ...view, total: event.size ?? 0 }
    case "Resumed":
      return { ...view, sent: Math.max(view.sent, event.bytes), tenth: tenthOf(event.bytes, view) }
    case "Restarted":
      return { ...view, sent: 0, rate: 0, eta: null, completing: false, tenth: 0 }
    case "Progress":
      return { ...view, sent: event.sent, rate: event.rate, eta: event.eta }
    case "Completing":
      return { ...view, completing: true }
    default:
      return view
  }
}

const tenthOf = (sent: number, view: View) => Math.floor(percent({ ...view, sent }) / 10)

/** Whole percents, and never 100: that is said when the object is there. */
const percent = ({ sent, total }: Pick<View, "sent" | "total">): number =>
  total === 0 ? 0 : Math.min(99, Math.floor((100 * sent) / total))

const milestone = (view: View, tenth: number): string =>
  `${tenth * 10} %: ${[amount(view), ...speed(view), ...left(view)].join(", ")}`

const amount = ({ sent, total }: View) => `${Size.format(sent)} of ${Size.format(total)}`
const speed = ({ rate }: View) => (rate > 0 ? [`${Size.format(rate)}/s`] : [])
const left = ({ eta, completing }: View) => {
  if (completing) return ["completing"]
  return eta === null || eta === 0 ? [] : [`${Size.formatWholeDuration(eta)} left`]
}

/** The widest bar, and the narrowest that says anything, in characters. */
const widest = 40
const narrowest = 8

/** What doesn't fit is left out, the least important first. */
const bar = (view: View, { columns, color }: Extract<Style, { readonly _tag: "Bar" }>): string => {
  const room = Math.max(0, columns - spare)
  const done = percent(view)
  const text = fitting([`${done} %`, amount(view), ...left(view), ...speed(view)], room)
  const width = Math.min(widest, room - text.length - 4)
  if (width < narrowest) return text
  const full = Math.round((width * done) / 100)
  const blocks = "#".repeat(full)
  return `[${color ? `\u001B[32m${blocks}\u001B[39m` : blocks}${"-".repeat(width - full)}]  ${text}`
}

/** A line for what is worth knowing afterwards too. */
const note = (event: UploadEvent): ReadonlyArray<string> => {
  switch (event._tag) {
    case "Started": {
      const { source, size, bucket, key } = event
      return [
        printable(
          `${source} (${size === null ? "of unknown size" : Size.format(size)}) to oss://${bucket}/${key}`
        )
      ]
    }
    case "Resumed":
      return event.parts === 0
        ? []
        : [`resumed: ${Size.format(event.bytes)} in ${count(event.parts)} are there already`]
    case "Restarted":
      return [`starting afresh: ${whyRestarted[event.reason]}`]
    case "Retrying": {
      const wait = event.delay < 50 ? "retrying" : `retrying in ${Size.formatDuration(event.delay)}`
      const why = OssError.describe(event.reason)
      return [printable(`${request(event.operation, event.partNumber)} failed, ${wait}: ${why}`)]
    }
    default:
      return []
  }
}

const count = (parts: number) => (parts === 1 ? "1 part" : `${parts} parts`)

const whyRestarted: Readonly<Record<RestartReason, string>> = {
  SourceChanged: "the file is not what it was",
  OptionsChanged: "other options are asked for",
  PartSizeChanged: "another part size is asked for",
  UploadGone: "OSS no longer knows the upload",
  PartsLost: "OSS does not have the parts any more",
  CheckpointDamaged: "the checkpoint could not be read"
}

const request = (operation: Operation, part: number | undefined): string =>
  part === undefined ? operation : `part ${part}`

/** `elapsed` in milliseconds; the rate is that of the bytes that had to be sent. */
const summary = (result: UploadResult, elapsed: number): string => {
  const { bucket, key, size, resumed, verified } = result
  const millis = Math.max(1, elapsed)
  const rate = ((size - resumed) / millis) * 1_000
  const facts = [
    `${Size.format(size)} in ${Size.formatDuration(millis)} (${Size.format(rate)}/s)`,
    ...(resumed > 0 ? [`${Size.format(resumed)} resumed`] : []),
    verified ? "verified by CRC64" : "not verified: the endpoint tells no CRC64"
  ]
  return printable(`${bucket}/${key}: ${facts.join(", ")}`)
}
