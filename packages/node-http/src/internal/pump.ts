/**
 * Moves bodies into requests: each piece is read into a block, and the socket
 * is given that very block. A block is used again only after the callback of
 * its write, and given back only after the request has closed and the body is
 * no longer read: not before are both done with it.
 *
 * A body has one block. While it is read into, the system still sends what the
 * socket took before, and other bodies are written.
 */
import type { Body } from "@effect-oss/core/Body"
import { acquire } from "@effect-oss/crc64"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { ClientRequest } from "node:http"
import * as Pieces from "./pieces.ts"

export interface Pump {
  /** Reads all of a short body and hands it to `use`, which says which request carries it: its bytes are good until that has closed. */
  readonly whole: <E, A, E2>(
    body: Body<E>,
    use: (bytes: Uint8Array, carriedBy: (sent: ClientRequest) => void) => Effect.Effect<A, E2>
  ) => Effect.Effect<A, E | E2>
  /** Sends the body and ends the request; returns once the last piece has been handed over. */
  readonly run: <E>(sent: ClientRequest, body: Body<E>) => Effect.Effect<void, E>
}

/** What all bodies have in common: they go the same way. */
interface Way {
  bodies: number
  /** That was right for the last piece, in bytes. */
  pieceSize: number
}

/** Whether a body goes with one piece, so that it can be read before its request begins. */
export const isShort = ({ size }: Body<unknown>): boolean => size <= Pieces.smallest

export const make = (): Pump => {
  const way: Way = { bodies: 0, pieceSize: Pieces.smallest }
  return {
    whole: (body, use) =>
      Effect.suspend(() => {
        const { bytes, release } = acquire(body.size)
        let isCarried = false
        const carriedBy = (sent: ClientRequest) => {
          isCarried = true
          sent.once("close", release)
        }
        return Effect.ensuring(
          Effect.flatMap(body.read(bytes, 0), () => use(bytes, carriedBy)),
          Effect.sync(() => {
            if (!isCarried) release()
          })
        )
      }),
    run: (sent, body) =>
      Effect.suspend(() => {
        way.bodies++
        const block = acquire(Math.min(Pieces.blockSize(way.bodies), body.size))
        const done = countDown(2, () => {
          way.bodies--
          block.release()
        })
        if (sent.closed) done()
        else sent.once("close", done)
        return Effect.ensuring(pump(way, sent, body, block.bytes), Effect.sync(done))
      })
  }
}

const pump = Effect.fnUntraced(function* <E>(
  way: Way,
  sent: ClientRequest,
  { size, read }: Body<E>,
  block: Uint8Array
) {
  for (let offset = 0; offset < size;) {
    const piece = block.subarray(0, Math.min(way.pieceSize, size - offset))
    yield* read(piece, offset)
    offset += piece.length
    // The answer may be here before it is known that all has been written.
    if (offset === size) end(sent, piece)
    else yield* write(way, sent, piece)
  }
})

/** In two calls: in one, Node would join the piece with an empty one, for which TLS copies it. */
const end = (sent: ClientRequest, piece: Uint8Array) => {
  sent.write(piece)
  sent.end()
}

/** Returns once the socket is done with the piece, or broken. */
const write = Effect.fnUntraced(function* (way: Way, sent: ClientRequest, piece: Uint8Array) {
  const start = yield* Clock.monotonicTimeNanos
  yield* Effect.callback<void>((resume) => {
    sent.write(piece, () => resume(Effect.void))
    return Effect.sync(() => (way.pieceSize = Pieces.smallest))
  })
  const nanos = (yield* Clock.monotonicTimeNanos) - start
  way.pieceSize = Pieces.next(piece.length, Number(nanos) / 1e6)
})

/** Runs `last` at the call number `count`. */
const countDown = (count: number, last: () => void) => () => {
  count--
  if (count === 0) last()
}
