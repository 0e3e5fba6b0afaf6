/** What lines about progress are made of. */
import type { Progress } from "@effect-oss/core/UploadEvent"
import { bytes, wholeDuration } from "../Text.ts"
import { fitting } from "./fit.ts"

/**
 * How bars are drawn.
 */
export interface Looks {
  /** True: block characters, down to an eighth of a column. Default: ASCII. */
  readonly unicode?: boolean | undefined
  /** True: what is done is green. Default: no control codes. */
  readonly color?: boolean | undefined
}

/**
 * How wide a line may be, and how its bar is drawn.
 */
export interface LineOptions extends Looks {
  /** The widest that the line may be, in characters. Default: 79, for a terminal of 80: a full line would wrap. */
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

/** Whole percents, and never 100; undefined while the total isn't known. */
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

/** The widest bar, and the narrowest that says anything, in characters. */
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
