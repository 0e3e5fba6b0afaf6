/** The pieces of a progress line. */
import type { Progress } from "@effect-oss/core/UploadEvent"
import { bytes, wholeDuration } from "../Text.ts"
import { fitting } from "./fit.ts"

/**
 * The look of a bar.
 */
export interface Looks {
  /** True: draw with block characters, down to an eighth of a column. Default: ASCII. */
  readonly unicode?: boolean | undefined
  /** True: draw the done part in green. Default: no control codes. */
  readonly color?: boolean | undefined
}

/**
 * The width of a line and the look of its bar.
 */
export interface LineOptions extends Looks {
  /** The maximum width of the line, in characters. Default: 79, because a full line would wrap on a terminal of 80. */
  readonly columns?: number | undefined
}

const ascii = { open: "[", full: "#", parts: [""], underWay: "=", empty: "-", close: "]" }
const blocks = {
  open: "",
  full: "█",
  parts: ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"],
  underWay: "▒",
  empty: "░",
  close: ""
}

export const bar = (
  share: number,
  columns: number,
  looks: Looks & {
    readonly underWay?: number | undefined
  } = {}
): string => {
  const { open, full, parts, underWay, empty, close } = looks.unicode === true ? blocks : ascii
  const steps = (share: number, each: number) =>
    Math.round(Math.min(1, Math.max(0, share)) * columns * each)
  const eighths = steps(share, parts.length)
  const done = full.repeat(Math.floor(eighths / parts.length)) + parts[eighths % parts.length]
  const colored = looks.color === true ? `\u001B[32m${done}\u001B[39m` : done
  const moving = Math.max(0, steps(looks.underWay ?? 0, 1) - done.length)
  const rest = columns - done.length - moving
  return `${open}${colored}${underWay.repeat(moving)}${empty.repeat(rest)}${close}`
}

export type Shown = Progress & { readonly completing: boolean }

/** Whole percent, never 100; undefined while the total is unknown. */
export const percent = ({
  durable,
  total
}: Pick<Progress, "durable" | "total">): number | undefined => {
  if (total === null) return undefined
  return total === 0 ? 0 : Math.min(99, Math.floor((100 * durable) / total))
}

const amount = ({ durable, total }: Progress) =>
  total === null ? bytes(durable) : `${bytes(durable)} of ${bytes(total)}`
const speed = ({ rate }: Progress) => (rate > 0 ? [`${bytes(rate)}/s`] : [])
const left = ({ eta, completing }: Shown) => {
  if (completing) return ["completing"]
  return eta === null || eta === 0 ? [] : [`${wholeDuration(eta)} left`]
}

/** A line without a bar. */
export const plain = (shown: Shown, percents: number | undefined): string => {
  const facts = [amount(shown), ...speed(shown), ...left(shown)].join(", ")
  return shown.total === null ? facts : `${percents} %: ${facts}`
}

/** The width of the widest and of the narrowest useful bar, in characters. */
const widest = 40
const narrowest = 8

/** A line with a bar, if there is room for one. */
export const drawn = (shown: Shown, { columns = 79, ...looks }: LineOptions): string => {
  const room = Math.max(0, columns)
  const done = percent(shown)
  const percents = done === undefined ? [] : [`${done} %`]
  const text = fitting([...percents, amount(shown), ...left(shown), ...speed(shown)], room)
  const width = Math.min(widest, room - text.length - 4)
  if (done === undefined || width < narrowest) return text
  const underWay = shown.total === null ? 0 : Math.min(0.99, shown.sent / Math.max(1, shown.total))
  return `${bar(done / 100, width, { ...looks, underWay })}  ${text}`
}
