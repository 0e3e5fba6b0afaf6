/**
 * Bytes on their way into one request: how many, and how to get at them.
 * Whoever carries a body pulls it in order, from offset 0, into buffers of its
 * own, and may start again from 0. Check sums and progress are wrappers, so
 * that they see exactly the bytes that are sent.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

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
  ...body,
  read: (target, offset) => Effect.map(body.read(target, offset), () => onRead(target, offset))
})

/**
 * Calls `onSent` as bytes leave: as they are read, or as an engine says by
 * `left`. `offset` 0 means that the body is being sent from the start.
 *
 * @category combinators
 * @since 0.1.0
 */
export const tapSent = <E>(
  body: Body<E>,
  onSent: (offset: number, bytes: number) => void
): Body<E> => {
  let known: number | undefined
  return {
    size: body.size,
    read: (target, offset) =>
      Effect.map(body.read(target, offset), () => {
        if (known === undefined) onSent(offset, target.length)
      }),
    left: (bytes) => {
      if (bytes > (known ?? 0)) onSent(known ?? 0, bytes - (known ?? 0))
      known = bytes
    }
  }
}

/**
 * What is read at once where it isn't said otherwise, in bytes: large enough to
 * cost little each, small enough to show progress.
 *
 * @category constants
 * @since 0.1.0
 */
export const pieceSize = 256 * 1024

/**
 * The body as any HTTP engine takes it: a stream of pieces, each in memory of
 * its own. An engine that can do better finds the body with `behind`.
 *
 * @category HTTP
 * @since 0.1.0
 */
export const toHttpBody = <E>(body: Body<E>): HttpBody.Stream => {
  const httpBody = HttpBody.stream(pieces(body), undefined, body.size)
  bodies.set(httpBody, body)
  return httpBody
}

/**
 * The body that an HTTP request's body was made of by `toHttpBody`: an engine
 * may pull it into buffers that it uses again, rather than run the stream.
 *
 * @category HTTP
 * @since 0.1.0
 */
export const behind = (httpBody: HttpBody.HttpBody): Option.Option<Body<unknown>> =>
  Option.fromUndefinedOr(bodies.get(httpBody))

const bodies = new WeakMap<HttpBody.HttpBody, Body<unknown>>()

const pieces = <E>({ size, read }: Body<E>): Stream.Stream<Uint8Array, E> =>
  Stream.unfold(0, (offset) => {
    if (offset >= size) return Effect.undefined
    const target = new Uint8Array(Math.min(pieceSize, size - offset))
    return Effect.as(read(target, offset), [target, offset + target.length] as const)
  })
