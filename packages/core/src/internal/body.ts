/** Bodies: what looks at their bytes, and what HTTP engines take. */
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Body } from "../Body.ts"

/**
 * Calls `onRead` with each piece after it has been read; `offset` 0 means that
 * the body is being sent from the start.
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
 * What is read at once where it isn't said otherwise, in bytes: large enough to
 * cost little each, small enough to show progress.
 */
export const pieceSize = 256 * 1024

/**
 * The body as any HTTP engine takes it: a stream of pieces, each in memory of
 * its own. An engine that can do better finds the body with `behind`.
 */
export const toHttpBody = <E>(body: Body<E>): HttpBody.Stream => {
  const httpBody = HttpBody.stream(pieces(body), undefined, body.size)
  bodies.set(httpBody, body)
  return httpBody
}

/**
 * The body that an HTTP request's body was made of by `toHttpBody`: an engine
 * may pull it into buffers that it uses again, rather than run the stream.
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
