/**
 * The bytes of one request. An HTTP engine pulls a body in order, from offset 0,
 * into its own buffers, and may start again from 0. Check sums and progress wrap
 * a body, so that they see exactly the bytes that are sent.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"

/**
 * The bytes of one request.
 *
 * @category models
 * @since 0.1.0
 */
export interface Body<out E = never> {
  /** In bytes. */
  readonly size: number
  /** Fills `target` with the bytes from `offset` on, or fails. Once it has ended, interrupted or not, it no longer writes into `target`. */
  readonly read: (target: Uint8Array, offset: number) => Effect.Effect<void, E>
  /**
   * For an engine that reads ahead and knows how many bytes have really left:
   * it calls this with 0 before it reads, and then with their number, from the
   * start, whenever it grows. If no engine does, bytes count as sent once they
   * are read.
   */
  readonly left?: ((bytes: number) => void) | undefined
}

/**
 * Makes a body of bytes in memory.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromBytes = (bytes: Uint8Array): Body => ({
  size: bytes.length,
  read: (target, offset) =>
    Effect.sync(() => target.set(bytes.subarray(offset, offset + target.length)))
})
