/**
 * Many uploads at once, as people see them: a bar for each that is under way,
 * and a line for all. Pure.
 *
 * @since 0.1.0
 */
import * as Render from "@effect-oss/core/Render"

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
  /** In this run, in bytes. */
  readonly sent: number
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
  /** Of those that have ended, in bytes. */
  readonly bytes: number
}

/** More bars than this are no help. */
const mostBars = 8
const barWidth = 20

/**
 * The lines to draw in a terminal of `columns` characters at `now`
 * milliseconds; none is as wide as the terminal.
 *
 * @category rendering
 * @since 0.1.0
 */
export const render = (board: Board, now: number, columns: number): ReadonlyArray<string> => {
  const shown = board.active.slice(0, mostBars)
  const more = board.active.length - shown.length
  return [...shown.map(bar), ...(more > 0 ? [`… and ${more} more`] : []), total(board, now)].map(
    (line) => line.slice(0, Math.max(0, columns - 1))
  )
}

const bar = ({ key, size, sent }: Entry): string => {
  const percent = size === 0 ? 0 : Math.min(99, Math.floor((100 * sent) / size))
  const text = `${percent} %`.padStart(4)
  return Render.printable(`${Render.bar(percent / 100, barWidth)} ${text}  ${key}`)
}

/**
 * One line about all uploads.
 *
 * @category rendering
 * @since 0.1.0
 */
export const total = (board: Board, now: number): string => {
  const bytes = board.active.reduce((sum, { sent }) => sum + sent, board.bytes)
  const seconds = Math.max(1, now - board.startedAt) / 1_000
  return [
    `${board.uploaded} uploaded`,
    ...(board.skipped > 0 ? [`${board.skipped} identical`] : []),
    ...(board.failed > 0 ? [`${board.failed} failed`] : []),
    ...(board.active.length > 0 ? [`${board.active.length} under way`] : []),
    `${Render.bytes(bytes)} sent (${Render.bytes(bytes / seconds)}/s)`
  ].join(", ")
}
