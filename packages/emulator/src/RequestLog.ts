/**
 * What the emulator notes of each request.
 *
 * @since 0.1.0
 */
import type { Operation } from "./Fault.ts"

/**
 * How a request ended. `Stalled` and `Dropped` are the work of faults;
 * `Aborted` means that the client went away, or could not read its own body.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome =
  | { readonly _tag: "Open" }
  | { readonly _tag: "Answered"; readonly status: number }
  | { readonly _tag: "Dropped" }
  | { readonly _tag: "Stalled" }
  | { readonly _tag: "Aborted" }

/**
 * One request.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entry {
  /** When it arrived, in milliseconds since 1970. */
  readonly time: number
  /** When it ended; absent while it is under way. */
  readonly ended?: number | undefined
  /** What the request does, such as `uploadPart`. */
  readonly operation: Operation
  /** The bucket, if the request names one. */
  readonly bucket?: string | undefined
  /** The object's key, if the request names one. */
  readonly key?: string | undefined
  /** The part's number, if the request names one. */
  readonly partNumber?: number | undefined
  /** The id of the upload in parts, if the request names one. */
  readonly uploadId?: string | undefined
  /** The answer's `x-oss-request-id`. */
  readonly requestId: string
  /** Requests under way when it arrived, itself included. */
  readonly inFlight: number
  /** How many bytes of its body were received. */
  readonly bytes: number
  /** The body was received to its end. */
  readonly whole: boolean
  readonly outcome: Outcome
  /** OSS's error code, if the answer was one. */
  readonly code?: string | undefined
}

/**
 * One readable line for a request that has ended: when, how, what, how much and
 * how long.
 *
 * **Example** (a part that was stored)
 *
 * ```ts
 * import { RequestLog } from "@effect-oss/emulator"
 *
 * const line = RequestLog.render({
 *   time: 0,
 *   ended: 12,
 *   operation: "uploadPart",
 *   bucket: "backups",
 *   key: "db.tar",
 *   partNumber: 3,
 *   requestId: "00000000000000000000001F",
 *   inFlight: 1,
 *   bytes: 102_400,
 *   whole: true,
 *   outcome: { _tag: "Answered", status: 200 }
 * })
 * line // => "1970-01-01T00:00:00.000Z 200 uploadPart backups/db.tar part 3, 102400 bytes, 12 ms, 00000000000000000000001F"
 * ```
 *
 * @category formatting
 * @since 0.1.0
 */
export const render = (entry: Entry): string => {
  const { time, ended = time, operation, bucket, key, partNumber, bytes, requestId } = entry
  const place = [bucket, key].filter((name) => name !== undefined).join("/")
  const subject = [operation, escape(place), partNumber === undefined ? "" : `part ${partNumber}`]
  return [
    [new Date(time).toISOString(), resultOf(entry), ...subject]
      .filter((word) => word !== "")
      .join(" "),
    `${bytes} bytes`,
    `${ended - time} ms`,
    requestId
  ].join(", ")
}

const resultOf = ({ outcome, code }: Entry): string => {
  if (outcome._tag !== "Answered") return outcome._tag.toLowerCase()
  return code === undefined ? String(outcome.status) : `${outcome.status} ${code}`
}

/** A key may hold line breaks; a line of the log may not. */
const escape = (text: string) => text.replace(/\p{Cc}/gu, (char) => encodeURIComponent(char))
