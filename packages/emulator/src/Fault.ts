/**
 * Failures on demand. A fault says which requests it strikes, how many of them
 * it lets pass first, how many it strikes, and what happens to them. A script
 * of faults is plain data; carrying it out is the emulator's business.
 *
 * @since 0.1.0
 */
import type * as OssError from "@effect-oss/core/OssError"

/**
 * The requests that the emulator tells apart: those of `OssClient`, and what
 * else other clients send. `other` is what it does not implement.
 *
 * @category models
 * @since 0.1.0
 */
export type Operation =
  | OssError.Operation
  | "append"
  | "copy"
  | "delete"
  | "deleteBucket"
  | "deleteBucketCors"
  | "deleteBucketTags"
  | "deleteObjectTagging"
  | "deleteObjects"
  | "get"
  | "getBucketAcl"
  | "getBucketCors"
  | "getBucketInfo"
  | "getBucketLocation"
  | "getBucketRequestPayment"
  | "getBucketStat"
  | "getBucketTags"
  | "getBucketVersioning"
  | "getObjectAcl"
  | "getObjectTagging"
  | "getSymlink"
  | "headBucket"
  | "listBuckets"
  | "listObjects"
  | "listObjectVersions"
  | "other"
  | "postObject"
  | "preflight"
  | "putBucket"
  | "putBucketAcl"
  | "putBucketCors"
  | "putBucketRequestPayment"
  | "putBucketTags"
  | "putBucketVersioning"
  | "putObjectAcl"
  | "putObjectTagging"
  | "putSymlink"
  | "uploadPartCopy"

/**
 * Which requests a fault strikes. What is left out does not matter.
 *
 * @category models
 * @since 0.1.0
 */
export interface Matcher {
  /** What the request does, such as `uploadPart`. */
  readonly operation?: Operation | undefined
  /** The object's key. */
  readonly key?: string | undefined
  /** The part's number; the first is 1. */
  readonly partNumber?: number | undefined
  /** The id of the upload in parts. */
  readonly uploadId?: string | undefined
}

/**
 * Which requests a fault strikes, and how many.
 *
 * @category models
 * @since 0.1.0
 */
export interface Scope extends Matcher {
  /** How many matching requests pass unharmed first. Default: 0. */
  readonly skip?: number | undefined
  /** How many requests are struck after that; `Infinity` for all. Default: 1. */
  readonly times?: number | undefined
}

/**
 * When something happens: before the body is read; once so many of its bytes
 * have been read (in whole pieces; at its end if it is shorter), with nothing
 * committed yet; or after the request has been carried out.
 *
 * @category models
 * @since 0.1.0
 */
export type Moment = "before" | "after" | { readonly bytes: number }

/**
 * What happens to a request.
 *
 * @category models
 * @since 0.1.0
 */
export type Action =
  | Answer
  | { readonly _tag: "Drop"; readonly at: Moment }
  | { readonly _tag: "Stall"; readonly at: Moment }
  | { readonly _tag: "Delay"; readonly at: Moment; readonly millis: number }
  | { readonly _tag: "Skew"; readonly millis: number }
  | { readonly _tag: "WrongCrc" }
  | { readonly _tag: "NoCrc" }
  | { readonly _tag: "Damage" }

/**
 * An answer in place of the true one.
 *
 * @category models
 * @since 0.1.0
 */
export interface Answer {
  readonly _tag: "Answer"
  readonly at: "before" | "after"
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** OSS's XML error with this code, no body, or bytes of one's own. */
  readonly body:
    | { readonly _tag: "Error"; readonly code: string }
    | { readonly _tag: "Raw"; readonly text: string }
}

/**
 * A scripted failure.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fault {
  readonly matcher: Matcher
  readonly skip: number
  readonly times: number
  readonly action: Action
}

/**
 * Faults in the order in which they were given.
 *
 * @category models
 * @since 0.1.0
 */
export type Script = ReadonlyArray<Fault>

/**
 * An error as OSS answers it: before the request is carried out (the default)
 * or after. Without `code` the answer has no body.
 *
 * **Example** (OSS is overloaded for three requests)
 *
 * ```ts
 * import { Fault } from "@effect-oss/emulator"
 *
 * const busy = Fault.answer({
 *   operation: "uploadPart",
 *   status: 503,
 *   code: "ServiceUnavailable",
 *   headers: { "retry-after": "2" },
 *   times: 3
 * })
 * busy.times // => 3
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const answer = (
  options: Scope & {
    readonly status: number
    readonly code?: string | undefined
    readonly headers?: Readonly<Record<string, string>> | undefined
    readonly at?: "before" | "after" | undefined
  }
): Fault =>
  make(options, {
    _tag: "Answer",
    at: options.at ?? "before",
    status: options.status,
    headers: options.headers ?? {},
    body:
      options.code === undefined ? { _tag: "Raw", text: "" } : { _tag: "Error", code: options.code }
  })

/**
 * An answer word for word, by default with status 200 and after the request has
 * been carried out: cut-off XML, nothing at all, a proxy's HTML page.
 *
 * @category constructors
 * @since 0.1.0
 */
export const raw = (
  options: Scope & {
    readonly body: string
    readonly status?: number | undefined
    readonly headers?: Readonly<Record<string, string>> | undefined
    readonly at?: "before" | "after" | undefined
  }
): Fault =>
  make(options, {
    _tag: "Answer",
    at: options.at ?? "after",
    status: options.status ?? 200,
    headers: options.headers ?? {},
    body: { _tag: "Raw", text: options.body }
  })

/**
 * The object is stored, but OSS's callback was answered badly: status 203.
 *
 * @category constructors
 * @since 0.1.0
 */
export const callbackFailed = (scope: Scope = {}): Fault =>
  answer({ ...scope, status: 203, code: "CallbackFailed", at: "after" })

/**
 * The connection breaks, and there is no answer.
 *
 * @category constructors
 * @since 0.1.0
 */
export const drop = (options: Scope & { readonly at: Moment }): Fault =>
  make(options, { _tag: "Drop", at: options.at })

/**
 * Nothing moves any more, and nothing is ever answered.
 *
 * @category constructors
 * @since 0.1.0
 */
export const stall = (options: Scope & { readonly at: Moment }): Fault =>
  make(options, { _tag: "Stall", at: options.at })

/**
 * A pause of so many milliseconds, by default before the body is read. Comes
 * on top of another fault of the same request.
 *
 * @category constructors
 * @since 0.1.0
 */
export const delay = (
  options: Scope & { readonly millis: number; readonly at?: Moment | undefined }
): Fault => make(options, { _tag: "Delay", at: options.at ?? "before", millis: options.millis })

/**
 * The server's clock is so many milliseconds ahead, or behind if negative.
 * Comes on top of another fault of the same request. A client that signs
 * learns the offset from the answer; the client without I/O never learns, so
 * that each struck request more than 15 minutes off is refused.
 *
 * @category constructors
 * @since 0.1.0
 */
export const skew = (options: Scope & { readonly millis: number }): Fault =>
  make(options, { _tag: "Skew", millis: options.millis })

/**
 * The request is carried out, but the answer's CRC64 is wrong.
 *
 * @category constructors
 * @since 0.1.0
 */
export const wrongCrc = (scope: Scope = {}): Fault => make(scope, { _tag: "WrongCrc" })

/**
 * The answer carries no CRC64, as on endpoints that don't compute one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const noCrc = (scope: Scope = {}): Fault => make(scope, { _tag: "NoCrc" })

/**
 * Other bytes than those that were sent are received and committed: the first
 * byte of the body is inverted.
 *
 * @category constructors
 * @since 0.1.0
 */
export const damage = (scope: Scope = {}): Fault => make(scope, { _tag: "Damage" })

const make = (scope: Scope, action: Action): Fault => {
  const { operation, key, partNumber, uploadId, skip = 0, times = 1 } = scope
  return { matcher: { operation, key, partNumber, uploadId }, skip, times, action }
}

/**
 * What happens to a request, and the script for those after it. Of the faults
 * that are due, the first strikes; delays and skews that are due come on top.
 * A fault that has struck often enough leaves the script.
 *
 * @category running
 * @since 0.1.0
 */
export const next = (
  script: Script,
  request: Matcher
): readonly [actions: ReadonlyArray<Action>, script: Script] => {
  const actions: Array<Action> = []
  const rest: Array<Fault> = []
  let struck = false
  for (const fault of script) {
    if (!matches(fault.matcher, request)) rest.push(fault)
    else if (fault.skip > 0) rest.push({ ...fault, skip: fault.skip - 1 })
    else if (struck && !isAddition(fault.action)) rest.push(fault)
    else if (fault.times > 0) {
      struck ||= !isAddition(fault.action)
      actions.push(fault.action)
      if (fault.times > 1) rest.push({ ...fault, times: fault.times - 1 })
    }
  }
  return [actions, rest]
}

const isAddition = (action: Action) => action._tag === "Delay" || action._tag === "Skew"

const matches = (matcher: Matcher, request: Matcher): boolean =>
  (matcher.operation === undefined || matcher.operation === request.operation) &&
  (matcher.key === undefined || matcher.key === request.key) &&
  (matcher.partNumber === undefined || matcher.partNumber === request.partNumber) &&
  (matcher.uploadId === undefined || matcher.uploadId === request.uploadId)
