/** One execution: an upload or a batch of them. */
import type * as Option from "effect/Option"

/**
 * Something that was submitted.
 */
export interface Execution {
  readonly id: string
  readonly kind: "Upload" | "Batch"
  readonly bucket: string
  /** Of a batch: what the keys of its files begin with. */
  readonly key: string
  /** Of all sources, in bytes. */
  readonly size: number
  readonly files: number
  /** Of a batch: the pieces that runners take on. */
  readonly slices: number
  /** In milliseconds since 1970. */
  readonly submitted: number
  /** When it ended, in milliseconds since 1970. */
  readonly ended: Option.Option<number>
}
