/** Watches the bytes of bodies, and converts bodies for HTTP engines. */
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Body } from "../Body.ts"

/**
 * Calls `onRead` with each piece after it is read. `offset` 0 means that the
 * body is sent from the start.
 */
export const tap = <E>(
  body: Body<E>,
  onRead: (piece: Uint8Array, offset: number) => void
): Body<E> => ({
  ...body,
  read: (target, offset) => Effect.map(body.read(target, offset), () => onRead(target, offset))
})

/**
 * Calls `onSent` as bytes are sent: when they are read, or when an engine reports
 * them by `left`. `offset` 0 means that the body is sent from the start.
 */
export const tapSent = <E>(
  body: Body<E>,
  onSent: (offset: number, bytes: number) => void
): Body<E> => watched(body, () => {}, onSent)

/** Calls `onRead` as `tap` does, and `onSent` as `tapSent` does. */
export const watched = <E>(
  { size, read }: Body<E>,
  onRead: (piece: Uint8Array, offset: number) => void,
  onSent: (offset: number, bytes: number) => void
): Body<E> => {
  let known: number | undefined
  return {
    size,
    read: (target, offset) =>
      Effect.map(read(target, offset), () => {
        onRead(target, offset)
        if (known === undefined) onSent(offset, target.length)
      }),
    left: (bytes) => {
      if (bytes > (known ?? 0)) onSent(known ?? 0, bytes - (known ?? 0))
      known = bytes
    }
  }
}

/**
 * The default size of a read, in bytes: large enough to keep the cost of reads
 * low, small enough to show progress.
 */
export const pieceSize = 256 * 1024

/**
 * Converts a body for any HTTP engine: a stream of pieces, each in its own
 * memory. An engine that can pull the body itself gets it with `behind`.
 */
export const toHttpBody = <E>(body: Body<E>): HttpBody.Stream => {
  const httpBody = HttpBody.stream(pieces(body), undefined, body.size)
  bodies.set(httpBody, body)
  return httpBody
}

/**
 * The body that `toHttpBody` converted. An engine may pull it into buffers that
 * it reuses, instead of running the stream.
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
