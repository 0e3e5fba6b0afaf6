/**
 * Renders uploads as single lines: pure functions for displays of your own.
 * `Display` shows a whole upload.
 *
 * @since 0.1.0
 */
import type * as OssError from "@effect-oss/core/OssError"
import type * as UploadMany from "@effect-oss/core/UploadMany"
import type { Progress, UploadEvent, UploadResult } from "@effect-oss/core/UploadEvent"
import type { LineOptions, Looks } from "./internal/line.ts"
import * as Line from "./internal/line.ts"
import { bytes, duration, printable } from "./Text.ts"

/**
 * Renders a bar of `columns` characters and its brackets. `share`, from 0 to 1,
 * is done.
 *
 * **Example** (half is done, and more is under way)
 *
 * ```ts
 * import { Render } from "@effect-oss/terminal"
 *
 * Render.bar(0.5, 8) // => "[####----]"
 * Render.bar(0.5, 8, { underWay: 0.75 }) // => "[####==--]"
 * Render.bar(0.55, 8, { unicode: true }) // => "████▍░░░"
 * ```
 *
 * @category lines
 * @since 0.1.0
 */
export const bar: (
  share: number,
  columns: number,
  looks?: Looks & {
    /** The share that is done or in progress, from 0 to 1. Default: nothing is in progress. */
    readonly underWay?: number | undefined
  }
) => string = Line.bar

/**
 * Renders the progress of an upload: a bar, percent, bytes, the time left and
 * the rate. Percent and bytes count only bytes that OSS has acknowledged and
 * that a later run would not send again; the bar also shows bytes in flight. If
 * the line is too narrow, the least important facts are left out first. The
 * line never shows 100 %: only `Completed` means that the object exists.
 *
 * **Example** (in a narrow and in a wide window)
 *
 * ```ts
 * import { Render } from "@effect-oss/terminal"
 *
 * const progress = { durable: 5e8, sent: 6e8, total: 1e9, rate: 1e8, eta: 4_000 }
 * Render.progress(progress, { columns: 40 }) // => "50 %  476.8 MiB of 953.7 MiB  4 s left"
 * Render.progress(progress, { columns: 64 })
 * // => "[#####=----]  50 %  476.8 MiB of 953.7 MiB  4 s left  95.4 MiB/s"
 * ```
 *
 * @category lines
 * @since 0.1.0
 */
export const progress = (progress: Progress, options: LineOptions = {}): string =>
  Line.drawn({ ...progress, completing: false }, options)

/**
 * Renders an event as one line without control characters.
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
      const why = event.reason.message
      return printable(`${request(event.operation, event.partNumber)} failed, ${wait}: ${why}`)
    }
    case "Waiting":
      return printable(
        `waiting for ${absent[event.reason._tag] ?? "the network"}, ${duration(event.elapsed)}: ${event.reason.message}`
      )
    case "Progress":
      return Line.plain({ ...event, completing: false }, Line.percent(event))
    case "Completing":
      return "completing"
    case "Completed":
      return result(event.result)
  }
}

const count = (parts: number) => (parts === 1 ? "1 part" : `${parts} parts`)

type RestartReason = Extract<UploadEvent, { readonly _tag: "Restarted" }>["reason"]

const whyRestarted: Readonly<Record<RestartReason, string>> = {
  SourceChanged: "the source is not what it was",
  OptionsChanged: "other options are asked for",
  PartSizeChanged: "another part size is asked for",
  UploadGone: "OSS no longer knows the upload",
  PartsLost: "OSS does not have the parts any more",
  CheckpointDamaged: "the checkpoint could not be read"
}

/** The name of the service to wait for, if a response shows it. */
const absent: Readonly<Record<string, string>> = { Throttled: "OSS", ServerError: "OSS" }

const request = (operation: OssError.Operation, part: number | undefined): string =>
  part === undefined ? operation : `part ${part}`

/**
 * Renders the result of an upload. With `elapsed`, in milliseconds, the line
 * has the rate of the bytes that had to be sent.
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
 * Renders the totals of many uploads. With `elapsed`, in milliseconds, the line
 * has the rate of the whole run, otherwise the rate of the last seconds.
 *
 * **Example** (the end of a run)
 *
 * ```ts
 * import { Render } from "@effect-oss/terminal"
 *
 * const counts = { completed: 3, skipped: 1, failed: 0, underWay: 0 }
 * const totals = { ...counts, total: 4e6, durable: 4e6, sent: 3e6, rate: 0 }
 * Render.totals(totals, 2_000) // => "3 uploaded, 1 identical, 2.9 MiB sent (1.4 MiB/s)"
 * ```
 *
 * @category lines
 * @since 0.1.0
 */
export const totals = (totals: Omit<UploadMany.Totals, "_tag">, elapsed?: number): string => {
  const { completed, skipped, failed, underWay, sent } = totals
  const rate = elapsed === undefined ? totals.rate : (1_000 * sent) / Math.max(1, elapsed)
  return [
    `${completed} uploaded`,
    ...(skipped > 0 ? [`${skipped} identical`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(underWay > 0 ? [`${underWay} under way`] : []),
    `${bytes(sent)} sent (${bytes(rate)}/s)`
  ].join(", ")
}
