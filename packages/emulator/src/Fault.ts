/**
 * Failures on request, for tests. Make a fault with a function of this module
 * and give it to `OssEmulator.inject`. A fault names the requests that it
 * strikes, how many of them pass first, and how many it strikes. The emulator
 * forgets a fault that has struck often enough.
 *
 * If several faults match a request, the first one strikes and the others wait
 * for the next request. `delay` and `skew` come on top of another fault.
 *
 * @since 0.1.0
 */
import type * as OssError from "@effect-oss/core/OssError"
import { type Action, type Rule, rule } from "./internal/script.ts"

/**
 * The requests that the emulator tells apart: those of `OssClient`, and those
 * that other clients send. `other` is a request that it does not implement.
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
 * The requests that a fault strikes, and how many of them. A request has to
 * match every field that you set.
 *
 * @category models
 * @since 0.1.0
 */
export interface Scope {
  /** Default: any operation. */
  readonly operation?: Operation | undefined
  /** The object's key. Default: any key. */
  readonly key?: string | undefined
  /** From 1 to 10,000. Default: any part. */
  readonly partNumber?: number | undefined
  /** Default: any upload. */
  readonly uploadId?: string | undefined
  /** How many matching requests pass unharmed first. Default: 0. */
  readonly skip?: number | undefined
  /** How many matching requests the fault strikes after those; `Infinity` for all. Default: 1. */
  readonly times?: number | undefined
}

/**
 * A fault, for `OssEmulator.inject`. Only the functions of this module make
 * one, and only the emulator reads it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fault {
  readonly [rule]: Rule
}

/**
 * The emulator answers with an error, as OSS writes it in XML.
 *
 * **Example** (OSS is overloaded for three requests)
 *
 * ```ts
 * import { Fault, OssEmulator } from "@effect-oss/emulator"
 *
 * const busy = Fault.answer({
 *   operation: "uploadPart",
 *   status: 503,
 *   code: "ServiceUnavailable",
 *   headers: { "retry-after": "2" },
 *   times: 3
 * })
 * const program = OssEmulator.OssEmulator.use(({ inject }) => inject(busy))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const answer = (
  options: Scope & {
    /** The HTTP status. */
    readonly status: number
    /** OSS's error code, such as `ServiceUnavailable`. Default: the answer has no body. */
    readonly code?: string | undefined
    /** Headers that the answer also has. */
    readonly headers?: Readonly<Record<string, string>> | undefined
    /** `before`: the request is not carried out. `after`: it is, and then the error is sent. Default: `before`. */
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
 * The emulator answers with your text, word for word: XML that is cut off,
 * nothing at all, the HTML page of a proxy.
 *
 * **Example** (a proxy answers once in OSS's place)
 *
 * ```ts
 * import { Fault } from "@effect-oss/emulator"
 *
 * const proxy = Fault.raw({ body: "<html>Please log in</html>", at: "before" })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const raw = (
  options: Scope & {
    /** The body. */
    readonly body: string
    /** The HTTP status. Default: 200. */
    readonly status?: number | undefined
    /** Headers that the answer also has. */
    readonly headers?: Readonly<Record<string, string>> | undefined
    /** `before`: the request is not carried out. `after`: it is, and then the text is sent. Default: `after`. */
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
 * The emulator stores the object and then answers that the callback failed:
 * status 203, code `CallbackFailed`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const callbackFailed = (scope: Scope = {}): Fault =>
  answer({ ...scope, status: 203, code: "CallbackFailed", at: "after" })

/**
 * The connection breaks without an answer.
 *
 * **Example** (the connection of part 2 breaks after 64 KiB)
 *
 * ```ts
 * import { Fault } from "@effect-oss/emulator"
 *
 * const reset = Fault.drop({ operation: "uploadPart", partNumber: 2, at: { bytes: 65_536 } })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const drop = (
  options: Scope & {
    /** The moment: `before` the body is read, after this many `bytes` of it (or at the end of a shorter body), or `after` the request is carried out. */
    readonly at: "before" | "after" | { readonly bytes: number }
  }
): Fault => make(options, { _tag: "Drop", at: options.at })

/**
 * The emulator stops reading and never answers. The connection stays open.
 *
 * @category constructors
 * @since 0.1.0
 */
export const stall = (
  options: Scope & {
    /** The moment: `before` the body is read, after this many `bytes` of it (or at the end of a shorter body), or `after` the request is carried out. */
    readonly at: "before" | "after" | { readonly bytes: number }
  }
): Fault => make(options, { _tag: "Stall", at: options.at })

/**
 * The emulator waits. It does so on top of another fault of the same request.
 *
 * @category constructors
 * @since 0.1.0
 */
export const delay = (
  options: Scope & {
    /** How long, in milliseconds of Effect's `Clock`. */
    readonly millis: number
    /** The moment: `before` the body is read, after this many `bytes` of it (or at the end of a shorter body), or `after` the request is carried out. Default: `before`. */
    readonly at?: "before" | "after" | { readonly bytes: number } | undefined
  }
): Fault => make(options, { _tag: "Delay", at: options.at ?? "before", millis: options.millis })

/**
 * The server's clock is wrong. It is so on top of another fault of the same
 * request.
 *
 * **Details**
 *
 * OSS refuses a request that is more than 15 minutes off. Over HTTP the client
 * learns the offset from the answer's `Date` and signs again. The client
 * without I/O signs nothing and never learns it, so it fails for each struck
 * request.
 *
 * @category constructors
 * @since 0.1.0
 */
export const skew = (
  options: Scope & {
    /** How far the server is ahead, in milliseconds; negative if it is behind. */
    readonly millis: number
  }
): Fault => make(options, { _tag: "Skew", millis: options.millis })

/**
 * The emulator carries out the request, but its answer has a wrong CRC64.
 *
 * @category constructors
 * @since 0.1.0
 */
export const wrongCrc = (scope: Scope = {}): Fault => make(scope, { _tag: "WrongCrc" })

/**
 * The answer has no CRC64, as on endpoints that compute none.
 *
 * @category constructors
 * @since 0.1.0
 */
export const noCrc = (scope: Scope = {}): Fault => make(scope, { _tag: "NoCrc" })

/**
 * The emulator receives and stores other bytes than the client sent: the first
 * byte of the body is inverted.
 *
 * @category constructors
 * @since 0.1.0
 */
export const damage = (scope: Scope = {}): Fault => make(scope, { _tag: "Damage" })

const make = (scope: Scope, action: Action): Fault => {
  const { operation, key, partNumber, uploadId, skip = 0, times = 1 } = scope
  return { [rule]: { matcher: { operation, key, partNumber, uploadId }, skip, times, action } }
}
