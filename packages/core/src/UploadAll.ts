/**
 * What becomes of many uploads: for each request one outcome, in the order in
 * which they end. `Upload.uploadAll` runs them.
 *
 * @since 0.1.0
 */
import type { UploadResult } from "./UploadEvent.ts"

/**
 * The object is there: sent, or resumed, in this run.
 *
 * @category models
 * @since 0.1.0
 */
export interface Uploaded<out Request> {
  readonly _tag: "Uploaded"
  readonly request: Request
  readonly result: UploadResult
}

/**
 * The object was there already, identical.
 *
 * @category models
 * @since 0.1.0
 */
export interface Skipped<out Request> {
  readonly _tag: "Skipped"
  readonly request: Request
  readonly result: UploadResult
}

/**
 * The upload failed. Asked for again, it resumes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failed<out Request, out E> {
  readonly _tag: "Failed"
  readonly request: Request
  readonly error: E
}

/**
 * What became of one request.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome<Request, E> = Uploaded<Request> | Skipped<Request> | Failed<Request, E>

/**
 * How many uploads run together.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** How many uploads are under way at once, at least 1: open sources, and checkpoints that are held. Default: 20. */
  readonly concurrency?: number | undefined
  /** How many parts of all of them are on their way at once, at least 1. Default: 10. */
  readonly parts?: number | undefined
  /** True: what is stored already, with the same size and CRC64, is not sent again; sources are read for it. Each request may say otherwise. Default: false. */
  readonly skipIdentical?: boolean | undefined
}

/**
 * The outcome of an upload that succeeded.
 *
 * @category constructors
 * @since 0.1.0
 */
export const succeeded = <Request>(
  request: Request,
  result: UploadResult
): Uploaded<Request> | Skipped<Request> => ({
  _tag: result.skipped === true ? "Skipped" : "Uploaded",
  request,
  result
})

/**
 * The outcome of an upload that failed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const failed = <Request, E>(request: Request, error: E): Failed<Request, E> => ({
  _tag: "Failed",
  request,
  error
})
