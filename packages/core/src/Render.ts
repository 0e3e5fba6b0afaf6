/**
 * An upload as people see it: amounts and times, one line for how far it has
 * come or for what has happened, and the frames of a display that is drawn
 * again and again. Pure: `Display` writes them.
 *
 * @since 0.1.0
 */
import type { RestartReason } from "./Checkpoint.ts"
import type { Operation } from "./OssError.ts"
import * as OssError from "./OssError.ts"
import type { Progress, UploadEvent, UploadResult } from "./UploadEvent.ts"

/**
 * A number of bytes: one decimal, powers of 1024.
 *
 * @category amounts
 * @since 0.1.0
 */
export const bytes = (bytes: number): string => {
  if (bytes < 1024) return `${Math.floor(bytes)} B`
  const names = ["KiB", "MiB", "GiB", "TiB"]
  let value = bytes / 1024
  let name = 0
  // What would be rounded up to 1024.0 is the next unit's 1.0.
  while (value >= 1023.95 && name < names.length - 1) {
    value /= 1024
    name++
  }
  return `${value.toFixed(1)} ${names[name]}`
}

/**
 * A time of `millis` milliseconds.
 *
 * @category amounts
 * @since 0.1.0
 */
export const duration = (millis: number): string => {
  if (millis < 59_950) return `${(millis / 1_000).toFixed(1)} s`
  const seconds = Math.round(millis / 1_000)
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3_600) % 24,
    Math.floor(seconds / 60) % 60
  ]
  if (days > 0) return `${days} d ${hours} h`
  if (hours > 0) return `${hours} h ${minutes} min`
  return `${minutes} min ${seconds % 60} s`
}

/**
 * A time of `millis` milliseconds in whole units, rounded up: what is left, or
 * how old something is.
 *
 * @category amounts
 * @since 0.1.0
 */
export const wholeDuration = (millis: number): string => {
  const seconds = Math.max(0, Math.ceil(millis / 1_000))
  return seconds < 60 ? `${seconds} s` : duration(seconds * 1_000)
}

/**
 * Text that is one line on a terminal, whatever is in it: names of files and
 * messages of servers may hold line ends and escape sequences.
 *
 * @category lines
 * @since 0.1.0
 */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")

/**
 * As many facts, from the first one on, as fit into a line of so many columns;
 * the first one is cut if need be.
 *
 * @category lines
 * @since 0.1.0
 */
export const fitting = (facts: ReadonlyArray<string>, columns: number): string => {
  const kept = [...facts]
  while (kept.length > 1 && kept.join("  ").length > columns) kept.pop()
  return kept.join("  ").slice(0, columns)
}

/**
 * How bars are drawn.
 *
 * @category models
 * @since 0.1.0
 */
export interface Looks {
  /** True: block characters, down to an eighth of a column. Default: ASCII. */
  readonly unicode?: boolean | undefined
  /** True: what is done is green. Default: no control codes. */
  readonly color?: boolean | undefined
}

const ascii = { open: "[", full: "#", parts: [""], empty: "-", close: "]" }
const blocks = {
  open: "",
  full: "█",
  parts: ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"],
  empty: "░",
  close: ""
}

/**
 * A bar of so many columns and its brackets, of which `share`, 0 to 1, is done.
 *
 * **Example** (half)
 *
 * ```ts
 * import { Render } from "@effect-oss/core"
 *
 * Render.bar(0.5, 8) // => "[####----]"
 * Render.bar(0.55, 8, { unicode: true }) // => "████▍░░░"
 * ```
 *
 * @category lines
 * @since 0.1.0
 */
export const bar = (share: number, columns: number, looks: Looks = {}): string => {
  const { open, full, parts, empty, close } = looks.unicode === true ? blocks : ascii
  const steps = Math.round(Math.min(1, Math.max(0, share)) * columns * parts.length)
  const done = full.repeat(Math.floor(steps / parts.length)) + parts[steps % parts.length]
  const colored = looks.color === true ? `\u001B[32m${done}\u001B[39m` : done
  return `${open}${colored}${empty.repeat(columns - done.length)}${close}`
}

/**
 * How wide a line may be, and how its bar is drawn.
 *
 * @category models
 * @since 0.1.0
 */
export interface LineOptions extends Looks {
  /** The line has at most so many. Default: 79, for a terminal of 80: a full line would wrap. */
  readonly columns?: number | undefined
}

/**
 * One line for how far an upload has come: a bar, percents, bytes, the time
 * left and the rate. What doesn't fit is left out, the least important first.
 * It never says 100 %: that is for the object that is there, which `Completed`
 * tells of.
 *
 * **Example** (in a narrow and in a wide window)
 *
 * ```ts
 * import { Render } from "@effect-oss/core"
 *
 * const progress = { durable: 5e8, sent: 6e8, total: 1e9, rate: 1e8, eta: 4_000 }
 * Render.progress(progress, { columns: 40 }) // => "60 %  572.2 MiB of 953.7 MiB  4 s left"
 * Render.progress(progress, { columns: 64 })
 * // => "[######----]  60 %  572.2 MiB of 953.7 MiB  4 s left  95.4 MiB/s"
 * ```
 *
 * @category lines
 * @since 0.1.0
 */
export const progress = (progress: Progress, options: LineOptions = {}): string =>
  drawn({ ...progress, completing: false }, options)

/**
 * One line for whatever happens, without control characters.
 *
 * @category lines
 * @since 0.1.0
 */
export const event = (event: UploadEvent): string => {
  switch (event._tag) {
    case "Started": {
      const { source, bucket, key } = event
      const size = event.size === null ? "of unknown size" : bytes(event.size)
      return printable(`${source} (${size}) to oss://${bucket}/${key}`)
    }
    case "Resumed":
      return event.parts === 0
        ? "resumed: no part is there already"
        : `resumed: ${bytes(event.bytes)} in ${count(event.parts)} are there already`
    case "Restarted":
      return `starting afresh: ${whyRestarted[event.reason]}`
    case "PartUploaded": {
      const { number, size, adopted } = event
      return `part ${number}: ${bytes(size)} ${adopted ? "were there already" : "sent"}`
    }
    case "Retrying": {
      const wait = event.delay < 50 ? "retrying" : `retrying in ${duration(event.delay)}`
      const why = OssError.describe(event.reason)
      return printable(`${request(event.operation, event.partNumber)} failed, ${wait}: ${why}`)
    }
    case "Progress":
      return plain({ ...event, completing: false }, percent(event))
    case "Completing":
      return "completing"
    case "Completed":
      return result(event.result)
  }
}

const count = (parts: number) => (parts === 1 ? "1 part" : `${parts} parts`)

const whyRestarted: Readonly<Record<RestartReason, string>> = {
  SourceChanged: "the source is not what it was",
  OptionsChanged: "other options are asked for",
  PartSizeChanged: "another part size is asked for",
  UploadGone: "OSS no longer knows the upload",
  PartsLost: "OSS does not have the parts any more",
  CheckpointDamaged: "the checkpoint could not be read"
}

const request = (operation: Operation, part: number | undefined): string =>
  part === undefined ? operation : `part ${part}`

/**
 * One line for a finished upload, with the rate of the bytes that had to be
 * sent if it is known how long that took: `elapsed` milliseconds.
 *
 * @category lines
 * @since 0.1.0
 */
export const result = (result: UploadResult, elapsed?: number): string => {
  const { bucket, key, size, resumed, verified, skipped } = result
  const took = elapsed === undefined ? "" : ` in ${speedOf(size - resumed, Math.max(1, elapsed))}`
  const facts =
    skipped === true
      ? [bytes(size), "identical already"]
      : [
          `${bytes(size)}${took}`,
          ...(resumed > 0 ? [`${bytes(resumed)} resumed`] : []),
          verified ? "verified by CRC64" : "not verified: the endpoint tells no CRC64"
        ]
  return printable(`${bucket}/${key}: ${facts.join(", ")}`)
}

const speedOf = (sent: number, millis: number) =>
  `${duration(millis)} (${bytes((sent / millis) * 1_000)}/s)`

/**
 * What a terminal's last line leaves free, in columns: a full one would wrap,
 * and Ctrl-C is shown behind it as `^C`.
 *
 * @category constants
 * @since 0.1.0
 */
export const spare = 3

/**
 * How to show an upload:
 *
 * - `Bar`: for a terminal of `columns` characters;
 * - `Lines`: for a log, a line at each tenth, or at each doubling of what is of unknown length;
 * - `Summary`: only the last line.
 *
 * @category models
 * @since 0.1.0
 */
export type Style =
  | ({ readonly _tag: "Bar"; readonly columns: number } & Looks)
  | { readonly _tag: "Lines" }
  | { readonly _tag: "Summary" }

/**
 * What has been seen of an upload.
 *
 * @category models
 * @since 0.1.0
 */
export interface View extends Progress {
  /** In milliseconds. */
  readonly startedAt: number
  readonly completing: boolean
  /** The last tenth, or doubling, that has a line. */
  readonly milestone: number
}

/**
 * A view before the first event; `startedAt` in milliseconds.
 *
 * @category frames
 * @since 0.1.0
 */
export const initial = (startedAt: number): View => ({
  startedAt,
  durable: 0,
  sent: 0,
  total: null,
  rate: 0,
  eta: null,
  completing: false,
  milestone: 0
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
 * @category frames
 * @since 0.1.0
 */
export const render = (before: View, event: UploadEvent, at: number, style: Style): Frame => {
  const view = next(before, event)
  const lines = style._tag === "Summary" ? [] : note(event)
  if (event._tag === "Completed") {
    return { view, lines: [result(event.result, at - view.startedAt)], bar: "" }
  }
  if (style._tag === "Bar") {
    const redraw = event._tag !== "PartUploaded"
    const bar = redraw ? drawn(view, { ...style, columns: style.columns - spare }) : undefined
    return { view, lines, bar }
  }
  const milestone = milestoneOf(view)
  // The last sample comes right before `Completed`, and says the same.
  const worthIt = milestone > view.milestone && view.durable !== view.total
  return style._tag === "Lines" && worthIt
    ? {
        view: { ...view, milestone },
        lines: [...lines, plain(view, 10 * milestone)],
        bar: undefined
      }
    : { view, lines, bar: undefined }
}

const next = (view: View, event: UploadEvent): View => {
  switch (event._tag) {
    case "Started":
      return { ...view, total: event.size }
    case "Resumed": {
      const resumed = { ...view, sent: Math.max(view.sent, event.bytes) }
      return { ...resumed, milestone: milestoneOf(resumed) }
    }
    case "Restarted":
      return { ...initial(view.startedAt), total: view.total }
    case "Progress": {
      const { _tag, ...progress } = event
      return { ...view, ...progress }
    }
    case "Completing":
      return { ...view, completing: true }
    default:
      return view
  }
}

/** A line for what is worth knowing afterwards too. */
const note = (happened: UploadEvent): ReadonlyArray<string> => {
  switch (happened._tag) {
    case "Resumed":
      return happened.parts === 0 ? [] : [event(happened)]
    case "Started":
    case "Restarted":
    case "Retrying":
      return [event(happened)]
    default:
      return []
  }
}

type Shown = Progress & Pick<View, "completing">

/** Whole percents, and never 100; none while the total isn't known. */
const percent = ({ sent, total }: Progress): number | undefined => {
  if (total === null) return undefined
  return total === 0 ? 0 : Math.min(99, Math.floor((100 * sent) / total))
}

/** From here on, doublings have lines. */
const firstDoubling = 1024 * 1024

const milestoneOf = (progress: Progress): number => {
  const done = percent(progress)
  return done === undefined
    ? Math.max(0, Math.floor(Math.log2(progress.sent / firstDoubling)) + 1)
    : Math.floor(done / 10)
}

const amount = ({ sent, total }: Progress) =>
  total === null ? bytes(sent) : `${bytes(sent)} of ${bytes(total)}`
const speed = ({ rate }: Progress) => (rate > 0 ? [`${bytes(rate)}/s`] : [])
const left = ({ eta, completing }: Shown) => {
  if (completing) return ["completing"]
  return eta === null || eta === 0 ? [] : [`${wholeDuration(eta)} left`]
}

/** Without a bar. */
const plain = (shown: Shown, percents: number | undefined): string => {
  const facts = [amount(shown), ...speed(shown), ...left(shown)].join(", ")
  return shown.total === null ? facts : `${percents} %: ${facts}`
}

/** The widest bar, and the narrowest that says anything, in characters. */
const widest = 40
const narrowest = 8

const drawn = (shown: Shown, { columns = 79, ...looks }: LineOptions): string => {
  const room = Math.max(0, columns)
  const done = percent(shown)
  const percents = done === undefined ? [] : [`${done} %`]
  const text = fitting([...percents, amount(shown), ...left(shown), ...speed(shown)], room)
  const width = Math.min(widest, room - text.length - 4)
  return done === undefined || width < narrowest
    ? text
    : `${bar(done / 100, width, looks)}  ${text}`
}

// oxlint-disable-next-line no-control-regex
const colors = /\u001B\[[\d;]*m/g
const widthOf = (line: string): number => line.replaceAll(colors, "").length

/**
 * The control codes that take lines off a terminal of `columns` characters
 * which were drawn last, the cursor being behind the last one: what was drawn
 * when it was wider takes several rows by now. `width` tells how many columns a
 * line takes. Default: one for each character that is no colour.
 *
 * @category frames
 * @since 0.1.0
 */
export const erased = (
  lines: ReadonlyArray<string>,
  columns: number,
  width: (line: string) => number = widthOf
): string => {
  const rowsOf = (line: string) => Math.max(1, Math.ceil(width(line) / Math.max(1, columns)))
  const above = lines.reduce((rows, line) => rows + rowsOf(line), 0) - 1
  return above > 0 ? `\u001B[${above}A\r\u001B[J` : "\r\u001B[K"
}
