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
  readonly operation: Operation
  readonly bucket?: string | undefined
  readonly key?: string | undefined
  readonly partNumber?: number | undefined
  readonly uploadId?: string | undefined
  readonly requestId: string
  /** Requests under way when it arrived, itself included. */
  readonly inFlight: number
  /** Of its body that were received. */
  readonly bytes: number
  /** The body was received to its end. */
  readonly whole: boolean
  readonly outcome: Outcome
}
