/**
 * Many uploads at once, as people see them: a bar for each that is under way,
 * and one for all. Pure.
 *
 * @since 0.1.0
 */
import { spare } from "./internal/frames.ts"
import * as Render from "./Render.ts"
import type { Size } from "./Screen.ts"
import * as Text from "./Text.ts"

/**
 * An upload that is under way.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entry {
  readonly key: string
  /** Of the source, in bytes. */
  readonly size: number
  /** By earlier runs, in bytes. */
  readonly resumed: number
  /** In this run, in bytes. */
  readonly sent: number
}

/**
 * What there is to upload in all.
 *
 * @category models
 * @since 0.1.0
 */
export interface Total {
  readonly files: number
  readonly bytes: number
}

/**
 * All uploads of one command.
 *
 * @category models
 * @since 0.1.0
 */
export interface Board {
  /** In milliseconds. */
  readonly startedAt: number
  /** In the order in which they began. */
  readonly active: ReadonlyArray<Entry>
  readonly uploaded: number
  readonly skipped: number
  readonly failed: number
  /** What those sent in this run that have ended, in bytes. */
  readonly bytes: number
  /** The sizes of those that have ended well, in bytes. */
  readonly done: number
  /** Undefined until all has been counted. */
  readonly all: Total | undefined
  /** Why requests are sent again now, if any is. */
  readonly trouble: string | undefined
}

/** More bars than this are no help. */
const mostBars = 8
const barWidth = 20
/** Below the bars: what is more, the trouble, the total, and the line of the prompt. */
const otherRows = 4

/**
 * The lines to draw in a terminal at `now` milliseconds: not more than it has,
 * and none as wide as it is. What moves comes first.
 *
 * @category rendering
 * @since 0.1.0
 */
export const render = (
  board: Board,
  now: number,
  { columns, rows }: Size
): ReadonlyArray<string> => {
  const width = Math.max(0, columns - spare)
  const bars = Math.max(0, Math.min(mostBars, rows - otherRows))
  const shown = [...board.active.filter(moves), ...board.active.filter(waits)].slice(0, bars)
  const more = board.active.length - shown.length
  return [
    ...shown.map((entry) => named(entry, width)),
    ...(more > 0 ? [`… and ${more} more`] : []),
    ...(board.trouble === undefined ? [] : [`retrying: ${Text.printable(board.trouble)}`]),
    Text.fitting(progress(board, now, width), width)
  ].map((line) => Text.clipped(line, width))
}

const moves = ({ sent }: Entry) => sent > 0
const waits = ({ sent }: Entry) => sent === 0

const named = ({ key, size, resumed, sent }: Entry, width: number): string => {
  const text = `${bar(resumed + sent, size, width)}  `
  return `${text}${Text.clipped(Text.printable(key), width - text.length)}`
}

/** Never 100 %: that is said when all is there. Where there is no room, only the figure. */
const bar = (done: number, size: number, width: number): string => {
  const percent = size === 0 ? 0 : Math.min(99, Math.floor((100 * done) / size))
  const figure = `${percent} %`.padStart(4)
  return width < 2 * barWidth ? figure : `${Render.bar(percent / 100, barWidth)} ${figure}`
}

/** How far all is; how much has been sent, until it is known how much there is. */
const progress = (board: Board, now: number, width: number): ReadonlyArray<string> => {
  const { all, active, done, failed } = board
  if (all === undefined) return [total(board, now)]
  const there = active.reduce((sum, { resumed, sent }) => sum + resumed + sent, done)
  const ended = board.uploaded + board.skipped + failed
  const rate = rateOf(board, now)
  const left = Math.max(0, all.bytes - there)
  return [
    `${bar(there, all.bytes, width)}  ${ended} of ${all.files} files`,
    `${Text.bytes(Math.min(there, all.bytes))} of ${Text.bytes(all.bytes)}`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(rate > 0 && left > 0 ? [`${Text.wholeDuration((1_000 * left) / rate)} left`] : []),
    ...(rate > 0 ? [`${Text.bytes(rate)}/s`] : [])
  ]
}

const sentOf = ({ active, bytes }: Board) => active.reduce((sum, { sent }) => sum + sent, bytes)

/** In bytes a second, since the command began. */
const rateOf = (board: Board, now: number): number =>
  (1_000 * sentOf(board)) / Math.max(1, now - board.startedAt)

/**
 * The same, when none is under way any more.
 *
 * @category combinators
 * @since 0.1.0
 */
export const stopped = (board: Board): Board => ({ ...board, bytes: sentOf(board), active: [] })

/**
 * One line about all uploads.
 *
 * @category rendering
 * @since 0.1.0
 */
export const total = (board: Board, now: number): string =>
  [
    `${board.uploaded} uploaded`,
    ...(board.skipped > 0 ? [`${board.skipped} identical`] : []),
    ...(board.failed > 0 ? [`${board.failed} failed`] : []),
    ...(board.active.length > 0 ? [`${board.active.length} under way`] : []),
    `${Text.bytes(sentOf(board))} sent (${Text.bytes(rateOf(board, now))}/s)`
  ].join(", ")
