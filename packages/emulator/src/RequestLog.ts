/**
 * The requests that the emulator has received. `OssEmulator.log` yields them,
 * `onRequest` gets each at its end, and `render` makes a line of one.
 *
 * @since 0.1.0
 */
import type { Operation } from "./Fault.ts"

/**
 * One request.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entry {
  /** When it arrived, in milliseconds since 1970. */
  readonly time: number
  /** When it ended, in milliseconds since 1970. Absent while it is in flight. */
  readonly ended?: number | undefined
  readonly operation: Operation
  /** Absent for a request that names no bucket. */
  readonly bucket?: string | undefined
  /** Absent for a request that names no object. */
  readonly key?: string | undefined
  /** From 1 to 10,000. Absent for a request that is about no part. */
  readonly partNumber?: number | undefined
  /** Absent for a request that is about no upload. */
  readonly uploadId?: string | undefined
  /** As the answer's `x-oss-request-id` has it. */
  readonly requestId: string
  /** How many requests were in flight when it arrived, itself included. */
  readonly inFlight: number
  /** How many bytes of its body the server has received. */
  readonly bytes: number
  /** True if the server has received its body to the end. */
  readonly whole: boolean
  /**
   * How it ended. A fault made it `Dropped` or `Stalled`. `Aborted`: the client
   * went away, or could not read its own body. `Open`: it is in flight.
   */
  readonly outcome:
    | { readonly _tag: "Open" }
    | { readonly _tag: "Answered"; readonly status: number }
    | { readonly _tag: "Dropped" }
    | { readonly _tag: "Stalled" }
    | { readonly _tag: "Aborted" }
  /** OSS's error code, if the answer is an error. */
  readonly code?: string | undefined
}

/**
 * Makes one line of a request that has ended: its time, its status, its error
 * code, the operation, the object, the bytes received, how long it took, and
 * its request id.
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

/** A key may contain line breaks; a line of the log may not. */
const escape = (text: string) => text.replace(/\p{Cc}/gu, (char) => encodeURIComponent(char))
