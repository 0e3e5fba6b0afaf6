/**
 * Draws many uploads: a bar for each upload in progress and one for all. Pure
 * functions. `Display.showMany` shows a whole run.
 */
import type * as UploadMany from "@effect-oss/core/UploadMany"
import { spare } from "./frames.ts"
import type { Looks } from "./line.ts"
import { bar } from "./line.ts"
import * as Render from "../Render.ts"
import type { Size } from "./size.ts"
import * as Text from "../Text.ts"
import { clipped, fitting } from "./fit.ts"

/**
 * An upload in progress.
 */
export interface Entry {
  readonly key: string
  /** The size of the source in bytes; null if it is unknown. */
  readonly size: number | null
  /** The bytes that OSS has acknowledged. */
  readonly durable: number
  /** `durable` and the bytes in flight. */
  readonly sent: number
}

/**
 * All uploads of one run.
 */
export interface Board {
  /** In the order in which they began. The key is the request, or another value that identifies it. */
  readonly active: ReadonlyMap<unknown, Entry>
  readonly totals: Omit<UploadMany.Totals, "_tag">
  /** The request that failed last and is being retried, and the reason. */
  readonly trouble: { readonly request: { readonly key: string }; readonly why: string } | undefined
}

/**
 * The board before the first event.
 */
export const empty: Board = {
  active: new Map(),
  totals: {
    completed: 0,
    skipped: 0,
    failed: 0,
    underWay: 0,
    total: 0,
    durable: 0,
    sent: 0,
    rate: 0
  },
  trouble: undefined
}

type Request = { readonly key: string }

/**
 * The board after an event.
 */
export const next = (board: Board, event: UploadMany.Event<Request, unknown>): Board => {
  if (event._tag === "Totals") return { ...board, totals: event }
  const { request } = event
  const active = new Map(board.active)
  const trouble = board.trouble?.request === request ? undefined : board.trouble
  const known = active.get(request)
  const begun = { key: request.key, size: null, durable: 0, sent: 0 }
  switch (event._tag) {
    case "Started":
      active.set(request, { ...begun, size: event.size })
      return { ...board, active }
    case "Resumed":
      active.set(request, { ...(known ?? begun), durable: event.bytes, sent: event.bytes })
      return { ...board, active }
    case "Restarted":
      active.set(request, { ...begun, size: known?.size ?? null })
      return { ...board, active }
    case "Progress": {
      const { durable, sent, total } = event
      active.set(request, { key: request.key, size: total, durable, sent })
      const moved = known === undefined || sent > known.sent
      return { ...board, active, trouble: moved ? trouble : board.trouble }
    }
    case "Waiting":
    case "Retrying":
      return { ...board, trouble: { request, why: Render.event(event) } }
    case "PartUploaded": {
      const entry = known ?? begun
      const { durable } = event
      active.set(request, { ...entry, durable, sent: Math.max(entry.sent, durable) })
      return { ...board, active, trouble }
    }
    case "Completing":
      return { ...board, trouble }
    case "Completed":
    case "Skipped":
    case "Failed":
      active.delete(request)
      return { ...board, active, trouble }
  }
}

/** More bars would not help. */
const mostBars = 8
const barWidth = 20
/** The rows below the bars: the number of further uploads, the trouble, the total, and the line of the prompt. */
const otherRows = 4

/**
 * The lines to draw on a terminal. They fit its rows and are narrower than its
 * columns. Uploads that move come first. With `all`, the last line shows the
 * overall progress.
 */
export const render = (
  board: Board,
  { columns, rows }: Size,
  looks: Looks = {},
  all?: Total | undefined
): ReadonlyArray<string> => {
  const width = Math.max(0, columns - spare)
  const bars = Math.max(0, Math.min(mostBars, rows - otherRows))
  const active = Array.from(board.active.values())
  const shown = [...active.filter(moves), ...active.filter(waits)].slice(0, bars)
  const more = active.length - shown.length
  const plain = [
    ...(more > 0 ? [`… and ${more} more`] : []),
    ...(board.trouble === undefined
      ? []
      : [Text.printable(`${board.trouble.request.key}: ${board.trouble.why}`)])
  ].map((line) => clipped(line, width))
  return [
    ...shown.map((entry) => named(entry, width, looks)),
    ...plain,
    overall(board, width, looks, all)
  ]
}

/**
 * The amount to upload.
 */
export interface Total {
  readonly files: number
  readonly bytes: number
}

const moves = ({ sent }: Entry) => sent > 0
const waits = ({ sent }: Entry) => sent === 0

const named = ({ key, size, durable, sent }: Entry, width: number, looks: Looks): string => {
  const figure = figureOf(durable, size)
  const drawn = widthOf(figure, width)
  const name = clipped(Text.printable(key), width - drawn - 2)
  return `${withBar(figure, durable, sent, size, width, looks)}  ${name}`
}

/** Never 100 %: only the completed object counts as 100 %. */
const figureOf = (durable: number, size: number | null): string =>
  size === null
    ? Text.bytes(durable)
    : `${size === 0 ? 0 : Math.min(99, Math.floor((100 * durable) / size))} %`.padStart(4)

/** If there is no room for a bar, only the figure is shown. */
const hasBar = (width: number) => width >= 2 * barWidth
const widthOf = (figure: string, width: number) =>
  (hasBar(width) ? barWidth + 3 : 0) + figure.length

const withBar = (
  figure: string,
  durable: number,
  sent: number,
  size: number | null,
  width: number,
  looks: Looks
): string => {
  if (!hasBar(width)) return figure
  const share = (bytes: number) => (size === null ? 0 : Math.min(0.99, bytes / Math.max(1, size)))
  // A bar of block characters has no brackets, and is as wide as a bar with them.
  const columns = looks.unicode === true ? barWidth + 2 : barWidth
  return `${bar(share(durable), columns, { ...looks, underWay: share(sent) })} ${figure}`
}

/** The overall progress, or only the amount sent until the total is known. */
const overall = (
  { totals, active }: Board,
  width: number,
  looks: Looks,
  all: Total | undefined
): string => {
  if (all === undefined) return fitting([Render.totals(totals)], width)
  const { durable, failed, rate } = totals
  const underWay = Array.from(active.values()).reduce(
    (sum, { durable, sent }) => sum + sent - durable,
    0
  )
  const ended = totals.completed + totals.skipped + failed
  const left = Math.max(0, all.bytes - durable)
  const figure = figureOf(durable, all.bytes)
  const facts = fitting(
    [
      `${ended} of ${all.files} files`,
      `${Text.bytes(Math.min(durable, all.bytes))} of ${Text.bytes(all.bytes)}`,
      ...(failed > 0 ? [`${failed} failed`] : []),
      ...(rate > 0 && left > 0 ? [`${Text.wholeDuration((1_000 * left) / rate)} left`] : []),
      ...(rate > 0 ? [`${Text.bytes(rate)}/s`] : [])
    ],
    Math.max(0, width - widthOf(figure, width) - 2)
  )
  return `${withBar(figure, durable, durable + underWay, all.bytes, width, looks)}  ${facts}`
}
