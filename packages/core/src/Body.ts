/**
 * Bytes on their way into one request: how many, and how to get at them.
 * Whoever carries a body pulls it in order, from offset 0, into buffers of its
 * own, and may start again from 0. Check sums and progress are wrappers, so
 * that they see exactly the bytes that are sent.
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
  /** Fills `target` with the bytes from `offset` on, or fails. */
  readonly read: (target: Uint8Array, offset: number) => Effect.Effect<void, E>
}

/**
 * A body out of bytes in memory.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromBytes = (bytes: Uint8Array): Body => ({
  size: bytes.length,
  read: (target, offset) =>
    Effect.sync(() => target.set(bytes.subarray(offset, offset + target.length)))
})

/**
 * Calls `onRead` with each piece after it has been read; `offset` 0 means that
 * the body is being sent from the start.
 *
 * @category combinators
 * @since 0.1.0
 */
export const tap = <E>(
  body: Body<E>,
  onRead: (piece: Uint8Array, offset: number) => void
): Body<E> => ({
  size: body.size,
  read: (target, offset) => Effect.map(body.read(target, offset), () => onRead(target, offset))
})
