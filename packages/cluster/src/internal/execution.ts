/** One execution: an upload or a batch of uploads. */
import type * as Option from "effect/Option"

/**
 * A submitted upload or batch.
 */
export interface Execution {
  readonly id: string
  readonly kind: "Upload" | "Batch"
  readonly bucket: string
  /** For a batch: the common prefix of its keys. */
  readonly key: string
  /** The size of all sources, in bytes. */
  readonly size: number
  readonly files: number
  /** For a batch: the number of its slices. */
  readonly slices: number
  /** The time of submission, in milliseconds since 1970. */
  readonly submitted: number
  /** The time of its end, in milliseconds since 1970. */
  readonly ended: Option.Option<number>
}
